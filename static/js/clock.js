// Keeps relative times and running durations true, in the server's time.

const UNITS = [["d", 86_400_000], ["h", 3_600_000], ["m", 60_000], ["s", 1000]];

function serverOffset() {
  const stamp = Number(document.documentElement.dataset.now);
  return stamp ? stamp - performance.timeOrigin - performance.now() : 0;
}

let offset = 0;

// Milliseconds since the epoch by the server's clock.
export function now() {
  return performance.timeOrigin + performance.now() + offset;
}

// The same words as apps/dashboard/presenters/durations.py.
export function duration(ms) {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 10_000) return `${(Math.floor(ms / 10) / 100).toFixed(2)} s`;
  if (ms < 60_000) return `${(Math.floor(ms / 100) / 10).toFixed(1)} s`;
  const first = UNITS.findIndex(([, size]) => ms >= size);
  const [[unit, size], [smallUnit, smallSize]] = [UNITS[first], UNITS[first + 1]];
  const rest = Math.floor((ms % size) / smallSize);
  return `${Math.floor(ms / size)} ${unit}${rest ? ` ${rest} ${smallUnit}` : ""}`;
}

export function relative(ms) {
  const away = Math.abs(ms);
  const [unit, size] = UNITS.find(([, each]) => away >= each) ?? UNITS.at(-1);
  const amount = `${Math.floor(away / size)} ${unit}`;
  if (away < 1000) return "just now";
  return ms < 0 ? `in ${amount}` : `${amount} ago`;
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function tick() {
  const time = now();
  for (const element of document.querySelectorAll("time[data-at]")) setText(element, relative(time - Number(element.dataset.at)));
  for (const element of document.querySelectorAll("[data-since]")) setText(element, duration(Math.max(0, time - Number(element.dataset.since))));
}

export function startClock() {
  offset = serverOffset();
  tick();
  setInterval(() => document.hidden || tick(), 1000);
  document.addEventListener("visibilitychange", () => document.hidden || tick());
  document.addEventListener("htmx:afterSettle", tick);
}
