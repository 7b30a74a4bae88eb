// What a script finds in its isolate, evaluated before it. Answers the function by which the worker drives
// the call; the script has no way to reach that. It holds on to the built-ins that it needs, since the script
// may replace them, and tells results as text of its own, since `toJSON` may be anybody's.
(function () {
  "use strict";
  const everything = globalThis;
  const { parse, stringify } = JSON;
  const RealDate = Date;
  const RealPromise = Promise;
  const construct = Reflect.construct;
  const text = String;
  const MAX_LINES = 100;
  const MAX_LINE = 2000;
  const SEPARATOR = "\u0000";

  let now = 0;
  let isPreview = false;
  let maxResult = 0;
  let input = null;
  let logs = "";
  let lineCount = 0;

  // No timers, no shared memory, no code but JavaScript.
  for (const name of [
    "setTimeout", "clearTimeout", "__timer_manager", "Atomics", "SharedArrayBuffer", "WebAssembly", "WeakRef",
    "FinalizationRegistry", "Temporal",
  ]) {
    if (!delete_(name)) everything[name] = undefined;
  }

  function delete_(name) {
    return Reflect.deleteProperty(everything, name);
  }

  function hide(owner, name, value) {
    Object.defineProperty(owner, name, { value, writable: true, configurable: true, enumerable: false });
  }

  // The present is the moment of reception, however a script asks for it.
  function FixedDate(...args) {
    if (!new.target) return new RealDate(now).toString();
    return construct(RealDate, args.length ? args : [now], new.target);
  }
  hide(FixedDate, "now", () => now);
  hide(FixedDate, "parse", RealDate.parse);
  hide(FixedDate, "UTC", RealDate.UTC);
  Object.defineProperty(FixedDate, "name", { value: "Date", configurable: true });
  Object.defineProperty(FixedDate, "length", { value: 7, configurable: true });
  FixedDate.prototype = RealDate.prototype;
  hide(RealDate.prototype, "constructor", FixedDate);
  hide(everything, "Date", FixedDate);

  const formatting = Intl.DateTimeFormat.prototype;
  const formatOf = Object.getOwnPropertyDescriptor(formatting, "format").get;
  const partsOf = formatting.formatToParts;
  Object.defineProperty(formatting, "format", {
    configurable: true,
    get() {
      const format = formatOf.call(this);
      return (date) => format(date === undefined ? now : date);
    },
  });
  hide(formatting, "formatToParts", function (date) {
    return partsOf.call(this, date === undefined ? now : date);
  });

  function shown(value) {
    if (typeof value === "string") return value;
    try {
      const json = stringify(value);
      return json === undefined ? text(value) : json;
    } catch {
      return "[cannot be shown]";
    }
  }

  function log(...values) {
    if (!isPreview || lineCount >= MAX_LINES) return;
    let line = "";
    for (let i = 0; i < values.length && line.length < MAX_LINE; i++) line += (i ? " " : "") + shown(values[i]);
    logs += (lineCount ? SEPARATOR : "") + cut(line, MAX_LINE).split(SEPARATOR).join("");
    lineCount += 1;
  }
  hide(everything, "console", { log, info: log, warn: log, error: log, debug: log });

  const substring = "".substring;
  const wellFormed = "".toWellFormed;
  const apply = Reflect.apply;
  // At most so long, and without halves of surrogate pairs, which are no text outside of JavaScript.
  function cut(line, length) {
    return apply(wellFormed, line.length <= length ? line : apply(substring, line, [0, length]), []);
  }

  hide(everything, "header", (name) => input.lower[text(name).toLowerCase()]);

  function prepare(options, event, raw) {
    const given = parse(options);
    now = given.now;
    isPreview = given.preview;
    maxResult = given.max;
    const lower = { __proto__: null };
    for (const name of Object.keys(given.headers)) lower[name.toLowerCase()] = given.headers[name];
    input = { event: parse(event), headers: given.headers, query: given.query, raw, lower };
    return "";
  }

  function failure(problem) {
    let message = "";
    let stack = "";
    try {
      const isError = typeof problem === "object" && problem !== null && "message" in problem;
      message = isError ? text(problem.name || "Error") + ": " + text(problem.message) : shown(problem);
      stack = isError ? text(problem.stack) : "";
    } catch {
      message = message || "the script threw something that cannot be shown";
    }
    return "thrown" + SEPARATOR + cut(message, MAX_LINE).split(SEPARATOR).join(" ") + SEPARATOR + cut(stack, 8000);
  }

  function run(called, name) {
    let value;
    let json;
    try {
      value = called(input.event, input.headers, input.query, input.raw);
      if (value instanceof RealPromise) return "thrown" + SEPARATOR + name + " must not be async" + SEPARATOR;
      if (value === undefined) return "thrown" + SEPARATOR + name + " returned nothing" + SEPARATOR;
      json = stringify(value);
    } catch (problem) {
      return failure(problem);
    }
    if (typeof json !== "string") return "thrown" + SEPARATOR + name + " returned no JSON value" + SEPARATOR;
    if (json.length > maxResult) return "thrown" + SEPARATOR + "the result is too large" + SEPARATOR;
    return "ok" + SEPARATOR + json;
  }

  return function drive(action, ...args) {
    if (action === "prepare") return prepare(...args);
    return action === "run" ? run(...args) : logs;
  };
})()
