// The numbers that lead a report, large, with how they moved and a small line of how they came to be.

import { h } from './dom.js';
import { columnName, range } from './format.js';
import { beforeOf, delta, number, queryBehind } from './figure.js';
import { presentation } from './reports.js';

const LEADING = 6;

/** Columns of the model that lead: those the report's presentation names, as far as they are there. */
export function leading(model) {
  const named = presentation(
    model.view.report,
    model.columns.map((column) => column.name),
  ).lead;
  const found = named.map((one) => model.columns.find((column) => column.name === one)).filter(Boolean);
  return found.slice(0, LEADING);
}

const WIDTH = 120;
const HEIGHT = 32;

/** Points of a line through the values that are there, within the box. */
function path(values) {
  const there = values.map((value, i) => [i, value]).filter(([, value]) => value !== null);
  if (there.length < 2) return null;
  const numbers = there.map(([, value]) => value);
  const [low, high] = [Math.min(...numbers, 0), Math.max(...numbers)];
  const x = (i) => ((i / (values.length - 1)) * (WIDTH - 6) + 3).toFixed(1);
  const y = (value) => (HEIGHT - 3 - ((value - low) / (high - low || 1)) * (HEIGHT - 6)).toFixed(1);
  const line = there.map(([i, value], n) => `${n ? 'L' : 'M'}${x(i)},${y(value)}`).join('');
  const [last, lastValue] = there.at(-1);
  return { line, area: `${line}L${x(last)},${HEIGHT}L${x(there[0][0])},${HEIGHT}Z`, x: x(last), y: y(lastValue) };
}

/** `values` undefined: not read yet; null: it has none. */
function spark(values) {
  if (values === null) return null;
  const drawn = values && path(values);
  if (!drawn) return h('svg', { class: 'spark', viewBox: `0 0 ${WIDTH} ${HEIGHT}`, 'aria-hidden': 'true' });
  return h(
    'svg',
    { class: 'spark', viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', 'aria-hidden': 'true' },
    h('path', { class: 'area', d: drawn.area }),
    h('path', { class: 'line', d: drawn.line }),
  );
}

function card(model, column, sparks, currency) {
  const value = model.total[column.name] ?? null;
  const of = JSON.stringify(['card', model.view.report, model.view.tenant, model.range, model.view.where]);
  const before = beforeOf(model, null);
  return h(
    'li',
    { class: 'card', 'data-key': column.name },
    h('h3', {}, columnName(column.name)),
    h(
      'div',
      { class: 'big' },
      number(value, column.unit, queryBehind(model, column, null), { of, currency, compact: column.unit === 'money' }),
    ),
    h(
      'div',
      { class: 'foot' },
      before ? delta(value, before[column.name] ?? null, column, currency) : null,
      spark(sparks.get(column.name)),
    ),
  );
}

/** `sparks`: Map column name → values over time. */
export function cards(model, sparks, currency) {
  if (!leading(model).length) return null;
  const compared = model.before ? h('p', { class: 'note' }, `▲▼ against ${range(model.before.range)}`) : null;
  return h(
    'section',
    { class: 'cards', 'aria-label': 'Leading numbers', 'data-key': 'cards' },
    h('h2', { class: 'hidden' }, 'Leading numbers'),
    h(
      'ul',
      {},
      leading(model).map((column) => card(model, column, sparks, currency)),
    ),
    compared,
  );
}
