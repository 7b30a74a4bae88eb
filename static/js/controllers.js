// Binds controllers to elements with data-controller, now and whenever the page changes.
// A controller is a function of its element; it may return a function that undoes it.

const registry = new Map();
const bound = new Map();

export function register(name, controller) {
  registry.set(name, controller);
}

function connect(element) {
  if (bound.has(element)) return;
  const undo = element.dataset.controller
    .split(" ")
    .map((name) => registry.get(name)?.(element))
    .filter(Boolean);
  bound.set(element, undo);
}

function disconnect(element) {
  for (const undo of bound.get(element) ?? []) undo();
  bound.delete(element);
}

function each(node, action) {
  if (!(node instanceof Element)) return;
  if (node.matches("[data-controller]")) action(node);
  node.querySelectorAll("[data-controller]").forEach(action);
}

export function start() {
  each(document.documentElement, connect);
  new MutationObserver((changes) => {
    for (const { removedNodes, addedNodes } of changes) {
      for (const node of removedNodes) if (!node.isConnected) each(node, disconnect);
      for (const node of addedNodes) if (node.isConnected) each(node, connect);
    }
  }).observe(document.documentElement, { childList: true, subtree: true });
}
