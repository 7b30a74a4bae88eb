// Deferred functions: they start when the run that asked for them ends.

import { createDefer } from "inngest/experimental";

import { record } from "../common/recorder.js";

export function deferralFunctions({ define, prefix, client }) {
  const cleanUp = createDefer(client, { id: "clean-up" }, async ({ event, parents }) => {
    record(event.data.key, "clean-up", { data: event.data, parent: parents[0] });
    return event.data.note;
  });

  const defers = define({ id: "defers" }, [{ event: `${prefix}/defers` }], async ({ event, step, defer }) => {
    const key = event.data.key;
    defer("later", { function: cleanUp, data: { key, note: "kept" } });
    const aborted = defer("aborted", { function: cleanUp, data: { key, note: "aborted" } });
    await step.run("work", () => record(key, "work"));
    aborted.abort();
    await step.sleep("nap", "1s");
    record(key, "end");
    return "parent";
  });

  const atOnce = define({ id: "defers-at-once" }, [{ event: `${prefix}/defers-at-once` }], async ({ event, step, defer }) => {
    const key = event.data.key;
    defer("later", { function: cleanUp, data: { key, note: "at once" } });
    await step.run("work", () => record(key, "work"));
    return "parent";
  });

  const failing = async ({ event, step, defer }) => {
    const key = event.data.key;
    defer("later", { function: cleanUp, data: { key, note: "after a failure" } });
    if (event.data.works) await step.run("work", () => record(key, "work"));
    record(key, "throws");
    throw new Error("the parent failed");
  };
  const fails = define({ id: "defers-then-fails", retries: 1 }, [{ event: `${prefix}/defers-then-fails` }], failing);
  const failsClassic = define(
    { id: "defers-then-fails-classic", retries: 0, checkpointing: false },
    [{ event: `${prefix}/defers-then-fails-classic` }],
    failing,
  );

  return [cleanUp, defers, atOnce, fails, failsClassic];
}
