// One event for each delivery, with the body as its data.
function transform(evt, headers, queryParams, raw) {
  return { name: "webhook/request.received", data: evt };
}
