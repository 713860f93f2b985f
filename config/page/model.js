// The numbers of a view: from the report's snapshot where it holds them, else from queries, in one and the same shape.

import * as api from './api.js';
import { splitColumn } from './format.js';
import { comparedRange, dayAt, isDay, PERIODS, rangeOf } from './periods.js';
import { displayUnit, presentation } from './reports.js';

const isDimension = (column) => column.role === 'dimension';
export const keyOf = (row, by) => JSON.stringify(by.map((dimension) => row[dimension] ?? null));
const sectionOf = (document, by) => document.sections.find((section) => section.by.join() === by) ?? null;
const otherRow = (row, by) => by.some((dimension) => row[dimension] === '(other)');

function columnsOf(section) {
  return section.columns
    .filter((column) => !isDimension(column))
    .map((column) => ({ name: column.name, ...splitColumn(column.name), unit: displayUnit(column.name, column.unit) }));
}

/** {from, to} of the view's period; null: all dates. */
function rangeOfView(view, document, today, tenant) {
  if (isDay(view.from) && isDay(view.to)) return { from: view.from, to: view.to };
  const listed = document.sections.flatMap((section) => section.periods).find((period) => period.name === view.period);
  if (listed) return isDay(listed.from) ? { from: listed.from, to: listed.to } : null;
  return rangeOf(view.period, today, tenant);
}

/** What a query needs of a view: its range and filter. `range` null: all dates. */
export function queryOf(view, range, column, by = []) {
  const { metric, stat } = typeof column === 'string' ? splitColumn(column) : column;
  const query = { metric, by };
  if (stat) query.stat = stat;
  if (range) Object.assign(query, { from: range.from, to: range.to });
  if (Object.keys(view.where).length) query.where = view.where;
  return query;
}

/** Rows of a query; null: the metric cannot be asked like that. */
export const asked = async (tenant, query, catalogue, signal) => (catalogue.allows(query) ? api.query(tenant, query, signal) : null);

async function queriedRows(view, range, columns, by, { catalogue, signal }) {
  const answers = await Promise.all(columns.map((column) => asked(view.tenant, queryOf(view, range, column, by), catalogue, signal)));
  const rows = new Map();
  answers.forEach((answer, i) => {
    for (const { value, ...members } of answer ?? []) {
      const key = keyOf(members, by);
      if (!rows.has(key)) rows.set(key, { ...members });
      rows.get(key)[columns[i].name] = value;
    }
  });
  return rows;
}

const withoutShare = (columns) => columns.filter((column) => column.metric !== 'share');

/** All columns of a range, as a total and rows by key. */
async function queried(view, range, columns, by, how) {
  const [rows, total] = await Promise.all([
    by.length ? queriedRows(view, range, withoutShare(columns), by, how) : new Map(),
    queriedRows(view, range, withoutShare(columns), [], how),
  ]);
  return { rows, total: total.get('[]') ?? {} };
}

function addShares(columns, { rows, total }) {
  const first = columns[0]?.name;
  if (!columns.some((column) => column.metric === 'share') || typeof total[first] !== 'number') return;
  for (const row of [...rows.values(), total]) row.share = total[first] ? (row[first] ?? 0) / total[first] : null;
}

const sumOf = (value) =>
  value !== null && typeof value === 'object' ? Object.values(value).reduce((sum, one) => sum + one, 0) : (value ?? -Infinity);
const byFirst = (columns) => (a, b) => sumOf(b[columns[0]?.name]) - sumOf(a[columns[0]?.name]);

async function fromQueries(view, range, columns, by, how) {
  const found = await queried(view, range, columns, by, how);
  addShares(columns, found);
  return { source: 'query', total: found.total, rows: [...found.rows.values()].sort(byFirst(columns)) };
}

/** The snapshot's numbers of the view; null: it does not hold them. */
function fromSnapshot(view, section) {
  if (!section || view.from || Object.keys(view.where).length) return null;
  const period = section.periods.find((one) => one.name === view.period);
  return period ? { source: 'report', total: period.total, rows: period.rows, snapshotPeriod: period } : null;
}

async function comparison(view, range, columns, by, how) {
  const before = comparedRange(view.compare, view.from ? null : view.period, range);
  const dated = columns.filter((column) => how.catalogue.dated(column.metric));
  if (!before || !dated.length) return null;
  return { ...(await queried(view, before, dated, by, how)), range: before };
}

/** What a view leaves open is as the report has it: the grouping that fits it best, this month or its first period.
 * A period that is none is left open, too: its numbers would be those of all dates. */
export function completed(view, document) {
  const usual = sectionOf(document, presentation(view.report, []).by) ?? document.sections[0];
  const by = view.by ?? usual.by.join();
  const periods = (sectionOf(document, by) ?? document.sections[0]).periods.map((period) => period.name);
  const chosen = isDay(view.from) && isDay(view.to) && view.from <= view.to;
  const named = PERIODS.includes(view.period) || periods.includes(view.period);
  const period = named ? view.period : periods.includes('this_month') ? 'this_month' : periods[0];
  return chosen ? { ...view, by, period: 'custom' } : { ...view, by, period, from: undefined, to: undefined };
}

/**
 * The model of a view; `how` is {catalogue, signal}:
 *   view, document     as given, the view completed
 *   by, columns        dimensions; {name, metric, stat, unit} of the numbers
 *   total, rows        numbers by column name; rows also hold their dimensions
 *   before             null or {range, total, rows: Map by keyOf()} of what it is compared with
 *   range, today       {from, to} or null (all dates); the tenant's day
 *   source             'report' or 'query'
 */
export async function load(view, document, tenant, how) {
  const full = completed(view, document);
  const section = sectionOf(document, full.by);
  const columns = columnsOf(section ?? document.sections[0]);
  const by = full.by ? full.by.split(',') : [];
  const today = dayAt(document.as_of, document.time_zone);
  const range = rangeOfView(full, document, today, tenant);
  const numbers = fromSnapshot(full, section) ?? (await fromQueries(full, range, columns, by, how));
  return { view: full, document, by, columns, range, today, before: null, ...numbers };
}

/** What the model is compared with, which is worth waiting for a little longer. */
export const loadBefore = (model, how) => comparison(model.view, model.range, model.columns, model.by, how);

/** Currencies of the model's money, the largest first. */
export function currenciesOf(model) {
  const sums = new Map();
  const names = model.columns.filter((column) => column.unit === 'money').map((column) => column.name);
  for (const name of names) {
    for (const [currency, amount] of Object.entries(model.total[name] ?? {}))
      sums.set(currency, Math.max(sums.get(currency) ?? 0, Math.abs(amount)));
  }
  return [...sums].sort((a, b) => b[1] - a[1]).map(([currency]) => currency);
}

export const isOther = (model, row) => otherRow(row, model.by);
