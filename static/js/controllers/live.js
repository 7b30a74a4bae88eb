// Keeps an element equal to the server's view of it: on a hint of its topic (data-live-topic) it
// fetches the page's URL again and morphs itself; also every data-live-every ms, where given. A list (data-live-rows) that was scrolled away
// from its top only updates the rows it shows and offers the new ones behind a button.

import { tellErrors } from "../load-error.js";
import { isPaused, onResume } from "../pausing.js";
import { subscribe } from "../socket.js";

const SHORTEST_GAP_MS = 300;
const GAP_PER_MS_OF_ANSWER = 4;
const SCROLLED_PX = 160;

const rowIds = (root) => new Set([...root.querySelectorAll("[data-row]")].map((row) => row.id));

function updateShownRows(element, html) {
  const fresh = new DOMParser().parseFromString(html, "text/html");
  const shown = rowIds(element);
  for (const row of fresh.querySelectorAll("[data-row]")) {
    if (shown.has(row.id)) window.Idiomorph.morph(document.getElementById(row.id), row.outerHTML);
  }
  return [...rowIds(fresh)].filter((id) => !shown.has(id)).length;
}

function offerNewRows(element, count, onAccept) {
  const button = element.querySelector("[data-new-rows]");
  button.hidden = count === 0;
  const noun = button.dataset.noun ?? "run";
  button.querySelector("span").textContent = `${count} new ${noun}${count === 1 ? "" : "s"}`;
  button.onclick = onAccept;
}

const isLive = ({ dataset }) => dataset.liveTopic || dataset.liveEvery;

export default function live(element) {
  const isList = "liveRows" in element.dataset;
  let isBusy = false;
  let isStale = false;
  let isAskedFor = false;
  let askedUrl = location.href;
  let timer;

  const fetchNow = async () => {
    const before = isList && rowIds(element);
    askedUrl = location.href;
    const headers = { "X-Stepwell-Background": "1" };
    const context = { source: element, target: element, swap: "morph:outerHTML", headers };
    await window.htmx.ajax("GET", location.href, context).catch(() => {}); // tellErrors tells of it
    if (!isList) return;
    for (const row of element.querySelectorAll("[data-row]")) if (!before.has(row.id)) row.classList.add("is-new");
  };

  const refresh = async () => {
    isStale = true;
    if (isBusy || document.hidden || (isPaused() && !isAskedFor)) return;
    isBusy = true;
    isStale = false;
    isAskedFor = false;
    const began = performance.now();
    await fetchNow();
    const gap = Math.max(SHORTEST_GAP_MS, GAP_PER_MS_OF_ANSWER * (performance.now() - began));
    timer = setTimeout(() => {
      isBusy = false;
      if (isStale) refresh();
    }, gap);
    if (!isLive(element)) stop();
  };

  const askNow = () => {
    isAskedFor = true;
    refresh();
  };
  const toTop = () => {
    window.scrollTo({ top: 0 });
    askNow();
  };

  // What the person did since the question was asked (opened a step, changed a filter) is in the URL: an
  // answer to the former one must not undo it.
  const onBeforeSwap = (event) => {
    if (event.target === element && !event.detail.requestConfig.triggeringEvent && askedUrl !== location.href) {
      event.detail.shouldSwap = false;
      isStale = true;
      return;
    }
    if (!isList || event.target !== element || event.detail.requestConfig.triggeringEvent || window.scrollY < SCROLLED_PX) return;
    event.detail.shouldSwap = false;
    offerNewRows(element, updateShownRows(element, event.detail.serverResponse), toTop);
  };
  const onVisible = () => isStale && refresh();

  const { liveTopic, liveEvery } = element.dataset;
  const unsubscribe = liveTopic ? subscribe(liveTopic, refresh) : () => {};
  const interval = liveEvery && setInterval(() => !document.hidden && element.dataset.liveEvery && refresh(), Number(liveEvery));
  element.addEventListener("htmx:beforeSwap", onBeforeSwap);
  document.addEventListener("visibilitychange", onVisible);
  const ends = [onResume(onVisible), tellErrors(element, askNow)];

  function stop() {
    clearTimeout(timer);
    clearInterval(interval);
    unsubscribe();
    for (const end of ends) end();
    element.removeEventListener("htmx:beforeSwap", onBeforeSwap);
    document.removeEventListener("visibilitychange", onVisible);
  }
  return stop;
}
