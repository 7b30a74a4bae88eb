// The topic orders/create becomes shopify/orders.create; which shop it was is in the data.
function transform(evt, headers, queryParams, raw) {
  var topic = (headers["X-Shopify-Topic"] || "unknown").split("/").join(".");
  return {
    id: headers["X-Shopify-Webhook-Id"],
    name: "shopify/" + topic,
    data: { shop: headers["X-Shopify-Shop-Domain"], payload: evt },
  };
}
