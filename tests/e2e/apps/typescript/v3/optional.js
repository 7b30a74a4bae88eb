// What v3 leaves to the user to turn on: one discovery after a parallel group, and checkpoints.

import { record } from "../common/recorder.js";

export function optionalFunctions({ define, prefix }) {
  const optimised = define(
    { id: "optimised", optimizeParallelism: true },
    [{ event: `${prefix}/optimised` }],
    async ({ event, step }) => {
      const run = (id, value) => step.run(id, () => (record(event.data.key, id), value));
      const [a, b, c] = await Promise.all([run("a", 1), run("b", 2), run("c", 3)]);
      return await run("sum", a + b + c);
    },
  );

  const checkpointed = define(
    { id: "checkpointed", checkpointing: true },
    [{ event: `${prefix}/checkpointed` }],
    async ({ event, step }) => {
      const one = await step.run("one", () => (record(event.data.key, "one"), 1));
      return await step.run("two", () => (record(event.data.key, "two"), one + 1));
    },
  );

  return [optimised, checkpointed];
}
