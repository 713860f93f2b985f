// What stands behind a number: the entities, each with its share, as the daemon finds them by folding them again.

import * as api from './api.js';
import { h, morph } from './dom.js';
import { name, NONE, write } from './format.js';
import { scopeOf, titleOf } from './figure.js';

// Parts of an answer that are answers themselves, and what each is to the number.
const PARTS = {
  numerator: 'Numerator',
  denominator: 'Divided by',
  plus: 'Sum of',
  and: 'and',
  from: 'From',
  minus: 'minus',
  times: 'Product of',
  by: 'and',
  of: 'Of',
};

const STATS = { p50: 'median', p90: '90th percentile', p95: '95th percentile' };

const dialog = () => document.getElementById('explain');

function entityRow(entity, unit) {
  const who = entity.id ?? `deleted (${entity.deleted ?? ''})`;
  return h(
    'tr',
    {},
    h('th', { scope: 'row' }, h('code', {}, who)),
    h('td', {}, name(entity.kind)),
    h('td', { class: 'day' }, entity.day ?? NONE),
    h(
      'td',
      { class: 'n' },
      write(entity.value, unit),
      entity.weight === undefined ? null : h('span', { class: 'note' }, ` ${write(entity.of, 'money')} × ${write(entity.weight, 'ratio')}`),
    ),
  );
}

function entityTable(part, unit, label) {
  const head = h(
    'thead',
    {},
    h(
      'tr',
      {},
      ['Id', 'Kind', 'Day'].map((text) => h('th', { scope: 'col' }, text)),
      h('th', { scope: 'col', class: 'n' }, 'Value'),
    ),
  );
  return h(
    'table',
    { class: 'entities' },
    h('caption', { class: 'hidden' }, label),
    head,
    h(
      'tbody',
      {},
      part.entities.map((entity) => entityRow(entity, unit)),
    ),
  );
}

function remarks(part) {
  return [
    part.stat ? `The ${STATS[part.stat] ?? part.stat} of these values.` : null,
    part.constant !== undefined ? `And ${part.constant} that is always added.` : null,
    part.within ? `Kept within ${part.within.join(' and ')}.` : null,
    part.note ?? null,
  ].filter(Boolean);
}

/** How many entities there are, or are listed; one that cannot have any says so in its `note`. */
function countOf({ entities, truncated, note }) {
  if (!entities || note) return null;
  if (truncated) return `The ${entities.length} largest are listed`;
  return entities.length ? `${entities.length} ${entities.length === 1 ? 'entry' : 'entries'}` : 'Nothing stands behind it';
}

/** A goal is an entity; what it counts is another question. */
const further = (part) =>
  part.open
    ? h(
        'button',
        { type: 'button', class: 'primary', 'data-action': 'explain', 'data-query': JSON.stringify({ by: [], ...part.open }) },
        `What stands behind its ${titleOf(part.open).toLowerCase()}`,
      )
    : null;

/** One part: its total, its entities, its own parts. Whole numbers, shares and money tell by their form what they are. */
function partView(part, label, unit) {
  const inner = Object.entries(PARTS).filter(([key]) => typeof part[key] === 'object' && part[key] !== null && 'total' in part[key]);
  const partUnit = (key) => (key === 'of' ? unit : (part[key].unit ?? 'number'));
  return h(
    'section',
    { class: 'part' },
    h('h3', {}, label, h('span', { class: 'n' }, write(part.total, unit))),
    [countOf(part), ...remarks(part)].filter(Boolean).map((text) => h('p', { class: 'note' }, text)),
    part.entities?.length ? entityTable(part, unit, label) : null,
    further(part),
    inner.map(([key]) => partView(part[key], PARTS[key], partUnit(key))),
  );
}

function rowsView(answer, unit) {
  return answer.rows.map((row) =>
    partView(
      row,
      Object.entries(row)
        .filter(([, value]) => typeof value === 'string' || value === null)
        .map(([, value]) => value ?? '(none)')
        .join(', '),
      unit,
    ),
  );
}

function answerView(answer, unit) {
  return [
    answer.behind ? h('p', { class: 'warn' }, 'This tenant is busy: the list is a little behind the number.') : null,
    answer.left
      ? h('p', { class: 'note' }, `${answer.left} closed entities have left: they count in the number, but are not in this list.`)
      : null,
    answer.rows ? rowsView(answer, unit) : partView(answer, 'Total', unit),
    answer.version ? h('p', { class: 'note' }, `Found by folding the entities of version ${answer.version} again.`) : null,
  ];
}

function show(query, ...content) {
  morph(
    dialog(),
    h(
      'header',
      {},
      h('div', {}, h('h2', { id: 'explain-title' }, titleOf(query)), h('p', { class: 'note' }, scopeOf(query))),
      h('button', { type: 'button', class: 'icon', 'data-action': 'close', 'aria-label': 'Close' }, '×'),
    ),
    h('div', { class: 'content', tabindex: '0', role: 'region', 'aria-label': 'What is behind it' }, content),
  );
}

let asked = 0; // only the newest question is answered

/** Opens the list behind the number that `query` asks for. */
export async function open(tenant, query, unit) {
  const mine = ++asked;
  show(query, h('p', { class: 'loading' }, 'Looking it up …'));
  if (!dialog().open) dialog().showModal();
  try {
    const answer = await api.explain(tenant, { ...query, by: query.where?.goal ? ['goal'] : [] }); // goals are had one by one
    if (mine === asked) show(query, answerView(answer, unit));
  } catch (error) {
    if (mine === asked) show(query, h('p', { class: 'warn', role: 'alert' }, `This cannot be shown: ${error.message}.`));
  }
}
