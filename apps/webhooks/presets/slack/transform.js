// Events of the Events API. Slash commands come as forms, without an event inside.
function transform(evt, headers, queryParams, raw) {
  if (evt.command) {
    return { name: "slack/command", data: { command: evt.command[0], text: evt.text[0], form: evt } };
  }
  var inner = evt.event || evt;
  return {
    id: evt.event_id,
    name: "slack/" + (inner.type || "unknown"),
    data: evt,
    ts: evt.event_time ? evt.event_time * 1000 : undefined,
  };
}
