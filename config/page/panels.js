// Charts that are elements of the page and not drawings: the funnel, goals, findings of the audit, open deals.

import { h } from './dom.js';
import { columnName, member, NONE, write } from './format.js';
import { number, queryBehind } from './figure.js';
import { FINDINGS } from './reports.js';

/** A bar as long as its share; lengths are set when it is shown (`data-size`, see sizeBars). */
const meter = (share, kind = '') =>
  h(
    'span',
    { class: `meter ${kind}`, 'aria-hidden': 'true' },
    h('span', { class: 'fill', 'data-size': Math.max(0, Math.min(1, share || 0)).toFixed(4) }),
  );

/** Gives bars their length: a style of an element, which a strict policy allows to scripts and not to markup. */
export function sizeBars(root) {
  for (const fill of root.querySelectorAll('[data-size]')) fill.style.setProperty('--size', fill.dataset.size);
}

function funnelStage(data, i, most, currency) {
  const [deals, amounts] = data.series;
  return h(
    'li',
    { 'data-key': data.labels[i] },
    h('span', { class: 'stage' }, data.labels[i]),
    h(
      'span',
      { class: 'body' },
      meter((deals.values[i] ?? 0) / most, 'centred'),
      h(
        'span',
        { class: 'deals' },
        number(deals.values[i] ?? 0, 'count', deals.queries[i], { of: `funnel ${data.labels[i]}` }),
        h('span', { class: 'unit' }, 'open'),
      ),
    ),
    h(
      'span',
      { class: 'amount' },
      number(amounts.values[i] === null ? null : { [currency]: amounts.values[i] }, 'money', amounts.queries[i], {
        of: `funnel amount ${data.labels[i]}`,
        currency,
        compact: true,
      }),
    ),
    h('span', { class: 'chance' }, meter(data.chances[i], 'chance'), h('span', {}, write(data.chances[i], 'ratio'))),
  );
}

function funnel(data, model, currency) {
  const most = Math.max(1, ...data.series[0].values);
  return [
    h(
      'div',
      { class: 'funnel-head', 'aria-hidden': 'true' },
      h('span', {}, 'Stage'),
      h('span', {}, 'Deals'),
      h('span', {}, 'Amount'),
      h('span', {}, 'Win probability'),
    ),
    h(
      'ol',
      { class: 'funnel' },
      data.labels.map((_, i) => funnelStage(data, i, most, currency)),
    ),
  ];
}

function goal(model, row) {
  const progress = typeof row.goal_progress === 'number' ? row.goal_progress : null;
  const expected = typeof row.expected_progress === 'number' ? row.expected_progress : null;
  const behind = progress !== null && expected !== null && progress < expected;
  const column = model.columns.find((one) => one.name === 'goal_progress') ?? { metric: 'goal_progress', unit: 'ratio' };
  return h(
    'li',
    { 'data-key': member(row.goal) },
    h('span', { class: 'stage' }, member(row.goal)),
    h(
      'span',
      { class: 'body' },
      meter(progress, behind ? 'behind' : 'ahead'),
      expected === null ? null : h('span', { class: 'mark', 'data-size': Math.min(1, expected).toFixed(4), 'aria-hidden': 'true' }),
    ),
    h('span', { class: 'amount' }, number(progress, 'ratio', queryBehind(model, column, row), { of: `goal ${row.goal}` })),
    h(
      'span',
      { class: 'note' },
      `${write(row.actual ?? null, 'goal', true)} of ${write(row.target ?? null, 'goal', true)}, expected by now ${write(expected, 'ratio')}`,
    ),
  );
}

const progress = (data, model) => [
  h(
    'ol',
    { class: 'goals' },
    model.rows.filter((row) => model.by[0] === 'goal' && row.goal !== '(other)').map((row) => goal(model, row)),
  ),
];

const IDS_SHOWN = 12;

/** Ids of the newest offenders, as the report lists them. */
const idsOf = (model, finding) =>
  (model.document.offenders?.[finding] ?? []).map(({ kind, id, count }) => ({ id: id ?? '', kind, count: count ?? 1 }));

function findingRow(model, [finding, about]) {
  const column = model.columns.find((one) => one.name === finding);
  const value = column ? (model.total[finding] ?? null) : null;
  if (!column) return null;
  const ids = idsOf(model, finding);
  return h(
    'li',
    { 'data-key': finding, class: value ? 'found' : 'clean' },
    h('span', { class: 'count' }, number(value, 'count', queryBehind(model, column, null), { of: `finding ${finding}` })),
    h(
      'span',
      { class: 'what' },
      h('strong', {}, columnName(finding)),
      h('span', { class: 'note' }, about),
      ids.length
        ? h(
            'span',
            { class: 'ids' },
            ids.slice(0, IDS_SHOWN).map(({ id, kind, count }) => h('code', { title: kind }, id, count > 1 ? ` ×${count}` : '')),
            ids.length > IDS_SHOWN ? h('span', { class: 'note' }, `and ${ids.length - IDS_SHOWN} more`) : null,
          )
        : null,
    ),
  );
}

/** What was found comes first. */
function findings(data, model) {
  const found = ([finding]) => (model.total[finding] ? 0 : 1);
  return [
    h(
      'ul',
      { class: 'findings' },
      [...FINDINGS].sort((a, b) => found(a) - found(b)).map((row) => findingRow(model, row)),
    ),
  ];
}

const DEALS_SHOWN = 8;

function dealRow(deal) {
  return h(
    'tr',
    { 'data-key': deal.deal },
    h(
      'th',
      { scope: 'row' },
      h('code', {}, deal.deal),
      h('span', { class: 'note' }, ` ${[deal.owner, deal.stage].filter(Boolean).join(', ')}`),
    ),
    h('td', { class: 'day' }, deal.expected_close ?? NONE),
    h('td', { class: 'n' }, write(deal.amount, 'money', true)),
    h('td', { class: 'n' }, write(deal.win_probability, 'ratio')),
    h('td', { class: 'n' }, write(deal.expected_value, 'money', true)),
  );
}

function deals(data, model) {
  const list = (model.document.open_deals ?? []).slice(0, DEALS_SHOWN);
  if (!list.length) return [h('p', { class: 'empty' }, 'No open deal.')];
  const head = ['Amount', 'Chance', 'Expected'].map((text) => h('th', { scope: 'col', class: 'n' }, text));
  return [
    h(
      'div',
      { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Open deals' },
      h(
        'table',
        { class: 'deals' },
        h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, 'Deal'), h('th', { scope: 'col' }, 'Close'), head)),
        h('tbody', {}, list.map(dealRow)),
      ),
    ),
  ];
}

const PANELS = { funnel, progress, findings, deals };
export const isPanel = (kind) => kind in PANELS;

/** Elements of a panel; `data` as series.js made it. */
export const panel = (kind, data, model, currency) => PANELS[kind](data, model, currency);

/** The numbers of a drawing as a table, for those who cannot or would not read the drawing. */
export function numbersTable(data, currency) {
  const value = (series, i) => {
    const [shown, query] = [series.values[i], series.queries[i]];
    const worth = series.unit === 'money' && shown !== null ? { [currency]: shown } : shown;
    return h('td', { class: 'n', 'data-key': series.name }, number(worth, series.unit, query, { currency }));
  };
  return h(
    'div',
    { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Numbers of the chart' },
    h(
      'table',
      {},
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          h('td', {}),
          data.series.map((series) => h('th', { scope: 'col', class: 'n' }, series.name)),
        ),
      ),
      h(
        'tbody',
        {},
        data.labels.map((label, i) =>
          h(
            'tr',
            { 'data-key': String(label) },
            h('th', { scope: 'row' }, label),
            data.series.map((series) => value(series, i)),
          ),
        ),
      ),
    ),
  );
}
