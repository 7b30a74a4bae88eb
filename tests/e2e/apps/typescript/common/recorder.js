// What the functions and the HTTP handlers of this app have seen, for the tests to ask for.

const calls = [];
const requests = [];
const posts = [];
const running = new Map();

/** Note that a step body (or the like) ran; `key` is `event.data.key`. */
export function record(key, label, details = {}) {
  calls.push({ key, label, at: Date.now(), ...details });
}

/** Run `work`, and note how many pieces of work under the same name were under way, itself included. */
export async function recordInFlight(key, label, name, work) {
  const inFlight = (running.get(name) ?? 0) + 1;
  running.set(name, inFlight);
  record(key, label, { inFlight });
  try {
    return await work();
  } finally {
    running.set(name, running.get(name) - 1);
  }
}

function noteAnswer(response, entry) {
  const { send, writeHead } = response;
  response.send = (body) => {
    entry.ops = response.statusCode === 206 ? JSON.parse(body).map(({ op }) => op) : null;
    return send.call(response, body);
  };
  response.writeHead = (status, ...rest) => {
    entry.status = status;
    return writeHead.call(response, status, ...rest);
  };
}

/** Express middleware: note each call request of the server, and the status of the answer. */
export function recordRequests(request, response, next) {
  if (request.method === "POST" && request.body?.ctx) {
    const { ctx, event, steps, version, use_api } = request.body;
    const entry = {
      key: event.data?.key ?? event.data?.event?.data.key ?? null,
      path: request.baseUrl,
      functionId: request.query.fnId,
      stepId: request.query.stepId,
      runId: ctx.run_id,
      attempt: ctx.attempt,
      plansOnly: ctx.disable_immediate_execution,
      steps: Object.keys(steps).length,
      useApi: use_api,
      version,
      signed: request.headers["x-inngest-signature"] !== undefined,
    };
    requests.push(entry);
    noteAnswer(response, entry);
  }
  next();
}

/** Note a request that an app made to the server through a proxy. */
export function recordPost(method, path, status) {
  posts.push({ method, path, status });
}

/** `GET /_calls`, `GET /_requests`, `GET /_posts`, `POST /_reset`. */
export function mountRecorder(app) {
  app.get("/_calls", (_, response) => response.json(calls));
  app.get("/_requests", (_, response) => response.json(requests));
  app.get("/_posts", (_, response) => response.json(posts));
  app.post("/_reset", (_, response) => {
    for (const list of [calls, requests, posts]) list.length = 0;
    response.json({});
  });
}
