// Servers of third parties, which the functions reach through the platform: an echo, one that hangs up, an AI model.

import { record } from "./recorder.js";

const SECRETS = /^(authorization|x-api-key|x-custom)$/;

function visible(headers) {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => SECRETS.test(name)));
}

/** Mounts `/outside/...` on the Express app. */
export function mountOutside(app) {
  app.all("/outside/echo/:key", (request, response) => {
    record(request.params.key, "echo", { method: request.method, headers: visible(request.headers) });
    response.status(Number(request.query.status ?? 200)).json({ method: request.method, body: request.body ?? null });
  });
  app.all("/outside/hangs-up/:key", (request) => {
    record(request.params.key, "hangs-up");
    request.socket.destroy();
  });
  app.post("/outside/ai/:key/chat/completions", (request, response) => {
    record(request.params.key, "inference", { headers: visible(request.headers), body: request.body });
    if (request.body.model === "broken") {
      response.status(400).json({ error: { message: "no such model" } });
      return;
    }
    const message = { role: "assistant", content: "forty-two" };
    response.json({ id: "chat-1", object: "chat.completion", choices: [{ index: 0, message }] });
  });
}
