// Rules that are raised now, above everything else.

import { h } from './dom.js';
import { columnName, lines, member, name } from './format.js';
import { number } from './figure.js';
import { displayUnit } from './reports.js';

const LIMITS = { above: 'above', below: 'below', change_above: 'above', change_below: 'below' };

/** A threshold in words: "above 16 h", "a change below -20 %". The value that a rule tells is the one that raised it. */
function limitOf(alert, unit) {
  const [key, word] = Object.entries(LIMITS).find(([one]) => typeof alert[one] === 'number') ?? [];
  if (!key) return '';
  if (key.startsWith('change_')) return `a change ${word} ${lines(alert[key], 'ratio')}`;
  return `${word} ${lines(unit === 'money' ? { [alert.currency]: alert[key] } : alert[key], unit)}`;
}

/** The query whose answer the rule watches. */
function queryOf({ metric, stat, from, to, row, where = {} }) {
  const members = Object.entries(row ?? {}).map(([dimension, value]) => [dimension, [value]]);
  return {
    metric,
    by: [],
    ...(stat ? { stat } : {}),
    ...(from && to ? { from, to } : {}),
    where: { ...where, ...Object.fromEntries(members) },
  };
}

const wordOf = (one) => (typeof one === 'number' && one > 0 ? `+${lines(one, 'ratio')}` : lines(one, 'ratio'));

function item(alert) {
  const unit = displayUnit(alert.metric, alert.unit);
  const members = Object.values(alert.row ?? {})
    .map(member)
    .join(', ');
  const title = columnName(alert.stat ? `${alert.metric}.${alert.stat}` : alert.metric);
  const moved = typeof alert.change === 'number' ? ` (${wordOf(alert.change)})` : '';
  const value = unit === 'money' && typeof alert.value === 'number' ? { [alert.currency]: alert.value } : alert.value;
  return h(
    'li',
    { 'data-key': `${alert.rule}/${JSON.stringify(alert.row)}` },
    h('strong', {}, name(alert.rule)),
    h(
      'span',
      {},
      `${[title, members, name(alert.period).toLowerCase()].filter(Boolean).join(', ')}: `,
      number(value, unit, queryOf(alert), { of: `alert ${alert.rule}` }),
      `${moved} when it was raised; the limit is ${limitOf(alert, unit)}`,
    ),
    alert.description ? h('span', { class: 'note' }, alert.description) : null,
  );
}

/** null: nothing is raised. */
export function alerts(list) {
  if (!list?.length) return null;
  return h(
    'section',
    { class: 'alerts', role: 'status', 'aria-label': 'Alerts', 'data-key': 'alerts' },
    h('h2', {}, `${list.length} ${list.length === 1 ? 'alert' : 'alerts'}`),
    h('ul', {}, list.map(item)),
  );
}
