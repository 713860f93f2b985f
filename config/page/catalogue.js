// What can be asked: units of metrics, and by what, over which ranges. What a metric refuses is not asked for.

import { rangeOf } from './periods.js';
import { displayUnit } from './reports.js';

const TIME_UNITS = new Set(['day', 'week', 'month', 'quarter', 'year']);
export const isTime = (dimension) => TIME_UNITS.has(dimension);

/** Is the range one whole unit of these (a month, say)? Some metrics are counted per such a unit only. */
function isUnit(range, units, tenant) {
  if (!range) return false;
  return units.some((unit) => {
    const whole = unit === 'day' ? { from: range.from, to: range.from } : rangeOf(`this_${unit}`, range.from, tenant);
    return whole.from === range.from && whole.to === range.to;
  });
}

/** {unit(metric), knows(metric, dimension), allows(query)} of the interface's catalogue and a tenant's calendar. */
export function readCatalogue({ metrics }, tenant) {
  const rows = new Map(metrics.map((row) => [row.metric, row]));
  const knows = (metric, dimension) => {
    const row = rows.get(metric);
    if (!row) return false;
    return isTime(dimension) ? row.units.includes(dimension) : row.by.includes(dimension) || (row.by_custom && dimension.startsWith('custom.'));
  };
  const rangeFits = (query) => {
    const { units, needs_range: needed } = rows.get(query.metric);
    if (needed && !query.from) return false;
    if (!units.length || units.length === TIME_UNITS.size || query.by.some(isTime)) return true;
    return isUnit(query, units, tenant);
  };
  const allows = (query) => [...query.by, ...Object.keys(query.where ?? {})].every((one) => knows(query.metric, one)) && rows.has(query.metric) && rangeFits(query);
  const unit = (metric) => {
    const found = rows.get(metric)?.unit;
    return found ? displayUnit(metric, found) : null;
  };
  return { unit, knows, allows };
}
