// What can be asked: units of metrics, and by what, over which ranges. What a metric refuses is not asked for.

import { rangeOf } from './periods.js';
import { displayUnit } from './reports.js';

const TIME_UNITS = new Set(['day', 'week', 'month', 'quarter', 'year']);
export const isTime = (dimension) => TIME_UNITS.has(dimension);

const GOAL = 'goal'; // what has only this dimension is had by it only

/** Is the range one whole unit of these (a month, say)? Some metrics are counted per such a unit only. */
function isUnit(range, units, tenant) {
  if (!range) return false;
  return units.some((unit) => {
    const whole = unit === 'day' ? { from: range.from, to: range.from } : rangeOf(`this_${unit}`, range.from, tenant);
    return whole.from === range.from && whole.to === range.to;
  });
}

/**
 * Of the interface's catalogue and a tenant's calendar: unit(metric), null where it is not known; knows(metric, dimension);
 * dimensions(metric); dated(metric): is it of a range, or only of now; allows(query).
 */
export function readCatalogue({ metrics }, tenant) {
  const rows = new Map(metrics.map((row) => [row.metric, row]));
  const knows = (metric, dimension) => {
    const row = rows.get(metric);
    if (!row) return false;
    return isTime(dimension)
      ? row.units.includes(dimension)
      : row.by.includes(dimension) || (row.by_custom && dimension.startsWith('custom.'));
  };
  const dated = (metric) => (rows.get(metric)?.units.length ?? 0) > 0;
  const rangeFits = (query) => {
    const { units, needs_range: needed } = rows.get(query.metric);
    if (needed && !query.from) return false;
    if (!units.length || units.length === TIME_UNITS.size || query.by.some(isTime)) return true;
    return isUnit(query, units, tenant);
  };
  const groupFits = ({ metric, by }) => rows.get(metric).by.join() !== GOAL || by.includes(GOAL);
  const dimensionsFit = ({ metric, by, where }) => [...by, ...Object.keys(where ?? {})].every((one) => knows(metric, one));
  const allows = (query) => rows.has(query.metric) && dimensionsFit(query) && groupFits(query) && rangeFits(query);
  const unit = (metric) => {
    const found = rows.get(metric)?.unit;
    return found ? displayUnit(metric, found) : null;
  };
  const dimensions = (metric) => rows.get(metric)?.by ?? [];
  return { unit, knows, dated, dimensions, allows };
}
