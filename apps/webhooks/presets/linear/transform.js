// Names such as linear/issue.create.
function transform(evt, headers, queryParams, raw) {
  return {
    id: headers["Linear-Delivery"],
    name: "linear/" + String(evt.type).toLowerCase() + "." + evt.action,
    data: evt,
    ts: evt.webhookTimestamp,
  };
}
