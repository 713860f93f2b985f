// What clicks, choices and keys do. Elements name it: `data-action`, `data-input`, `data-form`.

import { writeAddress } from './address.js';
import { csv, save } from './csv.js';
import { element, openQuery, render } from './draw.js';
import * as filter from './filter.js';
import { app } from './state.js';
import { sorted } from './table.js';
import * as token from './token.js';

const THEME = 'crm-reportd.theme';

/** The colours that were chosen last. */
export function recallTheme() {
  app.theme = localStorage.getItem(THEME) ?? '';
}

/** Another view: into the address, from where it is read. */
function go(change) {
  location.hash = writeAddress({ ...app.view, ...change });
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
  const copied = await navigator.clipboard.writeText(location.href).then(
    () => true,
    () => false,
  );
  button.textContent = copied ? 'Copied' : 'It is the address above';
  setTimeout(render, 1500);
}

const NEXT_THEME = { '': 'light', light: 'dark', dark: '' };

function changeTheme() {
  app.theme = NEXT_THEME[app.theme] ?? '';
  localStorage.setItem(THEME, app.theme);
  render();
}

function download() {
  const { model } = app;
  const { view } = model;
  const days = model.range ? `${model.range.from}_${model.range.to}` : 'all';
  save(csv(model, sorted(model)), `${view.tenant}-${view.report}-${view.by || 'total'}-${days}.csv`);
}

function without(dimension) {
  const { [dimension]: _, ...where } = app.view.where;
  return where;
}

/** What was read by another token is not to be seen any more: all begins anew, where the address says. */
function enter({ elements }) {
  const given = elements.token.value.trim();
  if (!token.isOne(given)) return elements.token.setCustomValidity('A token has no spaces and no letters beyond ASCII') ?? elements.token.reportValidity();
  token.keep(given, elements.remember.checked);
  location.reload();
}

function leave() {
  token.forget();
  location.hash = '';
  location.reload();
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
  forget: leave,
  again: () => dispatchEvent(new Event('hashchange')),
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
  if (event.target.dataset.form !== 'token') return;
  event.preventDefault();
  enter(event.target);
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

/** From now on the page does what it is asked. */
export function listen() {
  document.addEventListener('click', onClick);
  document.addEventListener('submit', onSubmit);
  document.addEventListener('keydown', onKey);
  document.addEventListener('change', ({ target }) => INPUTS[target.dataset.input]?.(target.value));
  document.addEventListener('input', ({ target }) => {
    if (target.dataset.input === 'filter-search') filter.search(target.value);
    if (target.name === 'token') target.setCustomValidity('');
  });
}
