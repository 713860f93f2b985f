// The page: the address says what is looked at; it is read, drawn and followed.

import * as api from './api.js';
import { readAddress } from './address.js';
import { listen, recallTheme } from './actions.js';
import { readCatalogue } from './catalogue.js';
import { render } from './draw.js';
import { completed } from './model.js';
import { enter, follow, sameView, show, visibilityChanged } from './read.js';
import { app, tenantOf } from './state.js';

async function readServer() {
  const tenants = await api.tenants(); // first of all and alone: perhaps a token is needed
  const [metrics, alerting] = await Promise.all([api.catalogue(), api.hasAlerts()]);
  Object.assign(app, { tenants, metrics });
  app.alerts = alerting ? [] : null;
}

async function readTenant(wanted) {
  const tenant = wanted ?? app.tenants[0]?.tenant;
  if (!tenant) throw new Error('no tenant has sent an event yet');
  const reports = await api.reports(tenant);
  return { entered: tenant, reports, alerts: app.alerts && (await api.alerts(tenant)) };
}

/** The first report that is there, where the address names none. */
const firstReport = () => (app.reports.find((one) => one.version !== null) ?? app.reports[0])?.report;

/** Goes where the address says; unless it says something else meanwhile. */
async function arrive() {
  const view = readAddress(location.hash);
  const sorted = app.model && sameView(app.model.view, completed(view, app.model.document)); // only another order of the rows
  if (sorted) app.view = view;
  else enter(view);
  try {
    if (!app.tenants.length) await readServer();
    const tenant = app.reports.length && app.entered === view.tenant ? {} : await readTenant(view.tenant);
    if (app.view !== view) return;
    Object.assign(app, tenant);
  } catch (error) {
    if (app.view !== view) return;
    enter(view, error);
    return render();
  }
  view.tenant = app.entered;
  view.report ??= firstReport();
  app.catalogue = readCatalogue(app.metrics, tenantOf(view));
  follow();
  if (!sorted) return show();
  app.model.view = completed(view, app.model.document);
  render();
}

recallTheme();
listen();
document.addEventListener('visibilitychange', visibilityChanged);
addEventListener('hashchange', arrive);
arrive();
