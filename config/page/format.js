// Numbers, money, durations, dates and names as people read them. A value that is not there is "–", never 0.

export const NONE = '–';

const cache = new Map();
function numberFormat(options) {
  const key = JSON.stringify(options);
  if (!cache.has(key)) cache.set(key, new Intl.NumberFormat(undefined, options));
  return cache.get(key);
}

function moneyFormat(currency, options) {
  try {
    return numberFormat({ style: 'currency', currency, currencyDisplay: 'narrowSymbol', ...options });
  } catch {
    return numberFormat({ minimumFractionDigits: 2, ...options }); // not a currency that the browser knows
  }
}

const THOUSANDS = { notation: 'compact', maximumFractionDigits: 1 };
const WHOLE = { minimumFractionDigits: 0, maximumFractionDigits: 0 };

/** Amount in one currency. Where space is short (`compact`) whole amounts lose their ",00", thousands all but a digit. */
export function money(amount, currency, compact = false) {
  const short = Math.abs(amount) >= 1000 ? THOUSANDS : Number.isInteger(amount) ? WHOLE : {};
  return moneyFormat(currency, compact ? short : {}).format(amount);
}

const plain = (digits) => (value, compact) =>
  numberFormat(compact ? { notation: 'compact', maximumFractionDigits: 1 } : { maximumFractionDigits: digits }).format(value);
const fixed =
  (digits, suffix = '') =>
  (value) =>
    numberFormat({ minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value) + suffix;
const percent = (value) => numberFormat({ style: 'percent', minimumFractionDigits: 1, maximumFractionDigits: 1 }).format(value);

const SIZES = [
  [86400, 'd'],
  [3600, 'h'],
  [60, 'min'],
  [1, 's'],
]; // of seconds

/** A duration in the largest of these that makes it 1 or more; `of`: seconds of its unit. */
const duration = (of) => (value) => {
  const seconds = value * of;
  const [size, sign] = SIZES.find(([least]) => Math.abs(seconds) >= least) ?? SIZES.at(-1);
  return `${numberFormat({ maximumFractionDigits: seconds / size < 10 ? 1 : 0 }).format(seconds / size)} ${sign}`;
};

// unit → how one number is written, its name in a heading
const UNITS = {
  count: { write: plain(2), heading: '' },
  number: { write: plain(2), heading: '' },
  ratio: { write: percent, heading: '' },
  quotient: { write: fixed(2), heading: '' },
  score: { write: fixed(2), heading: 'score' },
  days: { write: duration(86400), heading: 'days' },
  hours: { write: duration(3600), heading: 'hours' },
  minutes: { write: duration(60), heading: 'minutes' },
  seconds: { write: duration(1), heading: 'seconds' },
  milliseconds: { write: duration(0.001), heading: 'ms' },
};
const unitOf = (unit) => UNITS[unit] ?? UNITS.number;

export const isMoney = (value) => value !== null && typeof value === 'object';

/** The lines of a value: one, or one per currency. */
export function lines(value, unit, compact = false) {
  if (value === null || value === undefined || value === '') return [NONE];
  if (!isMoney(value)) return [unit === 'money' ? NONE : typeof value === 'number' ? unitOf(unit).write(value, compact) : String(value)];
  const entries = Object.entries(value);
  if (!entries.length) return [unit === 'money' ? '0' : NONE];
  if (unit === 'ratio' && entries.length === 1) return [percent(entries[0][1])];
  return entries.map(([currency, amount]) => (unit === 'ratio' ? `${percent(amount)} ${currency}` : money(amount, currency, compact)));
}

export const write = (value, unit, compact = false) => lines(value, unit, compact).join(', ');

/** One number of a value, for drawing: money in `currency`, of which nothing at all is 0. null: there is none. */
export function numberOf(value, currency, unit = 'money') {
  if (value === null || value === undefined) return null;
  if (isMoney(value)) return value[currency] ?? (unit !== 'money' || Object.keys(value).length ? null : 0);
  return typeof value === 'number' ? value : null;
}

/** What an axis has to say beside its ticks: of a duration its unit; money and shares say it on each tick. */
export const unitHeading = (unit) => (unit === 'money' ? '' : unitOf(unit).heading);

/** A number of a chart: `unit` and `currency` as above. */
export function point(value, unit, currency, compact = false) {
  if (value === null || value === undefined) return NONE;
  return unit === 'money' ? money(value, currency, compact) : unitOf(unit).write(value, compact);
}

/** A tick of an axis: short, without what the axis' title says already. */
export function tick(value, unit, currency) {
  if (unit === 'ratio') return numberFormat({ style: 'percent', maximumFractionDigits: 1 }).format(value);
  if (unit === 'money') return money(value, currency, true);
  if (Math.abs(value) < 1) return numberFormat({ maximumSignificantDigits: 2 }).format(value); // three minutes on an axis of hours
  return plain(1)(value, Math.abs(value) >= 10000);
}

const signed = (value, options) => numberFormat({ signDisplay: 'exceptZero', ...options }).format(value);

/** The way from one number to another: {text, sign}; null: not comparable. Ratios in points, all else in per cent. */
export function change(now, before, unit, currency) {
  const [after, from] = [numberOf(now, currency, unit), numberOf(before, currency, unit)];
  if (after === null || from === null) return null;
  const sign = Math.sign(unit === 'ratio' ? Math.round((after - from) * 1000) : after - from);
  if (!sign) return { text: '±0', sign };
  if (unit === 'ratio') return { text: `${signed((after - from) * 100, { maximumFractionDigits: 1 })} pp`, sign };
  if (from === 0) return null;
  return {
    text: signed((after - from) / Math.abs(from), { style: 'percent', maximumFractionDigits: Math.abs(after / from - 1) < 0.1 ? 1 : 0 }),
    sign,
  };
}

const dates = new Map();
function dateFormat(name, options) {
  if (!dates.has(name)) dates.set(name, new Intl.DateTimeFormat(undefined, { timeZone: 'UTC', ...options }));
  return dates.get(name);
}
const instantOf = (day) => new Date(`${day}T00:00:00Z`);

/** "1 – 30 Nov 2026" */
export function range({ from, to } = {}) {
  if (!from || !to) return 'all dates';
  return dateFormat('range', { day: 'numeric', month: 'short', year: 'numeric' }).formatRange(instantOf(from), instantOf(to));
}

const UNIT_LABELS = {
  day: (label) => dateFormat('day', { day: 'numeric', month: 'short' }).format(instantOf(label)),
  month: (label) => dateFormat('month', { month: 'short', year: '2-digit' }).format(instantOf(`${label}-01`)),
};
UNIT_LABELS.week = UNIT_LABELS.day;

/** A label of a unit of time, as on an axis. */
export const unitLabel = (unit, label) => (label === null ? NONE : (UNIT_LABELS[unit]?.(label) ?? label));

/** The time of day of an instant, in the tenant's zone. */
export const clock = (instant, timeZone) =>
  new Intl.DateTimeFormat(undefined, { timeZone, hour: '2-digit', minute: '2-digit', second: '2-digit' }).format(new Date(instant));

// Words that are not what their letters say.
const WORDS = { roi: 'ROI', sla: 'SLA', crm: 'CRM', p50: 'median', p90: 'p90', p95: 'p95', average: 'average' };

// Those that belong together.
const PAIRS = [
  [/same_day/, 'same-day'],
  [/cross_sell/, 'cross-sell'],
  [/up_sell/, 'up-sell'],
];
const paired = (text) => PAIRS.reduce((all, [from, to]) => all.replace(from, to), text);

/** won_deals → "Won deals" */
export function name(text) {
  const words = paired(text.replace(/^custom\./, ''))
    .split(/[_\s]+/)
    .map((word) => WORDS[word] ?? word);
  const joined = words.join(' ');
  return joined.charAt(0).toUpperCase() + joined.slice(1);
}

/** What a value of a dimension is called: ids stay as they are, only nothing gets a name. */
export const member = (value) => (value === null || value === undefined ? '(none)' : value);

/** "sales_cycle.p90" → {metric, stat} */
export function splitColumn(column) {
  const at = column.lastIndexOf('.');
  const stat = at > 0 ? column.slice(at + 1) : '';
  return ['average', 'p50', 'p90', 'p95'].includes(stat) ? { metric: column.slice(0, at), stat } : { metric: column, stat: null };
}

/** "sales_cycle.p90" → "Sales cycle, p90" */
export function columnName(column) {
  const { metric, stat } = splitColumn(column);
  return stat ? `${name(metric)}, ${WORDS[stat]}` : name(metric);
}
