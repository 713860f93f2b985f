// The table as a file: the very numbers of the queries, in the form that the interface's own CSV has (RFC 4180).

import { isMoney } from './format.js';

const currenciesIn = (model, column) =>
  [...new Set([model.total, ...model.rows].flatMap((row) => (isMoney(row[column.name]) ? Object.keys(row[column.name]) : [])))].sort();

/** {head, value: row → number, text or null} of each column; money has one per currency. */
function fields(model) {
  const dimensions = model.by.map((dimension) => ({ head: dimension, value: (row) => row[dimension] ?? null }));
  const numbers = model.columns.flatMap((column) => {
    const currencies = currenciesIn(model, column);
    if (!currencies.length) return [{ head: column.name, value: (row) => (isMoney(row[column.name]) ? null : row[column.name]) }];
    return currencies.map((currency) => ({ head: `${column.name}:${currency}`, value: (row) => row[column.name]?.[currency] ?? null }));
  });
  return [...dimensions, ...numbers];
}

/** A text that a spreadsheet would take for a formula gets a ' in front. */
function cell(value) {
  if (value === null || value === undefined) return '';
  if (typeof value === 'number') return String(value);
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) || text !== value ? `"${text.replaceAll('"', '""')}"` : text;
}

/** All rows, in the order given; without a grouping the total. */
export function csv(model, rows) {
  const columns = fields(model);
  const lines = (model.by.length ? rows : [model.total]).map((row) => columns.map((column) => cell(column.value(row))).join(','));
  return `${[columns.map((column) => cell(column.head)).join(','), ...lines].join('\r\n')}\r\n`;
}

/** Hands the browser a file to save. */
export function save(text, fileName) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text], { type: 'text/csv;charset=utf-8' }));
  link.download = fileName;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}
