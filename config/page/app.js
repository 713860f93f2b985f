// The page: the address says what is looked at; it is read, drawn and followed.

import * as api from './api.js';
import { readAddress } from './address.js';
import { listen, recallTheme } from './actions.js';
import { readCatalogue } from './catalogue.js';
import { render } from './draw.js';
import { completed } from './model.js';
import { follow, sameView, show, visibilityChanged } from './read.js';
import { app, tenantOf } from './state.js';

async function readServer() {
  const tenants = await api.tenants(); // first of all and alone: perhaps a token is needed
  const [metrics, alerting] = await Promise.all([api.catalogue(), api.hasAlerts()]);
  Object.assign(app, { tenants, metrics });
  app.alerts = alerting ? [] : null;
}

async function enterTenant(wanted) {
  const known = app.tenants.map((one) => one.tenant);
  const tenant = wanted ?? known[0];
  app.reports = tenant ? await api.reports(tenant) : [];
  if (tenant && app.alerts) app.alerts = await api.alerts(tenant);
  return tenant;
}

/** The first report that is there, where the address names none. */
const firstReport = () => (app.reports.find((one) => one.version !== null) ?? app.reports[0])?.report;

/** Goes where the address says. */
async function arrive() {
  const view = readAddress(location.hash);
  const before = app.view;
  try {
    if (!app.tenants.length) await readServer();
    app.view = view;
    if (!app.reports.length || before?.tenant !== view.tenant) view.tenant = await enterTenant(view.tenant);
    if (!view.tenant) throw new Error('no tenant has sent an event yet');
    app.catalogue = readCatalogue(app.metrics, tenantOf(view));
    view.report ??= firstReport();
  } catch (error) {
    app.loading?.abort();
    Object.assign(app, { view, error, model: null });
    return render();
  }
  follow();
  if (app.model && sameView(app.model.view, completed(view, app.model.document))) {
    app.model.view = completed(view, app.model.document); // another order of the rows
    return render();
  }
  return show();
}

recallTheme();
listen();
document.addEventListener('visibilitychange', visibilityChanged);
addEventListener('hashchange', arrive);
arrive();
