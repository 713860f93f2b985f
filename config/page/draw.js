// Drawing: from what the page knows to what it shows.

import { alerts } from './alerts.js';
import { cards } from './cards.js';
import * as charts from './charts.js';
import { heading, navigation, toolbar, topBar } from './controls.js';
import { h, morph } from './dom.js';
import * as explain from './explain.js';
import { name } from './format.js';
import { currenciesOf } from './model.js';
import { isPanel, numbersTable, panel, sizeBars } from './panels.js';
import { app, charted, currency } from './state.js';
import { table } from './table.js';
import * as token from './token.js';

export const element = (id) => document.getElementById(id);

export function openQuery(query) {
  explain.open(app.view.tenant, query, app.catalogue.unit(query.metric) ?? 'count');
}

const chartId = (chart, i) => `${app.view.report}-${i}-${chart.kind}`;

function summary(chart, data) {
  return `${chart.title}: ${data.series.map((series) => series.name).join(', ')}; ${data.labels.length} points. The numbers are in the table below it.`;
}

function plot(chart, data, id) {
  if (!data) return h('p', { class: 'loading' }, 'Loading …');
  if (isPanel(chart.kind) && (data.series.length || chart.kind !== 'funnel'))
    return h('div', { class: 'panel' }, panel(chart.kind, data, app.model, currency()));
  if (!data.series.length || !data.labels.length) return h('p', { class: 'empty' }, 'Nothing to show in this period.');
  return [
    h(
      'div',
      { class: `plot ${chart.kind}`, 'data-key': 'plot' },
      h('canvas', { id, 'data-keep': true, role: 'img', 'aria-label': summary(chart, data) }),
    ),
    h('details', { 'data-hold': true, 'data-key': 'numbers' }, h('summary', {}, 'Numbers'), numbersTable(data, currency())),
  ];
}

function chartView(chart, i) {
  const data = app.data[i];
  if (data === null) return null; // does not fit this grouping
  return h(
    'figure',
    { class: `chart${chart.wide ? ' wide' : ''}`, 'data-key': chartId(chart, i) },
    h('figcaption', {}, h('h2', {}, chart.title), h('p', { class: 'note' }, data?.about ?? '')),
    plot(chart, data, chartId(chart, i)),
  );
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
    h(
      'section',
      { class: 'sheet', 'data-key': 'sheet' },
      h('h2', {}, `${name(app.view.report)}${groups}`),
      table(model, `${name(app.view.report)}${groups}`, currency()),
    ),
  ];
}

const TOKEN_TEXTS = {
  token_needed: 'These numbers are shown to those who have a token. Whoever runs the daemon gives you one.',
  token_unknown: 'This token opens nothing here: it is mistyped, or was replaced by another one.',
};

/** Asks for the token, kindly. */
function tokenView({ code }) {
  const wrong = code === 'token_unknown';
  return h(
    'section',
    { class: 'problem', 'data-key': 'token' },
    h('h1', {}, 'Your token, please'),
    h('p', { id: 'token-said', role: wrong ? 'alert' : null, class: wrong ? 'warn' : null }, TOKEN_TEXTS[code] ?? TOKEN_TEXTS.token_needed),
    h(
      'form',
      { 'data-form': 'token', class: 'token' },
      h(
        'label',
        { class: 'field' },
        h('span', {}, 'Token'),
        h('input', {
          type: 'password',
          name: 'token',
          required: true,
          autocomplete: 'current-password',
          spellcheck: 'false',
          'aria-describedby': 'token-said',
          'aria-invalid': wrong ? 'true' : null,
        }),
      ),
      h('label', { class: 'check' }, h('input', { type: 'checkbox', name: 'remember' }), 'Remember it on this device'),
      h('button', { type: 'submit', class: 'primary' }, 'Show the numbers'),
    ),
  );
}

function problemView({ status, code, message }) {
  const waiting = code === 'no_report_yet';
  return h(
    'section',
    { class: 'problem', role: waiting ? 'status' : 'alert', 'data-key': 'problem' },
    h('h1', {}, waiting ? 'Not there yet' : status === 0 ? 'No connection' : 'That cannot be shown'),
    h(
      'p',
      {},
      waiting ? 'This report comes with the next events of the tenant.' : `${message.charAt(0).toUpperCase()}${message.slice(1)}.`,
    ),
    h('button', { type: 'button', class: 'primary', 'data-action': 'again' }, 'Try again'),
    code === 'other_tenant' ? h('button', { type: 'button', 'data-action': 'forget' }, 'Use another token') : null,
  );
}

function content() {
  if (app.error?.status === 401) return tokenView(app.error);
  if (app.error) return problemView(app.error);
  return app.model ? reportView() : h('p', { class: 'loading', 'data-key': 'loading' }, 'Loading …');
}

/** Brings all that is shown in line with what is known. */
export function render() {
  document.title = app.view.report ? `${name(app.view.report)} · ${app.view.tenant} · crm-reportd` : 'crm-reportd';
  document.documentElement.dataset.theme = app.theme;
  morph(element('top'), topBar({ ...app, document: app.model?.document, token: token.read() }));
  morph(element('reports'), navigation(app.view, app.reports));
  morph(element('main'), alerts(app.entered === app.view.tenant ? app.alerts : null), content());
  element('main').setAttribute('aria-busy', String(!app.model && !app.error));
  if (!app.model || app.error) return;
  sizeBars(element('main'));
  drawCharts();
}
