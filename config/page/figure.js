// One number as people see it: its lines, what it was before, and a button that opens what stands behind it.

import { isTime } from './catalogue.js';
import { h } from './dom.js';
import { change, columnName, isMoney, lines, member, name, range } from './format.js';
import { unitRange } from './periods.js';
import { keyOf, queryOf } from './model.js';
import { meaning } from './reports.js';

const EXPLAINED_UNITS = new Set(['day', 'week', 'month']);

/** The view and range of one row; null: it stands for several ("(other)", a fiscal unit). */
function placeOf(model, row) {
  let { view, range: days } = model;
  for (const dimension of row ? model.by : []) {
    const value = row[dimension] ?? null;
    if (value === '(other)') return null;
    if (EXPLAINED_UNITS.has(dimension) && value !== null) days = unitRange(dimension, value);
    else if (isTime(dimension)) return null;
    else view = { ...view, where: { ...view.where, [dimension]: [value] } };
  }
  return { view, days };
}

/** The query behind a number of the model; `row` null: the total. null: nobody can ask for it. */
export function queryBehind(model, column, row) {
  const place = column.metric === 'share' ? null : placeOf(model, row);
  return place && queryOf(place.view, place.days, column);
}

const membersOf = (query) =>
  Object.entries(query.where ?? {}).map(([dimension, values]) => `${name(dimension).toLowerCase()} ${values.map(member).join(' or ')}`);

/** "owner anna · 1 – 30 Nov 2026": which facts a query counts. */
export const scopeOf = (query) => [...membersOf(query), range(query)].join(' · ');
export const titleOf = (query) => columnName(query.stat ? `${query.metric}.${query.stat}` : query.metric);

const comparable = (value, currency) => (isMoney(value) ? (value[currency] ?? 0) : (value ?? ''));

const GOOD = { 1: 'up', '-1': 'down', 0: null }; // the way that is good

/** A button with a value; plain text where there is nothing to open. `of`: what it is the number of. */
export function number(value, unit, query, { of, currency, compact = false } = {}) {
  const text = lines(value, unit, compact);
  const parts = text.length > 1 ? text.map((line) => h('span', { class: 'line' }, line)) : text;
  const live = { 'data-value': comparable(value, currency), 'data-of': of, 'data-good': GOOD[query ? meaning(query.metric, 1) : 0] };
  if (!query || value === null || value === undefined) return h('span', { class: 'number', ...live }, parts);
  const label = `${text.join(', ')}: ${titleOf(query)}, ${scopeOf(query)}. Show what is behind it`;
  return h(
    'button',
    { type: 'button', class: 'number', 'data-action': 'explain', 'data-query': JSON.stringify(query), 'aria-label': label, ...live },
    parts,
  );
}

const TONES = { 1: 'good', '-1': 'bad', 0: 'even' };
const ARROWS = { 1: '▲', '-1': '▼', 0: '' };

/** The way from what it was compared with; null: nothing to compare. */
export function delta(now, before, column, currency) {
  const moved = change(now, before, column.unit, currency);
  if (!moved) return null;
  return h(
    'span',
    { class: `delta ${TONES[meaning(column.metric, moved.sign)]}` },
    ARROWS[moved.sign] ? h('span', { class: 'arrow', 'aria-hidden': 'true' }, ARROWS[moved.sign]) : null,
    moved.text,
  );
}

/** What a row of the model was in the period compared with; null: not known. */
export const beforeOf = (model, row) => (row ? (model.before?.rows.get(keyOf(row, model.by)) ?? null) : (model.before?.total ?? null));
