// The tab's one WebSocket. It carries hints ("something of this topic changed"), never data, so a
// lost one costs nothing: after every (re)connection each listener is told to ask the server again.

const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 15_000;
const SESSION_OVER = 4401;

const listeners = new Map();
let socket;
let retryMs = FIRST_RETRY_MS;

function showState(state, text) {
  for (const element of document.querySelectorAll("[data-connection]")) {
    element.dataset.state = state;
    element.textContent = text;
    element.hidden = false;
  }
}

function tell(topic) {
  for (const listener of listeners.get(topic) ?? []) listener();
}

function send(message) {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
}

function receive({ subscribed = [], changed = [] }) {
  for (const topic of new Set([...subscribed, ...changed])) tell(topic);
}

// The environment that the page is of; empty in dev mode, where there is one.
function place() {
  return location.pathname.match(/^\/o\/[^/]+\/env\/[^/]+/)?.[0] ?? "";
}

function open() {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  socket = new WebSocket(`${scheme}://${location.host}${place()}/ws/live`);
  socket.onopen = () => {
    retryMs = FIRST_RETRY_MS;
    showState("open", "Live");
    send({ subscribe: [...listeners.keys()] });
  };
  socket.onmessage = ({ data }) => receive(JSON.parse(data));
  socket.onclose = ({ code }) => {
    if (code === SESSION_OVER) {
      location.reload(); // to the sign-in page, and back here from there
      return;
    }
    showState("closed", "Reconnecting…");
    setTimeout(open, retryMs);
    retryMs = Math.min(LAST_RETRY_MS, retryMs * 2);
  };
}

// Calls `listener` when the topic may have changed; returns what ends that.
export function subscribe(topic, listener) {
  if (!listeners.has(topic)) listeners.set(topic, new Set());
  listeners.get(topic).add(listener);
  if (socket) send({ subscribe: [topic] });
  else open();
  return () => {
    listeners.get(topic).delete(listener);
    if (listeners.get(topic).size) return;
    listeners.delete(topic);
    send({ unsubscribe: [topic] });
  };
}
