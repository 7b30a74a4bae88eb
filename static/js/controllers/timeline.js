// The run's timeline: bars that are still open grow, hovering or focusing a row says its figures,
// and the arrow keys move between rows.

import { duration, now } from "../clock.js";

const SHORTEST_PERCENT = 0.4;
const GROWTH_MS = 250;

function place(bar, from, to, time) {
  const span = Math.max(1, to - from);
  const end = bar.dataset.end ? Number(bar.dataset.end) : time;
  const x = Math.min(100 - SHORTEST_PERCENT, ((Number(bar.dataset.start) - from) / span) * 100);
  const width = Math.min(100 - x, Math.max(SHORTEST_PERCENT, ((end - Number(bar.dataset.start)) / span) * 100));
  bar.setAttribute("x", `${x}%`);
  bar.setAttribute("width", `${width}%`);
}

function grow(element) {
  const { from, growing } = element.dataset;
  if (growing === undefined || document.hidden) return;
  const time = now();
  for (const bar of element.querySelectorAll("rect[data-start]")) place(bar, Number(from), time, time);
  const ticks = [...element.querySelectorAll("[data-tick]")];
  for (const tick of ticks) tick.textContent = duration(((time - Number(from)) * Number(tick.dataset.tick)) / 100);
}

function tooltipFor(element) {
  const tip = document.createElement("div");
  tip.className = "tooltip";
  tip.hidden = true;
  element.append(tip);
  return tip;
}

function showTip(tip, row, x) {
  tip.textContent = row.dataset.tip;
  tip.hidden = false;
  const box = row.getBoundingClientRect();
  const left = Math.min(Math.max(8, x ?? box.left + box.width / 2), window.innerWidth - tip.offsetWidth - 8);
  const below = box.bottom + 6 + tip.offsetHeight < window.innerHeight;
  tip.style.left = `${left}px`;
  tip.style.top = `${below ? box.bottom + 6 : box.top - tip.offsetHeight - 6}px`;
}

function moveFocus(element, event) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const rows = [...element.querySelectorAll("a.timeline-bar-grid")];
  const at = rows.indexOf(document.activeElement);
  if (!step || at < 0) return;
  event.preventDefault();
  rows[Math.min(rows.length - 1, Math.max(0, at + step))].focus();
}

export default function timeline(element) {
  const tip = tooltipFor(document.body);
  const hide = () => (tip.hidden = true);
  const show = (event) => {
    const row = event.target.closest("[data-tip]");
    if (row) showTip(tip, row, event.type === "mouseover" ? event.clientX + 12 : undefined);
    else hide();
  };
  element.addEventListener("mouseover", show);
  element.addEventListener("mouseleave", hide);
  element.addEventListener("focusin", (event) => event.target.matches(":focus-visible") && show(event));
  element.addEventListener("focusout", hide);
  element.addEventListener("click", hide);
  element.addEventListener("keydown", (event) => (event.key === "Escape" ? hide() : moveFocus(element, event)));
  window.addEventListener("scroll", hide, { passive: true });

  const timer = setInterval(() => grow(element), GROWTH_MS);
  grow(element);
  return () => {
    clearInterval(timer);
    window.removeEventListener("scroll", hide);
    tip.remove();
  };
}
