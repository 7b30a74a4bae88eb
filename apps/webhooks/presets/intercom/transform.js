// Topics become names; the notification's item is the data. Intercom's test has no item.
function transform(evt, headers, queryParams, raw) {
  var item = evt.data && evt.data.item;
  return {
    id: evt.id ? "intercom-" + evt.id : undefined,
    name: "intercom/" + evt.topic,
    data: item || evt,
    ts: evt.created_at ? evt.created_at * 1000 : undefined,
  };
}
