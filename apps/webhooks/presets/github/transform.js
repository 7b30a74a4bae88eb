// The kind of event is in a header, the action in the body.
function transform(evt, headers, queryParams, raw) {
  var kind = headers["X-Github-Event"] || "unknown";
  var suffix = evt.action ? "." + evt.action : "";
  return { id: headers["X-Github-Delivery"], name: "github/" + kind + suffix, data: evt };
}
