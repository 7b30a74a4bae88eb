// Twilio sends a form: each field is a list, of which the first value counts.
function transform(evt, headers, queryParams, raw) {
  var data = {};
  for (var name in evt) data[name] = evt[name][0];
  var kind = data.CallSid ? "call." + (data.CallStatus || "received") : "message.received";
  if (data.MessageStatus && data.MessageStatus !== "received") kind = "message." + data.MessageStatus;
  var sid = data.MessageSid || data.SmsSid || data.CallSid;
  return { id: sid ? "twilio-" + sid + "-" + kind : undefined, name: "twilio/" + kind, data: data };
}
