// Slack asks once who owns the URL; everything else is an event.
function respond(body, headers, queryParams, raw) {
  if (body.type !== "url_verification") return null;
  return { status: 200, headers: { "Content-Type": "text/plain" }, body: body.challenge };
}
