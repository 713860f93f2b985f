// Reading: the report, what it is compared with, its charts; first when a view is entered, then whenever something has changed.

import * as api from './api.js';
import { writeAddress } from './address.js';
import { leading } from './cards.js';
import { element, render } from './draw.js';
import { columnName, write } from './format.js';
import { load, loadBefore } from './model.js';
import { seriesOf, sparkOf } from './series.js';
import { app, charted, currency, tenantOf } from './state.js';

const REFRESH_MS = 250; // a report is read again at most so often
const CHARTS_MS = 3000; // its charts and a filtered report, which have to be asked for
const PAST_MS = 30000; // and what it is compared with, which seldom moves
const SAY_MS = 6000; // changes are said aloud at most so often

const context = (signal) => ({ model: app.model, currency: currency(), catalogue: app.catalogue, signal });

async function readCharts(signal) {
  await Promise.all(
    charted().map(async (chart, i) => {
      const data = await seriesOf(chart, context(signal));
      if (!signal.aborted) app.data[i] = data;
    }),
  );
}

/** What the numbers are compared with, and how they came to be. */
async function readPast(signal) {
  const [before, ...sparks] = await Promise.all([
    loadBefore(app.model, { catalogue: app.catalogue, signal }),
    ...leading(app.model).map(async (column) => [column.name, await sparkOf(column, context(signal))]),
  ]);
  if (signal.aborted) return;
  app.model.before = before; // of the model that there is by now
  app.sparks = new Map(sparks);
}

const thenDraw = (read) => async (signal) => {
  if (signal.aborted) return;
  await read(signal);
  if (!signal.aborted) render();
};

async function readReport(signal) {
  const { view } = app;
  const document = await api.report(view.tenant, view.report, signal);
  const model = await load(view, document, tenantOf(view), { catalogue: app.catalogue, signal });
  if (signal.aborted) return;
  model.before = app.model && sameView(app.model.view, model.view) ? app.model.before : null;
  app.model = model;
  app.error = null;
  render();
}

export const sameView = (a, b) => writeAddress({ ...a, sort: '' }) === writeAddress({ ...b, sort: '' });

/** From now on the view is this one: what was read for another is neither shown nor drawn beside it. */
export function enter(view, error = null) {
  app.loading?.abort();
  Object.assign(app, { view, error, model: null, data: [], sparks: new Map() });
}

/** Everything of the view anew. */
export async function show() {
  enter(app.view);
  const controller = (app.loading = new AbortController());
  render();
  try {
    await readReport(controller.signal);
    await Promise.all([thenDraw(readPast)(controller.signal), thenDraw(readCharts)(controller.signal)]);
  } catch (error) {
    if (error.name === 'AbortError' || controller.signal.aborted) return;
    app.error = error;
    render();
  }
}

/** Runs `work` soon, never twice at once, and at most every `ms`; once more if it was asked for meanwhile. */
function paced(ms, work) {
  let running = false;
  let again = false;
  return async function ask() {
    again = true;
    if (running) return;
    running = true;
    while (again) {
      again = false;
      await Promise.all([work().catch(reportProblem), new Promise((resolve) => setTimeout(resolve, ms))]);
    }
    running = false;
  };
}

/** The token is one no more: another is asked for. */
function refused(error) {
  app.followed?.stop();
  Object.assign(app, { followed: null, error });
  render();
}

function reportProblem(error) {
  if (error.status === 401) refused(error);
  else if (error.name !== 'AbortError') console.warn(`not refreshed: ${error.message}`);
}

/** Are the numbers of the view those of queries? That is dearer than reading a report. */
const isAsked = () => app.model?.source === 'query';

async function readAgain() {
  const { model: before, loading } = app;
  await readReport(loading.signal);
  if (!loading.signal.aborted) sayChanges(before, app.model);
}

/** Reads with the signal of the view that is shown, if one is. */
const whileShown = (read) => async () => {
  if (app.model && !document.hidden) await read(app.loading.signal);
};

const refresh = paced(REFRESH_MS, whileShown(readAgain));

const refreshCharts = paced(
  CHARTS_MS,
  whileShown(async (signal) => {
    if (isAsked()) await readAgain();
    await thenDraw(readCharts)(signal);
  }),
);

const refreshPast = paced(PAST_MS, whileShown(thenDraw(readPast)));

let saidAt = 0;

/** Tells a screen reader which leading number has moved: not each, not every time. */
function sayChanges(before, after) {
  if (Date.now() - saidAt < SAY_MS || !sameView(before.view, after.view)) return;
  const moved = leading(after).find((column) => JSON.stringify(before.total[column.name]) !== JSON.stringify(after.total[column.name]));
  if (!moved) return;
  saidAt = Date.now();
  element('said').textContent = `${columnName(moved.name)} is now ${write(after.total[moved.name] ?? null, moved.unit)}`;
}

async function readAlerts() {
  const { entered, alerts: before } = app;
  if (!before) return;
  const alerts = await api.alerts(entered).catch(() => before);
  if (app.entered === entered) app.alerts = alerts;
  render();
}

/** What is over by itself: the server, or its Redis, was away. */
const passes = (error) => error !== null && (error.status === 0 || error.status >= 500);

/** Where the address says, from the beginning: what is known may be of another tenant. */
const enterAgain = () => dispatchEvent(new Event('hashchange'));

function updated({ report, version }) {
  if (passes(app.error)) return enterAgain();
  if (app.error?.code === 'no_report_yet' && report === app.view.report) return void show();
  if (report === app.view.report && version !== app.model?.document.version && !isAsked()) refresh();
  refreshCharts();
  refreshPast();
}

/** Follows the tenant of the view, from now on. */
export function follow() {
  const { tenant } = app.view;
  if (app.followed?.tenant === tenant || document.hidden) return;
  app.followed?.stop();
  const connected = (live) => {
    if (live && !app.live && app.model) [refresh, refreshCharts, refreshPast, readAlerts].forEach((again) => again()); // what was missed meanwhile
    const back = live && !app.live && passes(app.error);
    app.live = live;
    render();
    if (back) enterAgain();
  };
  app.followed = { tenant, ...api.follow(tenant, { updated, alerted: readAlerts, connected, refused }) };
}

/** A page nobody sees follows nothing: browsers grant a host only a few connections. */
export function visibilityChanged() {
  if (!document.hidden) return follow();
  app.followed?.stop();
  Object.assign(app, { followed: null, live: false });
}
