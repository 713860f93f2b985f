// What can be chosen: tenant, report, period, grouping, comparison, filter, and what can be done with the result.

import { h } from './dom.js';
import { clock, member, name, range } from './format.js';
import { PERIODS } from './periods.js';
import { VIEWS } from './reports.js';
import { writeAddress } from './address.js';

function select(label, field, options, value) {
  return h(
    'label',
    { class: 'field', 'data-key': field },
    h('span', {}, label),
    h(
      'select',
      { 'data-input': field },
      options.map((option) =>
        option.options
          ? h(
              'optgroup',
              { label: option.label },
              option.options.map((one) => h('option', { value: one.value, selected: one.value === value }, one.label)),
            )
          : h('option', { value: option.value, selected: option.value === value }, option.label),
      ),
    ),
  );
}

const named = (value) => ({ value, label: name(value) });

function periodOptions(model) {
  const own = model.document.sections[0].periods.map((period) => period.name);
  return [
    { label: 'In the report', options: own.map(named) },
    {
      label: 'Asked on demand',
      options: [...PERIODS.filter((one) => !own.includes(one)).map(named), { value: 'custom', label: 'From … to …' }],
    },
  ];
}

const groupingLabel = (by) =>
  by
    .split(',')
    .map((one) => name(one))
    .join(' and ');
const TIME_UNITS = ['day', 'week', 'month'];

/** The report's own, and what else its first number can be grouped by. */
function groupingOptions(model, catalogue) {
  const own = model.document.sections.map((section) => section.by.join());
  const [first] = model.columns;
  const units = TIME_UNITS.filter((unit) => first && catalogue.knows(first.metric, unit));
  const further = first ? catalogue.dimensions(first.metric) : [];
  const more = [...new Set([...units, ...further, model.view.by])].filter((one) => !own.includes(one));
  const option = (value) => ({ value, label: groupingLabel(value) });
  return [
    { label: 'In the report', options: own.map(option) },
    { label: 'Asked on demand', options: more.map(option) },
  ];
}

const COMPARISONS = [
  { value: 'previous', label: 'Previous period' },
  { value: 'year', label: 'Same period last year' },
  { value: 'none', label: 'Nothing' },
];

const dayField = (field, label, value) =>
  h(
    'label',
    { class: 'field', 'data-key': field },
    h('span', {}, label),
    h('input', { type: 'date', 'data-input': field, value, required: true }),
  );

function customRange(model) {
  if (model.view.period !== 'custom') return null;
  return [dayField('from', 'From', model.view.from), dayField('to', 'To', model.view.to)];
}

function chip(dimension, values) {
  const text = `${name(dimension)}: ${values.map(member).join(', ')}`;
  return h(
    'li',
    { 'data-key': dimension },
    h(
      'button',
      { type: 'button', class: 'chip', 'data-action': 'unfilter', 'data-dimension': dimension, 'aria-label': `Remove the filter ${text}` },
      text,
      h('span', { 'aria-hidden': 'true' }, '×'),
    ),
  );
}

const chips = (where) =>
  Object.keys(where).length
    ? h(
        'ul',
        { class: 'chips', 'aria-label': 'Filters', 'data-key': 'chips' },
        Object.entries(where).map(([dimension, values]) => chip(dimension, values)),
      )
    : null;

const button = (action, label, more = {}) => h('button', { type: 'button', 'data-action': action, 'data-key': action, ...more }, label);

/** The row of choices above a report. */
export function toolbar(model, catalogue, currencies, currency) {
  const { view } = model;
  return h(
    'section',
    { class: 'toolbar', 'aria-label': 'What is shown', 'data-key': 'toolbar' },
    h(
      'div',
      { class: 'fields' },
      select('Period', 'period', periodOptions(model), view.period),
      customRange(model),
      select('Group by', 'by', groupingOptions(model, catalogue), view.by),
      select('Compare with', 'compare', COMPARISONS, view.compare),
      currencies.length > 1
        ? select(
            'Charts in',
            'currency',
            currencies.map((one) => ({ value: one, label: one })),
            currency,
          )
        : null,
    ),
    h('div', { class: 'actions' }, button('filter', 'Filter'), button('csv', 'Download CSV'), button('link', 'Copy link')),
    chips(view.where),
  );
}

function reportLink(view, { report, question, version }) {
  const to = writeAddress({ tenant: view.tenant, report, period: undefined, compare: view.compare, where: {} });
  return h(
    'li',
    { 'data-key': report },
    h(
      'a',
      { href: to, 'aria-current': report === view.report ? 'page' : null, class: version === null ? 'unpublished' : null, title: question },
      h('span', {}, name(report)),
      question ? h('small', {}, question) : null,
    ),
  );
}

/** All reports, by view. */
export function navigation(view, reports) {
  if (!reports.length) return null;
  const groups = [...VIEWS, null]
    .map((group) => [group, reports.filter((report) => (VIEWS.includes(report.view) ? report.view : null) === group)])
    .filter(([, list]) => list.length);
  return h(
    'div',
    { class: 'groups' },
    h(
      'label',
      { class: 'field narrow' },
      h('span', {}, 'Report'),
      h(
        'select',
        { 'data-input': 'report' },
        reports.map(({ report }) => h('option', { value: report, selected: report === view.report }, name(report))),
      ),
    ),
    groups.map(([group, list]) =>
      h(
        'section',
        { class: 'wide', 'data-key': group ?? 'own' },
        h('h2', {}, group ? name(group) : 'Your own'),
        h(
          'ul',
          {},
          list.map((report) => reportLink(view, report)),
        ),
      ),
    ),
  );
}

const LIVE = { true: ['live', 'Live'], false: ['lost', 'Connecting …'] };

function liveSign(live, document) {
  const [kind, text] = LIVE[live];
  return h(
    'p',
    { class: `pill ${kind}`, 'data-key': 'live' },
    h('span', { class: 'dot', 'aria-hidden': 'true' }),
    text,
    document
      ? h(
          'time',
          { datetime: document.as_of, title: `version ${document.version}, ${document.time_zone}` },
          clock(document.as_of, document.time_zone),
        )
      : null,
  );
}

const THEMES = { '': ['System', '◐'], light: ['Light', '☀'], dark: ['Dark', '☾'] };

const tenantChoice = (view, tenants) =>
  h(
    'label',
    { class: 'field tenant', 'data-key': 'tenant' },
    h('span', {}, 'Tenant'),
    h(
      'select',
      { 'data-input': 'tenant' },
      tenants.map(({ tenant }) => h('option', { value: tenant, selected: tenant === view.tenant }, tenant)),
    ),
  );

/** The bar on top. */
export function topBar({ view, tenants, live, document, theme, token }) {
  const [themeName, sign] = THEMES[theme];
  return [
    h('div', { class: 'brand' }, h('img', { src: 'icon.svg', alt: '', width: '28', height: '28' }), h('span', {}, 'crm-reportd')),
    tenants.length ? tenantChoice(view, tenants) : null,
    tenants.length ? liveSign(live, document) : null,
    token ? h('button', { type: 'button', class: 'leave', 'data-key': 'leave', 'data-action': 'forget' }, 'Forget token') : null,
    h(
      'button',
      { type: 'button', class: 'theme', 'data-action': 'theme', 'aria-label': `Colours: ${themeName}. Change` },
      h('span', { 'aria-hidden': 'true' }, sign),
      h('span', { class: 'word' }, themeName),
    ),
  ];
}

/** Name, question and dates of the report. */
export function heading(model, question) {
  const { document, source } = model;
  return h(
    'header',
    { class: 'heading', 'data-key': 'heading' },
    h('h1', {}, name(model.view.report)),
    question ? h('p', { class: 'question' }, `${name(question)}?`) : null,
    h(
      'p',
      { class: 'note' },
      range(model.range ?? {}),
      model.range && model.range.from <= model.today && model.range.to >= model.today && model.range.from !== model.range.to
        ? ', so far'
        : '',
      ` · ${document.time_zone}`,
      source === 'query' ? ' · asked on demand' : '',
    ),
  );
}
