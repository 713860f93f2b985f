// Elements from data, and bringing what is shown in line with what should be: text is always text, never markup.

const SVG = 'http://www.w3.org/2000/svg';
const SVG_TAGS = new Set(['svg', 'path', 'circle', 'line', 'rect', 'g', 'title']);
const CHANGED_MS = 2600;

/** h('td', { class: 'n', 'data-key': id }, 'text', child, [children], null): an element. Properties are attributes. */
export function h(tag, properties = {}, ...children) {
  const element = SVG_TAGS.has(tag) ? document.createElementNS(SVG, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === false || value === null || value === undefined) continue;
    element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

const SIGN = { 1: 'up', '-1': 'down', 0: 'other' };

/** Shows for a moment that an element's number (data-value) has moved. */
function markChanged(element, before, after) {
  const direction = Math.sign(Number(after) - Number(before)) || 0;
  element.dataset.changed = SIGN[direction];
  clearTimeout(element.changedTimer);
  element.changedTimer = setTimeout(() => delete element.dataset.changed, CHANGED_MS);
}

/** Attributes that no view sets, which are not to be taken away: a running highlight, lengths, what a user has opened. */
const stays = (element, name) =>
  name === 'data-changed' ||
  name === 'style' ||
  element.hasAttribute('data-keep') ||
  (name === 'open' && element.hasAttribute('data-hold'));

function syncAttributes(have, want) {
  for (const { name } of [...have.attributes]) {
    if (!want.hasAttribute(name) && !stays(have, name)) have.removeAttribute(name);
  }
  for (const { name, value } of want.attributes) {
    if (have.getAttribute(name) !== value) have.setAttribute(name, value);
  }
}

const FIELDS = { SELECT: 'value', INPUT: 'value' };

function syncField(have, want) {
  const property = have.type === 'checkbox' || have.type === 'radio' ? 'checked' : FIELDS[have.tagName];
  if (property && have !== document.activeElement && have[property] !== want[property]) have[property] = want[property];
}

const alike = (have, want) => have.nodeType === want.nodeType && have.nodeName === want.nodeName && keyOf(have) === keyOf(want);
const keyOf = (node) => (node.nodeType === Node.ELEMENT_NODE ? (node.getAttribute('data-key') ?? '') : '');

function morphChildren(have, want) {
  const keyed = new Map([...have.children].filter(keyOf).map((child) => [keyOf(child), child]));
  let at = have.firstChild;
  for (const next of [...want.childNodes]) {
    const same = at && alike(at, next) ? at : keyOf(next) ? keyed.get(keyOf(next)) : null;
    if (!same || !alike(same, next)) {
      have.insertBefore(next, at);
    } else {
      if (same === at) at = at.nextSibling;
      else have.insertBefore(same, at);
      morphNode(same, next);
    }
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

function morphNode(have, want) {
  if (have.nodeType !== Node.ELEMENT_NODE) {
    if (have.nodeValue !== want.nodeValue) have.nodeValue = want.nodeValue;
    return;
  }
  const [before, after] = [have.dataset.value, want.dataset.value];
  const comparable = before !== undefined && after !== undefined && have.dataset.of === want.dataset.of;
  syncAttributes(have, want);
  if (have.hasAttribute('data-keep')) return;
  morphChildren(have, want);
  syncField(have, want);
  if (comparable && before !== after) markChanged(have, before, after);
}

/**
 * Makes `root`'s children those of `view`, keeping elements that are there (focus, scroll, running highlights). `data-key`
 * tells siblings apart; `data-keep`: the inside is somebody else's; `data-hold`: whether it is open is the user's choice;
 * `data-value` is a number that is marked when it moves, as long as `data-of` (what it is the number of) stays.
 */
export function morph(root, ...view) {
  const focused = document.activeElement;
  const wanted = h(root.tagName.toLowerCase(), {}, ...view);
  morphChildren(root, wanted);
  if (focused && focused !== document.activeElement && focused.isConnected) focused.focus({ preventScroll: true });
}
