// The page: what is looked at (the address), the numbers of it, and how both change. Drawing is in the other modules.

import * as api from './api.js';
import { readAddress, writeAddress } from './address.js';
import { alerts } from './alerts.js';
import { cards, leading } from './cards.js';
import * as charts from './charts.js';
import { heading, navigation, toolbar, topBar } from './controls.js';
import { csv, save } from './csv.js';
import { h, morph } from './dom.js';
import * as explain from './explain.js';
import * as filter from './filter.js';
import { columnName, name, write } from './format.js';
import { completed, currenciesOf, load, loadBefore } from './model.js';
import { isPanel, numbersTable, panel, sizeBars } from './panels.js';
import { presentation } from './reports.js';
import { readCatalogue } from './catalogue.js';
import { seriesOf, sparkOf } from './series.js';
import { sorted, table } from './table.js';

const THEME = 'crm-reportd.theme';
const REFRESH_MS = 250; // a report is read again at most so often
const DEEP_REFRESH_MS = 2500; // and what has to be asked for (comparison, charts over time) at most so often
const SAY_MS = 6000; // changes are said aloud at most so often

const app = {
  view: null,
  tenants: [],
  metrics: null, // the interface's catalogue, and …
  catalogue: null, // … how the tenant can ask of it
  reports: [],
  model: null,
  data: [], // of the report's charts, in their order
  sparks: new Map(),
  alerts: null, // null: this server tells none
  live: false,
  error: null,
  theme: localStorage.getItem(THEME) ?? '',
  loading: null, // AbortController of what is being read
  followed: null, // {tenant, stop}
};

const element = (id) => document.getElementById(id);
const charted = () => presentation(app.view.report, app.model.columns.map((column) => column.name)).charts;

const tenantOf = (view) => app.tenants.find((one) => one.tenant === view.tenant) ?? {};

// ---- drawing ----

function currency() {
  const known = currenciesOf(app.model);
  return known.includes(app.view.currency) ? app.view.currency : (known[0] ?? tenantOf(app.view).currency ?? 'EUR');
}

const chartId = (chart, i) => `${app.view.report}-${i}-${chart.kind}`;

function summary(chart, data) {
  return `${chart.title}: ${data.series.map((series) => series.name).join(', ')}; ${data.labels.length} points. The numbers are in the table below it.`;
}

function plot(chart, data, id) {
  if (!data) return h('p', { class: 'loading' }, 'Loading …');
  if (isPanel(chart.kind) && (data.series.length || chart.kind !== 'funnel')) return h('div', { class: 'panel' }, panel(chart.kind, data, app.model, currency()));
  if (!data.series.length || !data.labels.length) return h('p', { class: 'empty' }, 'Nothing to show in this period.');
  return [
    h('div', { class: `plot ${chart.kind}`, 'data-key': 'plot' }, h('canvas', { id, 'data-keep': true, role: 'img', 'aria-label': summary(chart, data) })),
    h('details', { 'data-hold': true, 'data-key': 'numbers' }, h('summary', {}, 'Numbers'), numbersTable(data, currency())),
  ];
}

function chartView(chart, i) {
  const data = app.data[i];
  if (data === null) return null; // does not fit this grouping
  return h('figure', { class: `chart${chart.wide ? ' wide' : ''}`, 'data-key': chartId(chart, i) },
    h('figcaption', {}, h('h2', {}, chart.title), h('p', { class: 'note' }, data?.about ?? '')), plot(chart, data, chartId(chart, i)));
}

function drawCharts() {
  charted().forEach((chart, i) => {
    const canvas = element(chartId(chart, i));
    const data = app.data[i];
    if (!canvas || !data || !charts.isDrawn(chart.kind)) return;
    const height = charts.heightOf(chart, data);
    if (height) canvas.parentElement.style.setProperty('height', `${height}px`);
    charts.draw(chartId(chart, i), canvas, chart, data, currency(), openQuery);
  });
  charts.forgetGone();
}

function questionOf(report) {
  return app.reports.find((one) => one.report === report)?.question;
}

function reportView() {
  const { model } = app;
  const groups = model.by.length ? ` by ${model.by.map((one) => name(one).toLowerCase()).join(' and ')}` : '';
  return [
    heading(model, questionOf(app.view.report)),
    toolbar(model, app.catalogue, currenciesOf(model), currency()),
    cards(model, app.sparks, currency()),
    h('section', { class: 'charts', 'aria-label': 'Charts', 'data-key': 'charts' }, charted().map(chartView)),
    h('section', { class: 'sheet', 'data-key': 'sheet' }, h('h2', {}, `${name(app.view.report)}${groups}`), table(model, `${name(app.view.report)}${groups}`, currency())),
  ];
}

function problemView({ status, code, message }) {
  const waiting = code === 'no_report_yet';
  return h('section', { class: 'problem', role: waiting ? 'status' : 'alert', 'data-key': 'problem' },
    h('h1', {}, waiting ? 'Not there yet' : status === 0 ? 'No connection' : 'That cannot be shown'),
    h('p', {}, waiting ? 'This report comes with the next events of the tenant.' : `${message.charAt(0).toUpperCase()}${message.slice(1)}.`),
    h('button', { type: 'button', class: 'primary', 'data-action': 'again' }, 'Try again'));
}

function content() {
  if (app.error) return problemView(app.error);
  return app.model ? reportView() : h('p', { class: 'loading', 'data-key': 'loading' }, 'Loading …');
}

function render() {
  document.title = app.view.report ? `${name(app.view.report)} · ${app.view.tenant} · crm-reportd` : 'crm-reportd';
  document.documentElement.dataset.theme = app.theme;
  morph(element('top'), topBar({ ...app, document: app.model?.document }));
  morph(element('reports'), navigation(app.view, app.reports));
  morph(element('main'), alerts(app.alerts), content());
  element('main').setAttribute('aria-busy', String(!app.model && !app.error));
  if (!app.model || app.error) return;
  sizeBars(element('main'));
  drawCharts();
}

// ---- reading ----

const context = (signal) => ({ model: app.model, currency: currency(), catalogue: app.catalogue, signal });

const ignoreAbort = (error) => {
  if (error.name !== 'AbortError') throw error;
};

async function readCharts(signal) {
  const model = app.model;
  await Promise.all(charted().map(async (chart, i) => {
    const data = await seriesOf(chart, context(signal));
    if (app.model.view === model.view) app.data[i] = data;
  }));
}

async function readSparks(signal) {
  await Promise.all(leading(app.model).map(async (column) => app.sparks.set(column.name, await sparkOf(column, context(signal)))));
}

/** The report itself, then what it is compared with, then what has to be asked for. */
async function readDeep(signal) {
  app.model.before = await loadBefore(app.model, { catalogue: app.catalogue, signal });
  render();
  await Promise.all([readCharts(signal), readSparks(signal)]);
  render();
}

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

const sameView = (a, b) => writeAddress({ ...a, sort: '' }) === writeAddress({ ...b, sort: '' });

/** Everything of the view anew. */
async function show() {
  app.loading?.abort();
  const controller = (app.loading = new AbortController());
  Object.assign(app, { model: null, data: [], sparks: new Map(), error: null });
  render();
  try {
    await readReport(controller.signal);
    await readDeep(controller.signal);
  } catch (error) {
    if (error.name === 'AbortError' || controller.signal.aborted) return;
    app.error = error;
    render();
  }
}

// ---- following ----

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

function reportProblem(error) {
  if (error.name !== 'AbortError') console.warn(`not refreshed: ${error.message}`);
}

const refresh = paced(REFRESH_MS, async () => {
  if (!app.model || document.hidden) return;
  const before = app.model;
  await readReport(app.loading.signal);
  sayChanges(before, app.model);
});

const refreshDeep = paced(DEEP_REFRESH_MS, async () => {
  if (app.model && !document.hidden) await readDeep(app.loading.signal);
});

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
  app.alerts = await api.alerts(app.view.tenant).catch(() => app.alerts);
}

function updated({ report, version }) {
  if (app.error?.code === 'no_report_yet' && report === app.view.report) return void show();
  if (report === app.view.report && version !== app.model?.document.version) refresh();
  refreshDeep();
  if (app.alerts) readAlerts().then(render);
}

function follow() {
  const { tenant } = app.view;
  if (app.followed?.tenant === tenant || document.hidden) return;
  app.followed?.stop();
  const connected = (live) => {
    if (live && !app.live && app.model) refresh().then(refreshDeep); // what was missed meanwhile
    app.live = live;
    render();
  };
  app.followed = { tenant, ...api.follow(tenant, updated, connected) };
}

/** A page nobody sees follows nothing: browsers grant a host only a few connections. */
function visibilityChanged() {
  if (!document.hidden) return follow();
  app.followed?.stop();
  Object.assign(app, { followed: null, live: false });
}

// ---- choosing ----

async function readServer() {
  let alerting;
  [app.tenants, app.metrics, alerting] = await Promise.all([api.tenants(), api.catalogue(), api.hasAlerts()]);
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
    if (!before || before.tenant !== view.tenant || !view.tenant) view.tenant = await enterTenant(view.tenant);
    if (!view.tenant) throw new Error('no tenant has sent an event yet');
    app.catalogue = readCatalogue(app.metrics, tenantOf(view));
    view.report ??= firstReport();
  } catch (error) {
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

/** Another view: into the address, from where it is read. */
function go(change) {
  location.hash = writeAddress({ ...app.view, ...change });
}

function openQuery(query) {
  explain.open(app.view.tenant, query, app.catalogue.unit(query.metric) ?? 'count');
}

function choosePeriod(period) {
  const { range } = app.model;
  const today = app.model.today;
  if (period === 'custom') go({ period: undefined, from: range?.from ?? today, to: range?.to ?? today });
  else go({ period, from: undefined, to: undefined });
}

function chooseDay(change) {
  const { from, to } = { ...app.view, ...change };
  if (from && to) go(from <= to ? { from, to } : { from: change.from ?? to, to: change.from ?? to });
}

const INPUTS = {
  tenant: (tenant) => go({ tenant, where: {}, currency: undefined }),
  report: (report) => go({ report, period: undefined, by: undefined, sort: undefined, where: {} }),
  period: choosePeriod,
  from: (from) => chooseDay({ from }),
  to: (to) => chooseDay({ to }),
  by: (by) => go({ by, sort: undefined }),
  compare: (compare) => go({ compare }),
  currency: (chosen) => go({ currency: chosen }),
  'filter-dimension': (dimension) => filter.choose(dimension),
};

async function copyLink(button) {
  await navigator.clipboard.writeText(location.href).catch(() => {});
  button.textContent = 'Copied';
  setTimeout(render, 1500);
}

const NEXT_THEME = { '': 'light', light: 'dark', dark: '' };

function changeTheme() {
  app.theme = NEXT_THEME[app.theme];
  localStorage.setItem(THEME, app.theme);
  render();
}

function download() {
  const { view, model } = { view: app.model.view, model: app.model };
  const days = model.range ? `${model.range.from}_${model.range.to}` : 'all';
  save(csv(model, sorted(model)), `${view.tenant}-${view.report}-${view.by || 'total'}-${days}.csv`);
}

function without(dimension) {
  const { [dimension]: _, ...where } = app.view.where;
  return where;
}

const ACTIONS = {
  explain: ({ query }) => openQuery(JSON.parse(query)),
  narrow: ({ dimension, member }) => go({ where: { ...app.view.where, [dimension]: [JSON.parse(member)] } }),
  unfilter: ({ dimension }) => go({ where: without(dimension) }),
  set: ({ name: field, valueSet }) => go({ [field]: valueSet }),
  filter: () => filter.open(app.model, app.catalogue),
  'filter-none': () => filter.clear(),
  close: (_, target) => target.closest('dialog').close(),
  csv: download,
  link: (_, target) => copyLink(target),
  theme: changeTheme,
  again: arrive,
  skip: () => element('main').focus(),
};

function onClick(event) {
  const target = event.target.closest('[data-action]');
  if (event.target.tagName === 'DIALOG') return event.target.close(); // beside its content
  if (!target) return;
  if (target.tagName === 'A') event.preventDefault();
  ACTIONS[target.dataset.action](target.dataset, target);
}

function onSubmit(event) {
  if (event.target.dataset.form === 'filter') go({ where: filter.result() });
}

const STEPS = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };

/** Arrows go from number to number in a table. */
function onKey(event) {
  const step = STEPS[event.key];
  const cell = step && event.target.closest('table.report td, table.report tbody th');
  if (!cell) return;
  const row = cell.parentElement;
  const next = step[1] ? row.parentElement.rows[row.sectionRowIndex + step[1]]?.cells[cell.cellIndex] : row.cells[cell.cellIndex + step[0]];
  const target = next?.querySelector('button');
  if (!target) return;
  event.preventDefault();
  target.focus();
}

document.addEventListener('click', onClick);
document.addEventListener('submit', onSubmit);
document.addEventListener('keydown', onKey);
document.addEventListener('change', ({ target }) => INPUTS[target.dataset.input]?.(target.value));
document.addEventListener('input', ({ target }) => target.dataset.input === 'filter-search' && filter.search(target.value));
document.addEventListener('visibilitychange', visibilityChanged);
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', render);
addEventListener('hashchange', () => arrive().catch(ignoreAbort));
arrive();
