// Questions that are asked at one time, of the same range, groups and filter, become one: all its numbers are then of one state.

const METRICS_MAX = 32; // in a request

let waiting = [];

const nameOf = ({ metric, stat }) => (stat ? `${metric}.${stat}` : metric);
const sharedOf = ({ metric: _, stat: __, ...shared }) => shared;

/** Rows of one metric out of those of several: where it has none, its value is null. */
const rowsOf = (rows, by, name) =>
  rows
    .filter((row) => row[name] !== null)
    .map((row) => ({ ...Object.fromEntries(by.map((dimension) => [dimension, row[dimension]])), value: row[name] }));

async function single(batch, { body, resolve, reject }) {
  return batch.send(body, batch.signal).then(resolve, reject);
}

async function send(batch) {
  waiting = waiting.filter((one) => one !== batch);
  const names = [...new Set(batch.questions.map(({ body }) => nameOf(body)))];
  if (names.length === 1) return batch.questions.forEach((question) => single(batch, question));
  try {
    const rows = await batch.send({ ...batch.shared, metrics: names }, batch.signal);
    if (!rows) return batch.questions.forEach((question) => single(batch, question)); // one of them is refused: which?
    batch.questions.forEach(({ body, resolve }) => resolve(rowsOf(rows, body.by ?? [], nameOf(body))));
  } catch (error) {
    batch.questions.forEach(({ reject }) => reject(error));
  }
}

/** The rows of the query `body`, as `send(body, signal)` asks for them; questions of one `place` only are asked together. */
export function together(place, body, signal, sendBody) {
  const shared = sharedOf(body);
  const key = JSON.stringify([place, shared]);
  let batch = waiting.find((one) => one.key === key && one.signal === signal && one.questions.length < METRICS_MAX);
  if (!batch) {
    batch = { key, shared, signal, send: sendBody, questions: [] };
    waiting.push(batch);
    setTimeout(() => send(batch));
  }
  return new Promise((resolve, reject) => batch.questions.push({ body, resolve, reject }));
}
