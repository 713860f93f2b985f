// What the page knows just now: one object, changed by reading, shown by drawing.

import { currenciesOf } from './model.js';
import { presentation } from './reports.js';

export const app = {
  view: null, // what the address says
  tenants: [],
  metrics: null, // the interface's catalogue, and …
  catalogue: null, // … how the tenant can ask of it
  entered: null, // the tenant whose reports and alerts these are
  reports: [],
  model: null, // the numbers of the view; null: not there yet
  data: [], // of the report's charts, in their order; null: does not fit
  sparks: new Map(),
  alerts: null, // null: this server tells none
  live: false,
  error: null,
  theme: '',
  loading: null, // AbortController of what is being read
  followed: null, // {tenant, stop}
};

export const tenantOf = (view) => app.tenants.find((one) => one.tenant === view.tenant) ?? {};

/** The charts of the report. */
export const charted = () =>
  presentation(
    app.view.report,
    app.model.columns.map((column) => column.name),
  ).charts;

/** The currency that charts are drawn in: the one chosen, else the tenant's own, else that of the largest amounts.
 * By size alone yen would come before euros, and charts would change over as numbers move. */
export function currency() {
  const known = currenciesOf(app.model);
  const own = tenantOf(app.view).currency;
  return [app.view.currency, own].find((one) => known.includes(one)) ?? known[0] ?? own ?? 'EUR';
}
