// Page-wide keys: g then a letter goes to a page, j and k move through rows, o opens one, / searches, ? tells
// them all (the dialog #keys).

import { isTyping } from "../typing.js";

function rows() {
  return [...document.querySelectorAll(".row-link, a.timeline-bar-grid")];
}

function moveRow(step) {
  const all = rows();
  const at = all.indexOf(document.activeElement);
  const next = at < 0 ? all[0] : all[Math.min(all.length - 1, Math.max(0, at + step))];
  next?.focus();
}

function openRow() {
  const row = rows().find((link) => link === document.activeElement);
  row?.click();
}

// The search field of the page; where it has none, the palette's.
function search() {
  const field = document.querySelector(".main input[type=search], .main .filter-text");
  if (field?.checkVisibility()) field.focus();
  else document.querySelector("[data-controller~=palette-button]").click();
}

const ACTIONS = {
  j: () => moveRow(1),
  k: () => moveRow(-1),
  o: openRow,
  "/": search,
  "?": () => document.getElementById("keys").showModal(),
};

export default function shortcuts(nav) {
  let waitsForLetter = false;
  const onKey = (event) => {
    if (isTyping(event) || event.ctrlKey || event.metaKey || event.altKey) return;
    const link = waitsForLetter && nav.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
    waitsForLetter = event.key === "g";
    const action = link ? () => link.click() : ACTIONS[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  };
  document.addEventListener("keydown", onKey);
  return () => document.removeEventListener("keydown", onKey);
}
