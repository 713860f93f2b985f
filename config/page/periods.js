// Days and periods of a tenant's calendar. Days are texts (2026-03-02); arithmetic is in UTC, where every day has 24 hours.

const DAY_MS = 86400000;
const WEEKDAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];

const toDate = (day) => new Date(`${day}T00:00:00Z`);
const toDay = (date) => date.toISOString().slice(0, 10);
export const addDays = (day, days) => toDay(new Date(toDate(day).getTime() + days * DAY_MS));
export const daysBetween = (from, to) => Math.round((toDate(to) - toDate(from)) / DAY_MS);
export const isDay = (text) =>
  /^\d{4}-\d\d-\d\d$/.test(text ?? '') && !Number.isNaN(toDate(text).getTime()) && toDay(toDate(text)) === text;
const monthBegin = (day) => `${day.slice(0, 7)}-01`;
const monthEnd = (day) => addDays(addMonths(monthBegin(day), 1), -1);
const sooner = (a, b) => (a < b ? a : b);

/** The day that many months later; the 31st becomes the last of a shorter month. */
export function addMonths(day, months) {
  const [year, month, date] = day.split('-').map(Number);
  const first = new Date(Date.UTC(year, month - 1 + months, 1));
  const last = new Date(Date.UTC(first.getUTCFullYear(), first.getUTCMonth() + 1, 0)).getUTCDate();
  first.setUTCDate(Math.min(date, last));
  return toDay(first);
}

/** The tenant's day at an instant. */
export function dayAt(instant, timeZone) {
  const parts = new Intl.DateTimeFormat('en', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' }).formatToParts(
    new Date(instant),
  );
  const part = (type) => parts.find((one) => one.type === type).value;
  return `${part('year')}-${part('month')}-${part('day')}`;
}

function weekOf(day, weekStart, weeks = 0) {
  const first = Math.max(0, WEEKDAYS.indexOf(weekStart));
  const from = addDays(day, -((toDate(day).getUTCDay() - first + 7) % 7) + 7 * weeks);
  return { from, to: addDays(from, 6) };
}

function monthOf(day, months = 0) {
  const from = addMonths(monthBegin(day), months);
  return { from, to: monthEnd(from) };
}

const lastDays = (days) => (today) => ({ from: addDays(today, 1 - days), to: today });
const oneDay = (away) => (today) => ({ from: addDays(today, away), to: addDays(today, away) });

/** The fiscal quarter or year (`months` long) of a day; `away`: so many later. */
const fiscal =
  (months, away) =>
  (today, { fiscal_year_start: start = 1 }) => {
    const past = (((Number(today.slice(5, 7)) - start) % months) + months) % months;
    const from = addMonths(monthBegin(today), away * months - past);
    return { from, to: addDays(addMonths(from, months), -1) };
  };

// name → (today, tenant) → {from, to}
const COMPUTED = {
  today: oneDay(0),
  yesterday: oneDay(-1),
  tomorrow: oneDay(1),
  this_week: (today, tenant) => weekOf(today, tenant.week_start),
  last_week: (today, tenant) => weekOf(today, tenant.week_start, -1),
  next_week: (today, tenant) => weekOf(today, tenant.week_start, 1),
  this_month: (today) => monthOf(today),
  last_month: (today) => monthOf(today, -1),
  next_month: (today) => monthOf(today, 1),
  this_quarter: fiscal(3, 0),
  last_quarter: fiscal(3, -1),
  next_quarter: fiscal(3, 1),
  this_year: fiscal(12, 0),
  last_year: fiscal(12, -1),
  next_year: fiscal(12, 1),
  last_7_days: lastDays(7),
  last_30_days: lastDays(30),
  last_90_days: lastDays(90),
};

/** All periods by name, in the order in which they are offered; `all` has no days. */
export const PERIODS = [...Object.keys(COMPUTED), 'all'];

/** {from, to} of a period by name, as the tenant ({week_start, fiscal_year_start}) has it; null: all dates. */
export const rangeOf = (name, today, tenant) => COMPUTED[name]?.(today, tenant) ?? null;

const MONTHS_OF = { month: 1, quarter: 3, year: 12 };
const monthsOf = (name) => MONTHS_OF[(name ?? '').split('_')[1]] ?? 0;

/** The period before of the same kind and length; null: there is none. */
export function previousOf(name, { from, to } = {}) {
  if (!isDay(from) || !isDay(to)) return null;
  const months = monthsOf(name);
  return { from: months ? addMonths(from, -months) : addDays(from, -daysBetween(from, to) - 1), to: addDays(from, -1) };
}

/** The same period a year earlier; null: there is none. */
export function lastYearOf(name, { from, to } = {}) {
  if (!isDay(from) || !isDay(to)) return null;
  return { from: addMonths(from, -12), to: monthsOf(name) ? monthEnd(addMonths(to, -12)) : addMonths(to, -12) };
}

const SHIFTS = { previous: previousOf, year: lastYearOf };
export const comparedRange = (compare, name, range) => SHIFTS[compare]?.(name, range ?? {}) ?? null;

// How far back a development is shown, by the length of the period that is looked at.
const TRENDS = [
  { upTo: 14, unit: 'day', from: (to) => addDays(to, -29) },
  { upTo: 45, unit: 'week', from: (to, weekStart) => weekOf(addDays(to, -7 * 12), weekStart).from },
  { upTo: 100, unit: 'month', from: (to) => addMonths(monthBegin(to), -11) },
  { upTo: Infinity, unit: 'month', from: (to) => addMonths(monthBegin(to), -23) },
];

const UNIT_ENDS = { day: (day) => day, week: (day, weekStart) => weekOf(day, weekStart).to, month: monthEnd };

/** {unit, from, to} of the development that leads to a period, in whole units, the last begun by today. A missing range is
 * the last year; `coarse`: by month at the finest. */
export function trendOf(range, today, weekStart, coarse = false) {
  const known = isDay(range?.from) && isDay(range?.to) ? range : { from: addMonths(today, -11), to: today };
  const to = sooner(known.to, today);
  const { unit, from } = TRENDS.find((row) => daysBetween(known.from, known.to) < row.upTo && (!coarse || row.unit === 'month'));
  const begin = { day: (day) => day, week: (day) => weekOf(day, weekStart).from, month: monthBegin }[unit];
  return { unit, from: begin(sooner(from(to, weekStart), known.from)), to: UNIT_ENDS[unit](to, weekStart) };
}

const FIRST_DAYS = {
  day: (label) => label,
  week: (label) => label,
  month: (label) => `${label}-01`,
};

/** Labels of all units from…to: what has no row is a gap, not left out. */
export function unitsBetween(unit, { from, to }, weekStart) {
  const labels = [];
  const step = { day: (day) => addDays(day, 1), week: (day) => addDays(day, 7), month: (day) => addMonths(day, 1) }[unit];
  const begin = { day: from, week: weekOf(from, weekStart).from, month: monthBegin(from) }[unit];
  for (let day = begin; day <= to && labels.length < 400; day = step(day)) labels.push(unit === 'month' ? day.slice(0, 7) : day);
  return labels;
}

/** {from, to} of one unit, for asking what is behind a point of a development. */
export function unitRange(unit, label) {
  const from = FIRST_DAYS[unit](label);
  const to = { day: from, week: addDays(from, 6), month: monthEnd(from) }[unit];
  return { from, to };
}
