// What is looked at, as an address: a link shows another person the same thing. It is the part behind #, which no server sees.

const LISTED = ['tenant', 'report', 'period', 'from', 'to', 'by', 'compare', 'currency', 'sort'];
const DEFAULTS = { compare: 'previous' };
const WHERE = 'where.';

// null is a value of a dimension, too ("no owner"): ~null; a text that begins with ~ gets another one in front.
const encode = (value) => (value === null ? '~null' : value.startsWith('~') ? `~${value}` : value);
const decode = (text) => (text === '~null' ? null : text.startsWith('~') ? text.slice(1) : text);

/** The view an address tells: {tenant, report, period, from, to, by, compare, currency, sort, where: {dimension: [values]}}. */
export function readAddress(hash) {
  const parameters = new URLSearchParams(hash.replace(/^#/, ''));
  const view = { where: {}, ...DEFAULTS };
  for (const key of LISTED) {
    if (parameters.get(key)) view[key] = parameters.get(key);
  }
  for (const [key, value] of parameters) {
    if (key.startsWith(WHERE)) (view.where[key.slice(WHERE.length)] ??= []).push(decode(value));
  }
  return view;
}

export function writeAddress(view) {
  const parameters = new URLSearchParams();
  for (const key of LISTED) {
    if (view[key] && view[key] !== DEFAULTS[key]) parameters.set(key, view[key]);
  }
  for (const [dimension, values] of Object.entries(view.where)) {
    for (const value of values) parameters.append(WHERE + dimension, encode(value));
  }
  return `#${parameters}`;
}
