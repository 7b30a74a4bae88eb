// A proxy between an app and the server, as a company might have one. It counts, and it can refuse checkpoints.

import http from "node:http";

import { recordPost } from "./recorder.js";

const CHECKPOINT = /^\/v1\/(checkpoint|http\/runs)\//;

function forward(target, request, body, response) {
  const url = new URL(request.url, target);
  const headers = { ...request.headers, host: url.host };
  const onward = http.request(url, { method: request.method, headers }, (answer) => {
    recordPost(request.method, url.pathname, answer.statusCode);
    response.writeHead(answer.statusCode, answer.headers);
    answer.pipe(response);
  });
  onward.on("error", () => response.writeHead(502).end());
  onward.end(body);
}

/** Resolves to the URL of a proxy in front of `target`. */
export function startProxy(target, { refuseCheckpoints = false } = {}) {
  const server = http.createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    if (refuseCheckpoints && CHECKPOINT.test(request.url)) {
      recordPost(request.method, request.url, 500);
      response.writeHead(500).end("the proxy refuses");
      return;
    }
    forward(target, request, Buffer.concat(chunks), response);
  });
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve(`http://127.0.0.1:${server.address().port}`));
  });
}
