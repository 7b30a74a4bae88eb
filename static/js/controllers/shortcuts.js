// Page-wide keys: g then a letter goes to a page, j and k move through rows, o opens one, x ticks one, l pauses live updates,
// [ and ] go to the runs beside this one, / searches, ? tells those that the page has (the dialog #keys).

import { isTyping } from "../typing.js";

function rows() {
  return [...document.querySelectorAll(".row-link, a.timeline-bar-grid")];
}

function moveRow(step) {
  const all = rows();
  const at = all.findIndex((link) => (link.closest("tr") ?? link).contains(document.activeElement));
  const next = at < 0 ? all[0] : all[Math.min(all.length - 1, Math.max(0, at + step))];
  next?.focus();
}

function openRow() {
  const row = rows().find((link) => link === document.activeElement);
  row?.click();
}

function tickRow(shiftKey) {
  const box = document.activeElement.closest("tr")?.querySelector("[data-select]");
  box?.dispatchEvent(new MouseEvent("click", { bubbles: true, shiftKey }));
}

// The search field of the page; where it has none, the palette's.
function search() {
  const field = document.querySelector(".main input[type=search], .main .filter-text");
  if (field?.checkVisibility()) field.focus();
  else document.querySelector("[data-controller~=palette-button]").click();
}

const press = (selector) => () => document.querySelector(selector)?.click();

function tellKeys() {
  const keys = document.getElementById("keys");
  for (const key of keys.querySelectorAll("[data-needs]")) key.hidden = !document.querySelector(key.dataset.needs);
  keys.showModal();
}

const ACTIONS = {
  j: () => moveRow(1),
  k: () => moveRow(-1),
  o: openRow,
  "/": search,
  x: () => tickRow(false),
  X: () => tickRow(true),
  l: press("[data-controller~=live-toggle]"),
  "[": press("[data-beside=newer]"),
  "]": press("[data-beside=older]"),
  "?": tellKeys,
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
