// The table of a report: its groups down, its numbers across, every number open to a question.

import { isTime } from './catalogue.js';
import { h } from './dom.js';
import { columnName, member, name, unitLabel } from './format.js';
import { beforeOf, delta, number, queryBehind } from './figure.js';
import { keyOf } from './model.js';

/** Columns that are statistics of one duration stand under one heading. */
function headings(columns) {
  const groups = [];
  for (const column of columns) {
    const last = groups.at(-1);
    if (column.stat && last?.metric === column.metric) last.columns.push(column);
    else groups.push({ metric: column.metric, columns: [column] });
  }
  return groups;
}

function sortButton(model, key, label) {
  const { sort } = model.view;
  const state = sort === key ? 'ascending' : sort === `-${key}` ? 'descending' : 'none';
  const next = sort === `-${key}` ? key : `-${key}`;
  const button = h(
    'button',
    { type: 'button', class: 'sort', 'data-action': 'set', 'data-name': 'sort', 'data-value-set': next },
    label,
    h('span', { class: `order ${state}`, 'aria-hidden': 'true' }),
  );
  return { button, state };
}

function columnHead(model, column, label, rows) {
  const { button, state } = sortButton(model, column.name, label);
  return h(
    'th',
    { scope: 'col', class: 'n', rowspan: rows, 'aria-sort': state === 'none' ? null : state, 'data-key': column.name },
    button,
  );
}

const STATS = { average: 'avg', p50: 'median', p90: 'p90', p95: 'p95' };

function head(model) {
  const groups = headings(model.columns);
  const two = groups.some((group) => group.columns.length > 1) ? 2 : null;
  const labels = model.by.map((dimension) => {
    const { button, state } = sortButton(model, dimension, name(dimension));
    return h(
      'th',
      { scope: 'col', class: 'group', rowspan: two, 'aria-sort': state === 'none' ? null : state, 'data-key': dimension },
      button,
    );
  });
  const first = groups.map((group) =>
    group.columns.length > 1
      ? h('th', { scope: 'colgroup', colspan: group.columns.length, class: 'over', 'data-key': `${group.metric}…` }, name(group.metric))
      : columnHead(model, group.columns[0], columnName(group.columns[0].name), two ?? 1),
  );
  const second = groups
    .filter((group) => group.columns.length > 1)
    .flatMap((group) => group.columns.map((column) => columnHead(model, column, STATS[column.stat], null)));
  return h('thead', {}, h('tr', {}, labels.length ? labels : h('td', { rowspan: two }), first), two ? h('tr', {}, second) : null);
}

function cell(model, column, row, currency) {
  const value = (row ?? model.total)[column.name] ?? null;
  const before = beforeOf(model, row);
  const of = JSON.stringify([model.view.report, model.view.tenant, model.range, column.name, model.view.where]);
  return h(
    'td',
    { class: 'n', 'data-key': column.name },
    number(value, column.unit, queryBehind(model, column, row), { of, currency }),
    before ? delta(value, before[column.name] ?? null, column, currency) : null,
  );
}

function groupCell(row, dimension) {
  const value = row[dimension] ?? null;
  if (isTime(dimension)) return h('th', { scope: 'row', 'data-key': dimension }, unitLabel(dimension, value));
  if (value === '(other)') return h('th', { scope: 'row', 'data-key': dimension }, 'all others');
  return h(
    'th',
    { scope: 'row', 'data-key': dimension },
    h(
      'button',
      {
        type: 'button',
        class: `member${value === null ? ' none' : ''}`,
        'data-action': 'narrow',
        'data-dimension': dimension,
        'data-member': JSON.stringify(value),
        title: `Only ${member(value)}`,
        'aria-label': `${member(value)}: show only this ${name(dimension).toLowerCase()}`,
      },
      member(value),
    ),
  );
}

const textOf = (value) => (value !== null && typeof value === 'object' ? Object.values(value).reduce((sum, one) => sum + one, 0) : value);

function compare(a, b) {
  if (a === b) return 0;
  if (a === null || a === undefined) return 1; // what is not there comes last, whichever way
  if (b === null || b === undefined) return -1;
  return typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b), undefined, { numeric: true });
}

/** Rows in the order that was chosen; without one as the report has them. */
export function sorted(model) {
  const { sort } = model.view;
  if (!sort) return model.rows;
  const [key, sign] = sort.startsWith('-') ? [sort.slice(1), -1] : [sort, 1];
  const there = (row) => textOf(row[key]) ?? null;
  return [...model.rows].sort((a, b) =>
    there(a) === null || there(b) === null ? compare(there(a), there(b)) : sign * compare(there(a), there(b)),
  );
}

/** Where no column has a total (goals of different metrics) there is no such row. */
function totalRow(model, currency) {
  if (model.by.length && model.columns.every((column) => (model.total[column.name] ?? null) === null)) return null;
  const label = h('th', { scope: 'row', colspan: Math.max(1, model.by.length) }, 'Total');
  return h(
    'tr',
    { class: 'total', 'data-key': 'total' },
    label,
    model.columns.map((column) => cell(model, column, null, currency)),
  );
}

function body(model, currency) {
  const rows = sorted(model).map((row) =>
    h(
      'tr',
      { 'data-key': keyOf(row, model.by) },
      model.by.map((dimension) => groupCell(row, dimension)),
      model.columns.map((column) => cell(model, column, row, currency)),
    ),
  );
  return h('tbody', {}, totalRow(model, currency), rows);
}

/** Without the columns that nothing can be said of by this grouping: the leading numbers and the file have them. */
function withoutEmpty(model) {
  const says = ({ name: key }) => model.rows.some((row) => (row[key] ?? null) !== null);
  const columns = model.columns.filter((column) => !model.rows.length || says(column));
  return columns.length ? { ...model, columns } : model;
}

/** The whole table, with its caption. */
export function table(whole, caption, currency) {
  const model = withoutEmpty(whole);
  const empty = model.by.length && !model.rows.length;
  return h(
    'div',
    { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': caption },
    h('table', { class: 'report' }, h('caption', { class: 'hidden' }, caption), head(model), body(model, currency)),
    empty ? h('p', { class: 'empty' }, 'No rows in this period.') : null,
  );
}
