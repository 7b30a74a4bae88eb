// Sleeps, waits for events and signals, cancellation by events.

import { record } from "../recorder.js";

export function waitFunctions({ define, prefix }) {
  const naps = define({ id: "naps" }, [{ event: `${prefix}/naps` }], async ({ event, step }) => {
    const key = event.data.key;
    await step.run("before", () => record(key, "before"));
    await step.sleep("nap", "1s");
    await step.run("between", () => record(key, "between"));
    await step.sleepUntil("until", new Date(Date.now() + 300));
    await step.run("after", () => record(key, "after"));
    return "awake";
  });

  const past = define({ id: "sleeps-until-past" }, [{ event: `${prefix}/sleeps-until-past` }], async ({ step }) => {
    await step.sleepUntil("long ago", new Date("2001-01-01T00:00:00Z"));
    return "awake";
  });

  const waits = define({ id: "waits" }, [{ event: `${prefix}/waits` }], async ({ event, step }) => {
    record(event.data.key, "waits");
    const { by, timeout } = event.data;
    const condition = by === "if" ? { if: "event.data.key == async.data.key && async.data.amount >= 10" } : { match: "data.key" };
    const answer = await step.waitForEvent("answer", { event: `${prefix}/answer`, timeout, ...condition });
    return answer && { name: answer.name, data: answer.data, id: answer.id };
  });

  const asks = define({ id: "asks" }, [{ event: `${prefix}/asks` }], async ({ event, step }) => {
    const key = event.data.key;
    await step.sendEvent("too early", { name: `${prefix}/reply`, data: { key, said: "early" } });
    const [, reply] = await Promise.all([
      step.sendEvent("ask", { name: `${prefix}/reply`, data: { key, said: "in time" } }),
      step.waitForEvent("reply", { event: `${prefix}/reply`, match: "data.key", timeout: "10s" }),
    ]);
    return reply.data.said;
  });

  const cancellable = define(
    {
      id: "cancellable",
      cancelOn: [
        { event: `${prefix}/cancel.match`, match: "data.key" },
        { event: `${prefix}/cancel.if`, if: "async.data.key == event.data.key && async.data.sure" },
      ],
    },
    [{ event: `${prefix}/cancellable` }],
    async ({ event, step }) => {
      await step.run("before", () => record(event.data.key, "before"));
      await step.sleep("long", "1h");
      record(event.data.key, "never");
    },
  );

  const signalled = define({ id: "signalled" }, [{ event: `${prefix}/signalled` }], async ({ event, step }) => {
    record(event.data.key, "waits");
    const { signal, timeout = "1h", onConflict = "fail" } = event.data;
    return await step.waitForSignal("signal", { signal, timeout, onConflict });
  });

  const signals = define({ id: "signals" }, [{ event: `${prefix}/signals` }], async ({ event, step }) =>
    await step.sendSignal("send", { signal: event.data.signal, data: { from: event.data.key } }));

  return [naps, past, waits, asks, cancellable, signalled, signals];
}
