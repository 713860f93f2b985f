// The filter: a dimension, its members, which of them count.

import * as api from './api.js';
import { isTime } from './catalogue.js';
import { h, morph } from './dom.js';
import { member, name } from './format.js';
import { queryOf } from './model.js';

const dialog = () => document.getElementById('filter');
const SHOWN_MAX = 300;

let state = null; // {model, catalogue, dimension, members: [] or null (loading), search, refused}

/** Dimensions that this report can be narrowed by. */
function dimensionsOf(model, catalogue) {
  const own = model.document.sections.flatMap((section) => section.by);
  const known = model.columns.flatMap((column) => catalogue.dimensions(column.metric));
  return [...new Set([...own, ...Object.keys(model.view.where), ...known])].filter((one) => !isTime(one));
}

const chosen = () => state.model.view.where[state.dimension] ?? [];

/** Members that the report's first metric of that dimension knows, at any time. */
async function membersOf(model, catalogue, dimension) {
  const query = (column) => queryOf({ ...model.view, where: {} }, null, column, [dimension]);
  const column = model.columns.find((one) => catalogue.allows(query(one)));
  const rows = column ? await api.query(model.view.tenant, query(column)) : [];
  return rows.map((row) => row[dimension] ?? null);
}

function choice(value) {
  const key = JSON.stringify(value);
  return h(
    'li',
    { 'data-key': key },
    h(
      'label',
      {},
      h('input', { type: 'checkbox', name: 'member', value: key, checked: chosen().includes(value) }),
      h('span', {}, member(value)),
    ),
  );
}

function list() {
  if (!state.members) return h('p', { class: 'loading' }, state.refused ? 'This cannot be looked up now.' : 'Looking it up …');
  const wanted = state.members.filter((value) => member(value).toLowerCase().includes(state.search.toLowerCase()));
  if (!wanted.length) return h('p', { class: 'empty' }, 'None.');
  return h('ul', { class: 'choices' }, wanted.slice(0, SHOWN_MAX).map(choice));
}

function draw() {
  const dimensions = dimensionsOf(state.model, state.catalogue).map((one) =>
    h('option', { value: one, selected: one === state.dimension }, name(one)),
  );
  morph(
    dialog(),
    h(
      'form',
      { method: 'dialog', 'data-form': 'filter' },
      h(
        'header',
        {},
        h('h2', { id: 'filter-title' }, 'Filter'),
        h('button', { type: 'button', class: 'icon', 'data-action': 'close', 'aria-label': 'Close' }, '×'),
      ),
      h(
        'div',
        { class: 'fields' },
        h('label', {}, h('span', {}, 'By'), h('select', { 'data-input': 'filter-dimension' }, dimensions)),
        h(
          'label',
          {},
          h('span', {}, 'Search'),
          h('input', { type: 'search', 'data-input': 'filter-search', value: state.search, autocomplete: 'off' }),
        ),
      ),
      h('div', { class: 'content', tabindex: '0', role: 'region', 'aria-label': 'Members' }, list()),
      h(
        'footer',
        {},
        h('button', { type: 'button', 'data-action': 'filter-none' }, 'Clear'),
        h('button', { type: 'submit', class: 'primary' }, 'Apply'),
      ),
    ),
  );
}

export async function choose(dimension) {
  const { model, catalogue } = state;
  state = { model, catalogue, dimension, members: null, search: '', refused: false };
  draw();
  const members = await membersOf(model, catalogue, dimension).catch(() => null);
  if (state.dimension !== dimension) return;
  Object.assign(state, { members, refused: !members });
  draw();
}

export function search(text) {
  state.search = text;
  draw();
}

export function open(model, catalogue) {
  state = { model, catalogue };
  choose(Object.keys(model.view.where)[0] ?? dimensionsOf(model, catalogue)[0]);
  dialog().showModal();
}

/** The `where` that the dialog's choices come to. */
export function result() {
  const boxes = [...dialog().querySelectorAll('input[name=member]')];
  const shown = boxes.map((box) => JSON.parse(box.value));
  const hidden = chosen().filter((value) => !shown.includes(value));
  const values = [...hidden, ...boxes.filter((box) => box.checked).map((box) => JSON.parse(box.value))];
  const { [state.dimension]: _, ...rest } = state.model.view.where;
  return values.length ? { ...rest, [state.dimension]: values } : rest;
}

export function clear() {
  for (const box of dialog().querySelectorAll('input[name=member]')) box.checked = false;
}
