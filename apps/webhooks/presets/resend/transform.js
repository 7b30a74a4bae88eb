// Names such as resend/email.delivered; the time is the one at which it happened.
function transform(evt, headers, queryParams, raw) {
  return {
    id: headers["Svix-Id"],
    name: "resend/" + evt.type,
    data: evt.data,
    ts: evt.created_at ? new Date(evt.created_at).getTime() : undefined,
  };
}
