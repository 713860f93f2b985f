// The HTTP interface, and nothing else of the network: only this file knows routes and how errors look.

import { together } from './batch.js';
import { eventsOf } from './events.js';
import * as token from './token.js';

/** An answer that is none: `status` (0: nobody answered), `code` of the problem; the message says what is wrong. */
export class ApiError extends Error {
  constructor(status, problem) {
    super(problem.detail || problem.title || problem.error?.message || `the server answered ${status}`);
    Object.assign(this, { status, code: problem.code ?? problem.error?.code ?? '' });
  }
}

/** Who asks: with the token, if there is one; and a script, so that no browser asks for a password. */
function headers(more) {
  const mine = { 'x-requested-with': 'page', ...more };
  if (token.read()) mine.authorization = `Bearer ${token.read()}`;
  return mine;
}

async function answerOf(path, options = {}) {
  let response;
  try {
    response = await fetch(path, { ...options, headers: headers(options.headers) });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new ApiError(0, { title: 'the server cannot be reached' });
  }
  if (!response.ok) throw new ApiError(response.status, await response.json().catch(() => ({})));
  return response;
}

const request = async (path, options) => (await answerOf(path, options)).json();

const get = (path, signal) => request(path, { signal });
const post = (path, body, signal) =>
  request(path, { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' }, signal });
const of = (tenant, ...rest) => ['v1/tenants', ...[tenant, ...rest].map(encodeURIComponent)].join('/');

/** [{tenant, time_zone, currency, week_start, fiscal_year_start}] */
export const tenants = async () => (await get('v1/tenants')).tenants;
export const catalogue = () => get('v1/catalogue');

/** [{report, question, view, version}]; version null: not published yet. */
export const reports = async (tenant) => (await get(of(tenant, 'reports'))).reports;
export const report = (tenant, name, signal) => get(of(tenant, 'reports', name), signal);
export const explain = (tenant, query) => post(of(tenant, 'explain'), query);

async function rowsOf(tenant, body, signal) {
  try {
    return (await post(of(tenant, 'query'), body, signal)).rows;
  } catch (error) {
    if (error.status === 400 || error.status === 422) return null;
    throw error;
  }
}

/** Rows of a query; null where the metric cannot be asked like that (an unknown dimension, a range it is not for). */
export const query = (tenant, body, signal) => together(tenant, body, signal, (all, until) => rowsOf(tenant, all, until));

const ALERTS = '/v1/tenants/{tenant}/alerts';

/** Does this server tell alerts? It describes itself. */
export const hasAlerts = async () => ALERTS in (await get('v1/openapi.json')).paths;

/** Alerts that are raised now. */
export const alerts = async (tenant) => (await get(of(tenant, 'alerts'))).alerts;

const RETRY_MS = 3000;

/**
 * Follows a tenant's updates until `stop()` of what it returns. `updated(data)`: {report, version} of a report that has changed;
 * `alerted()`: how the alerts stand has changed; `connected(yes)`: whether updates come; `refused(error)`: the token is no more,
 * it is over. A lost connection is made again.
 */
export function follow(tenant, { updated, alerted, connected, refused }) {
  const controller = new AbortController();
  let last = '';
  const listen = async () => {
    const options = { headers: { accept: 'text/event-stream', ...(last && { 'last-event-id': last }) }, signal: controller.signal };
    const response = await answerOf(of(tenant, 'updates'), options);
    connected(true);
    for await (const { event, data, id } of eventsOf(response)) {
      last = id ?? last;
      if (event === 'report') updated(JSON.parse(data));
      if (event === 'alerts') alerted();
    }
  };
  const run = async () => {
    while (!controller.signal.aborted) {
      const error = await listen().catch((one) => one);
      if (controller.signal.aborted) return;
      connected(false);
      if (error?.status === 401) return refused(error);
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  };
  run();
  return { stop: () => controller.abort() };
}
