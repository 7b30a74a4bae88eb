// The event is named after what the body calls it; its data is `data` of the body, or all of it.
function transform(evt, headers, queryParams, raw) {
  var kind = evt.type || evt.name || evt.event_type || "received";
  var data = evt.data && typeof evt.data === "object" && !Array.isArray(evt.data) ? evt.data : evt;
  return { name: "PREFIX" + "/" + kind, data: data };
}
