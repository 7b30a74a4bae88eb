// The TypeScript app of the flow control suite: what apps/python/flow_control_app.py is, in the other SDK.

import express from "express";
import { Inngest, referenceFunction } from "inngest";
import { serve } from "inngest/express";

import { mountRecorder, record } from "../common/recorder.js";

const APP_ID = process.env.APP_ID;
const POLL_MS = 20;

const client = new Inngest({ id: APP_ID });
const flights = [];
const released = new Set();

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** One step, which lasts `ms`, or until the test lets go. */
const work = async ({ event, step, runId }) =>
  await step.run("work", async () => {
    const { key, n, user, ms = 0, hold } = event.data;
    record(key, "work", { n, user, run_id: runId });
    await pause(ms);
    while (hold && !released.has(key)) await pause(POLL_MS);
    return n ?? null;
  });

/** The events of the run, by their number. */
const collect = async ({ event, events, runId }) => {
  const numbers = events.map(({ data }) => data.n);
  record(event.data.key, "collect", { numbers, run_id: runId });
  return numbers;
};

const nap = async ({ event, step, runId }) => {
  const { key, n, seconds } = event.data;
  record(key, "asleep", { n, run_id: runId });
  await step.sleep("nap", seconds * 1000);
  await step.run("after", () => record(key, "awake", { n, run_id: runId }));
  return "rested";
};

/** Invokes `target` with `data`: its result, or the error that the step ended with. */
const invoke = async ({ event, step, runId }) => {
  const { key, target, data } = event.data;
  record(key, "invokes", { run_id: runId });
  try {
    return { result: await step.invoke("call", { function: referenceFunction({ functionId: target }), data }) };
  } catch ({ name, message }) {
    return { name, message };
  }
};

const OPTIONS = {
  plain: { concurrency: 2 },
  "per-user": { concurrency: { limit: 1, key: "event.data.user" } },
  "env-one": { concurrency: { limit: 2, scope: "env", key: "event.data.key" } },
  "env-two": { concurrency: { limit: 2, scope: "env", key: "event.data.key" } },
  "account-wide": { concurrency: { limit: 2, scope: "account", key: "event.data.key" } },
  "account-narrow": { concurrency: { limit: 1, scope: "account", key: "event.data.key" } },
  "two-entries": { concurrency: [{ limit: 3 }, { limit: 1, key: "event.data.user" }] },
  throttled: { throttle: { limit: 2, period: "4s", burst: 1, key: "event.data.user" } },
  "throttled-one": { concurrency: 1, throttle: { limit: 1, period: "2s", burst: 0 } },
  rated: { rateLimit: { limit: 3, period: "1h", key: "event.data.user" } },
  once: { idempotency: "event.data.order" },
  debounced: { debounce: { period: "1s", key: "event.data.user" } },
  "debounced-capped": { debounce: { period: "2s", timeout: "3s", key: "event.data.user" } },
  important: { concurrency: 1, priority: { run: "event.data.p" } },
  single: { singleton: { mode: "skip", key: "event.data.user" } },
  latest: { singleton: { mode: "cancel", key: "event.data.user" } },
  "must-start": { concurrency: 1, timeouts: { start: "1s" } },
};

const define = (id, body, options = {}) =>
  client.createFunction({ id, retries: 0, ...options, triggers: [{ event: `${APP_ID}/${id}` }] }, body);

const functions = [
  ...Object.entries(OPTIONS).map(([id, options]) => define(id, work, options)),
  define("batched", collect, {
    batchEvents: { maxSize: 3, timeout: "2s", key: "event.data.user", if: "event.data.together" },
  }),
  define("naps", nap, { concurrency: { limit: 1, key: "event.data.key" } }),
  // The type of the option knows no limit of runs in progress, but the SDK registers it as it is given.
  define("in-progress", nap, { concurrency: { fn: [{ limit: 1, key: "event.data.key" }] } }),
  define("must-finish", nap, { timeouts: { finish: "1s" } }),
  define("invokes", invoke),
];

/** A call has ended when its answer is ready, before the server can know of it. */
function keepFlights(request, response, next) {
  if (request.method !== "POST" || !request.body?.ctx) return next();
  const { key, user = null, n = null } = request.body.event.data;
  const name = request.query.fnId.replace(`${APP_ID}-`, "");
  const flight = { function: name, run_id: request.body.ctx.run_id, key, user, n };
  flights.push({ ...flight, change: 1 });
  const { end } = response;
  response.end = (...rest) => {
    flights.push({ ...flight, change: -1 });
    return end.apply(response, rest);
  };
  next();
}

const app = express();
app.use(express.json({ limit: "4mb" }));
mountRecorder(app);
app.get("/_flights", (_, response) => response.json(flights));
app.post("/_release", (request, response) => {
  released.add(request.query.key);
  response.json(null);
});
app.use("/api/inngest", keepFlights, serve({ client, functions }));
app.listen(Number(process.env.PORT), "127.0.0.1");
