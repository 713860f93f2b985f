// The token that opens a server which has some: kept for this tab, or on this device, where its owner says so. Never in an address.

const KEY = 'crm-reportd.token';

/** '': none. */
export const read = () => sessionStorage.getItem(KEY) ?? localStorage.getItem(KEY) ?? '';

export function forget() {
  sessionStorage.removeItem(KEY);
  localStorage.removeItem(KEY);
}

/** `remember`: on this device, until it is forgotten. */
export function keep(token, remember) {
  forget();
  (remember ? localStorage : sessionStorage).setItem(KEY, token);
}

/** Can it be sent in a header? */
export const isOne = (text) => /^[\x21-\x7e]+$/.test(text);
