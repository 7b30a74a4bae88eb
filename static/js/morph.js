// How live updates change the page: only what differs, and never what the reader has opened.

const KEPT_BY_THE_READER = new Set(["open", "aria-expanded", "data-wrap", "checked"]);

function settled(oldNode, newNode) {
  return oldNode instanceof Element && oldNode.dataset.digest && oldNode.dataset.digest === newNode.dataset?.digest;
}

// A button that says what came of a copy becomes as it was by itself.
function isSaying(node) {
  return node instanceof Element && "saying" in node.dataset;
}

export function configureMorph() {
  const { callbacks } = window.Idiomorph.defaults;
  callbacks.beforeNodeMorphed = (oldNode, newNode) => !settled(oldNode, newNode) && !isSaying(oldNode);
  callbacks.beforeAttributeUpdated = (name, node) =>
    !(KEPT_BY_THE_READER.has(name) && node.closest("[data-keeps]"));
}
