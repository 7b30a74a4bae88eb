// Also fits any other producer that sends through Svix.
function transform(evt, headers, queryParams, raw) {
  return { id: headers["Svix-Id"], name: "clerk/" + evt.type, data: evt.data };
}
