// What a chart draws: names, numbers, and for each number the query that explains it. From the model where it has them.

import { isTime } from './catalogue.js';
import { columnName, member, name, numberOf, splitColumn, unitLabel } from './format.js';
import { asked, queryOf } from './model.js';
import { addMonths, trendOf, unitRange, unitsBetween } from './periods.js';

const MEMBERS_MAX = 6; // lines and layers that can be told apart
const BARS_MAX = 12;
const STATS = ['average', 'p50', 'p90', 'p95'];
const ADDITIVE = new Set(['count', 'money']);

/** Of a metric that is not in the catalogue: what its values look like. */
function unitFrom(unit, values) {
  if (unit) return unit;
  return values.some((value) => value !== null && typeof value === 'object') ? 'money' : 'count';
}

/** The dimension a chart goes by; null: none that a chart can show beside time. */
function dimensionOf(chart, model) {
  if (chart.by !== '*') return chart.by ?? null;
  return model.by.find((one) => !isTime(one)) ?? null;
}

const withMember = (view, dimension, value) => ({ ...view, where: { ...view.where, [dimension]: [value] } });

const ask = (context, query) => asked(context.model.view.tenant, query, context.catalogue, context.signal);
const isMine = (context, dimension) => context.model.by.length === 1 && context.model.by[0] === dimension;

async function metricByTime(context, metric, trend) {
  const rows = (await ask(context, queryOf(context.model.view, trend, metric, [trend.unit]))) ?? [];
  return new Map(rows.map((row) => [row[trend.unit], row.value]));
}

function timeSeries(context, { metric, title, view, values, labels, trend }) {
  const unit = unitFrom(context.catalogue.unit(metric), [...values.values()]);
  const empty = unit === 'count' ? 0 : null;
  return {
    name: title,
    unit,
    values: labels.map((label) => (values.has(label) ? numberOf(values.get(label), context.currency, unit) : empty)),
    queries: labels.map((label) => queryOf(view, unitRange(trend.unit, label), metric)),
  };
}

async function trendOfMetrics(context, chart, trend, labels) {
  const answers = await Promise.all(chart.metrics.map((metric) => metricByTime(context, metric, trend)));
  return answers.map((values, i) => {
    const metric = chart.metrics[i];
    return timeSeries(context, { metric, title: columnName(metric), view: context.model.view, values, labels, trend });
  });
}

/** Members in the order in which they matter: as the table has them, else by how much they add up to. */
function rankedMembers(context, dimension, rows) {
  const sums = new Map();
  for (const row of rows) {
    const key = row[dimension] ?? null;
    sums.set(key, (sums.get(key) ?? 0) + Math.abs(numberOf(row.value, context.currency) ?? 0));
  }
  const listed = isMine(context, dimension) ? context.model.rows.map((row) => row[dimension] ?? null).filter((key) => sums.has(key)) : [];
  const rest = [...sums.keys()].filter((key) => !listed.includes(key)).sort((a, b) => sums.get(b) - sums.get(a));
  return [...listed, ...rest];
}

function restOf(context, rows, dimension, trend, labels, shown) {
  const sums = new Map();
  for (const row of rows.filter((one) => !shown.includes(one[dimension] ?? null))) {
    sums.set(row[trend.unit], (sums.get(row[trend.unit]) ?? 0) + (numberOf(row.value, context.currency) ?? 0));
  }
  return { name: 'all others', values: labels.map((label) => sums.get(label) ?? 0), queries: [] };
}

async function trendOfMembers(context, chart, dimension, trend, labels) {
  const { metric } = chart;
  const rows = (await ask(context, queryOf(context.model.view, trend, metric, [dimension, trend.unit]))) ?? [];
  const members = rankedMembers(context, dimension, rows);
  const shown = members.slice(0, MEMBERS_MAX);
  const series = shown.map((value) => {
    const values = new Map(rows.filter((row) => (row[dimension] ?? null) === value).map((row) => [row[trend.unit], row.value]));
    return timeSeries(context, {
      metric,
      title: member(value),
      view: withMember(context.model.view, dimension, value),
      values,
      labels,
      trend,
    });
  });
  const more = members.length > shown.length;
  if (more && series.length && ADDITIVE.has(series[0].unit))
    series.push({ ...restOf(context, rows, dimension, trend, labels, shown), unit: series[0].unit });
  return { series, note: more && !ADDITIVE.has(series[0]?.unit) ? `the first ${shown.length} of ${members.length}` : '' };
}

const KEPT_MIN = 4;

/** Without the units before anything happened: a tenant that is young has no long empty past. */
function fromTheFirst(labels, series) {
  const there = ({ unit, values }, i) => (ADDITIVE.has(unit) ? values[i] : values[i] !== null);
  const first = labels.findIndex((_, i) => series.some((one) => there(one, i)));
  const at = Math.min(Math.max(0, first), Math.max(0, labels.length - KEPT_MIN));
  const cut = series.map((one) => ({ ...one, values: one.values.slice(at), queries: one.queries.slice(at) }));
  return { labels: labels.slice(at), series: cut };
}

async function trend(chart, context) {
  const { model } = context;
  const weekStart = model.document.week_start;
  const span = trendOf(model.range, model.today, weekStart, chart.unit === 'month');
  const labels = unitsBetween(span.unit, span, weekStart);
  const dimension = chart.metrics ? null : dimensionOf(chart, model);
  const metrics = chart.metrics ?? [chart.metric];
  const { series: all, note = '' } = dimension
    ? await trendOfMembers(context, chart, dimension, span, labels)
    : { series: await trendOfMetrics(context, { metrics }, span, labels) };
  const by = { day: 'by day', week: 'by week', month: 'by month' }[span.unit];
  const { labels: shown, series } = fromTheFirst(labels, all);
  return {
    labels: shown.map((label) => unitLabel(span.unit, label)),
    series,
    measure: measureOf(chart),
    axis: { week: 'week beginning', day: '', month: '' }[span.unit],
    about: [dimension ? `${name(chart.metric)} by ${name(dimension).toLowerCase()}` : '', by, note].filter(Boolean).join(', '),
  };
}

/** What the axis of a chart measures, where that is one thing. */
const measureOf = (chart) =>
  (chart.metric ?? (chart.metrics.length === 1 ? chart.metrics[0] : null)) && name(chart.metric ?? chart.metrics[0]);

/** Values of columns ("metric" or "metric.stat") per member: Map member → {column: value}. */
async function membersOf(context, columns, dimension) {
  const { model } = context;
  const mine = isMine(context, dimension);
  const found = new Map(mine ? model.rows.map((row) => [row[dimension] ?? null, { ...row }]) : []);
  const missing = columns.filter((column) => !mine || !model.columns.some((one) => one.name === column));
  const answers = await Promise.all(missing.map((column) => ask(context, queryOf(model.view, model.range, column, [dimension]))));
  answers.forEach((rows, i) => {
    for (const row of rows ?? []) {
      const key = row[dimension] ?? null;
      if (!found.has(key)) found.set(key, {});
      found.get(key)[missing[i]] = row.value;
    }
  });
  return found;
}

function memberSeries(context, column, dimension, members, found) {
  const { metric, stat } = splitColumn(column);
  const values = members.map((key) => found.get(key)[column] ?? null);
  const unit = unitFrom(context.catalogue.unit(metric), values);
  const { view, range } = context.model;
  return {
    name: stat ? ({ average: 'average', p50: 'median' }[stat] ?? stat) : columnName(column),
    unit,
    values: values.map((value) => numberOf(value, context.currency, unit)),
    queries: members.map((key) => (key === '(other)' ? null : queryOf(withMember(view, dimension, key), range, column))),
  };
}

const some = (series) => series.some((one) => one.values.some((value) => value !== null));

async function bars(chart, context) {
  const dimension = dimensionOf(chart, context.model);
  if (!dimension) return null;
  const [goal, found] = [chart.goal, await membersOf(context, chart.metrics.concat(chart.goal ?? []), dimension)];
  const first = (key) => numberOf(found.get(key)[chart.metrics[0]] ?? null, context.currency) ?? -Infinity;
  const order = chart.upright ? (a, b) => String(a).localeCompare(String(b), 'en', { numeric: true }) : (a, b) => first(b) - first(a);
  const all = [...found.keys()].filter((key) => chart.metrics.some((metric) => (found.get(key)[metric] ?? null) !== null)).sort(order);
  const members = all.slice(0, chart.upright ? 24 : BARS_MAX);
  const series = chart.metrics.map((metric) => memberSeries(context, metric, dimension, members, found)).filter((one) => some([one]));
  const goals = goal ? memberSeries(context, goal, dimension, members, found) : null;
  return {
    labels: members.map(member),
    series,
    goals: goals && some([goals]) ? goals.values : null,
    measure: measureOf(chart),
    axis: name(dimension),
    about: [
      `by ${name(dimension).toLowerCase()}`,
      goals && !some([goals]) ? 'no goal is set' : '',
      all.length > members.length ? `the first ${members.length} of ${all.length}` : '',
    ]
      .filter(Boolean)
      .join(', '),
  };
}

async function spread(chart, context) {
  const dimension = dimensionOf(chart, context.model);
  if (!dimension) return null;
  const columns = STATS.map((stat) => `${chart.metric}.${stat}`);
  const found = await membersOf(context, columns, dimension);
  const length = (key) => found.get(key)[columns[1]] ?? -1;
  const members = [...found.keys()]
    .filter((key) => length(key) >= 0)
    .sort((a, b) => length(b) - length(a))
    .slice(0, BARS_MAX);
  const series = columns.map((column) => memberSeries(context, column, dimension, members, found));
  return {
    labels: members.map(member),
    series,
    measure: measureOf(chart),
    axis: name(dimension),
    about: `by ${name(dimension).toLowerCase()}: average, median, p90, p95`,
  };
}

async function funnel(chart, context) {
  const ever = { ...context.model.view, where: {} };
  const [found, chances] = await Promise.all([
    membersOf({ ...context, model: { ...context.model, by: [] } }, [chart.metric, chart.amount], chart.by),
    ask(context, queryOf(ever, null, chart.chance, [chart.by])),
  ]);
  const chance = new Map((chances ?? []).map((row) => [row[chart.by] ?? null, row.value]));
  for (const key of chance.keys()) if (!found.has(key)) found.set(key, {});
  const members = [...found.keys()].sort((a, b) => (chance.get(a) ?? 0) - (chance.get(b) ?? 0));
  const [deals, amounts] = [chart.metric, chart.amount].map((metric) => memberSeries(context, metric, chart.by, members, found));
  return {
    labels: members.map(member),
    series: members.length ? [deals, amounts] : [],
    chances: members.map((key) => chance.get(key) ?? null),
    about: 'by stage, from entry to close, with the probability to win',
  };
}

async function steps(chart, context) {
  const { model } = context;
  const values = await Promise.all(
    chart.metrics.map(async (metric) => {
      if (model.total[metric] !== undefined) return model.total[metric];
      return (await ask(context, queryOf(model.view, model.range, metric)))?.[0]?.value ?? null;
    }),
  );
  const queries = chart.metrics.map((metric) => queryOf(model.view, model.range, metric));
  return {
    labels: chart.metrics.map(columnName),
    series: [{ name: 'count', unit: 'count', values, queries }],
    axis: '',
    about: 'in the period',
  };
}

async function months(chart, context) {
  const begin = `${context.model.today.slice(0, 7)}-01`;
  const span = { unit: 'month', from: addMonths(begin, -chart.back), to: unitRange('month', addMonths(begin, chart.ahead).slice(0, 7)).to };
  const labels = unitsBetween('month', span);
  const all = await trendOfMetrics(context, { metrics: [...chart.metrics, chart.goal] }, span, labels);
  const has = (i) => all.some((one) => one.values[i]);
  const [first, last] = [labels.findIndex((_, i) => has(i)), labels.findLastIndex((_, i) => has(i))];
  const cut = all.map((one) => ({ ...one, values: one.values.slice(first, last + 1), queries: one.queries.slice(first, last + 1) }));
  const goals = cut.pop();
  return {
    labels: first < 0 ? [] : labels.slice(first, last + 1).map((label) => unitLabel('month', label)),
    series: cut,
    goals: some([goals]) ? goals.values : null,
    axis: '',
    about: 'by the month of the win, or of the expected close',
  };
}

const NOTHING = async () => ({ labels: [], series: [], about: '' });
const SOURCES = { trend, bars, spread, funnel, steps, months, progress: NOTHING, findings: NOTHING, deals: NOTHING };

/**
 * {labels, series: [{name, unit, values, queries}], axis, about, …} of a chart; null: it does not fit this view.
 * context: {model, currency, catalogue, signal}
 */
export const seriesOf = (chart, context) => SOURCES[chart.kind](chart, context);

/** The last values of a metric, for the small line beside its number; null: it has no past. */
export async function sparkOf(column, context) {
  const { model } = context;
  const weekStart = model.document.week_start;
  const span = trendOf(model.range, model.today, weekStart);
  const rows = await ask(context, queryOf(model.view, span, column, [span.unit]));
  if (!rows) return null;
  const values = new Map(rows.map((row) => [row[span.unit], numberOf(row.value, context.currency, column.unit)]));
  return unitsBetween(span.unit, span, weekStart).map((label) => values.get(label) ?? (column.unit === 'count' ? 0 : null));
}
