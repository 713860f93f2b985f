// Rules that are raised now, above everything else.

import { h } from './dom.js';
import { columnName, lines, name } from './format.js';

const textOf = (value) => (value === null || value === undefined ? '' : lines(value, typeof value === 'number' && value > 0 && value < 1 ? 'ratio' : 'number').join(', '));

/** What a rule wants, in words; a rule names one of these limits. */
const LIMITS = { above: 'above', below: 'below', change_above: 'changed by more than' };

function sentence(alert) {
  const [limit, word] = Object.entries(LIMITS).find(([key]) => alert[key] !== undefined && alert[key] !== null) ?? [];
  const metric = alert.metric ? columnName(alert.metric) : '';
  return [metric, alert.period ? name(alert.period).toLowerCase() : '', textOf(alert.value), word ? `(${word} ${textOf(alert[limit])})` : ''].filter(Boolean).join(' ');
}

const memberOf = (row) => Object.values(row ?? {}).filter((value) => value !== null).join(', ');

function item(alert) {
  const label = alert.rule ?? alert.name ?? alert.metric;
  const since = alert.since ?? alert.time ?? alert.raised_at;
  return h('li', { 'data-key': alert.id ?? `${label}/${memberOf(alert.row)}` }, h('strong', {}, label), ' ', memberOf(alert.row) ? h('span', {}, memberOf(alert.row), ' ') : null, h('span', {}, sentence(alert)),
    since ? h('time', { datetime: since, class: 'note' }, ` since ${new Date(since).toLocaleString()}`) : null);
}

/** null: nothing is raised. */
export function alerts(list) {
  if (!list?.length) return null;
  return h('section', { class: 'alerts', role: 'status', 'aria-label': 'Alerts', 'data-key': 'alerts' }, h('h2', {}, `${list.length} ${list.length === 1 ? 'alert' : 'alerts'}`), h('ul', {}, list.map(item)));
}
