// Stripe's id lets a repeated delivery start nothing twice.
function transform(evt, headers, queryParams, raw) {
  return { id: "stripe-" + evt.id, name: "stripe/" + evt.type, data: evt.data.object, ts: evt.created * 1000 };
}
