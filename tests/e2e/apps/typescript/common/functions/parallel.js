// Steps side by side: all, race, groups of sequences, branches that fail.

import { record } from "../recorder.js";

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export function parallelFunctions({ define, prefix }) {
  const noting = (step, key) => (id, value) => step.run(id, () => (record(key, id), value));

  const all = define({ id: "all" }, [{ event: `${prefix}/all` }], async ({ event, step }) => {
    const run = noting(step, event.data.key);
    const results = await Promise.all([run("a", 1), run("b", 2), run("c", 3)]);
    return await run("sum", results[0] + results[1] + results[2]);
  });

  const twice = define({ id: "twice" }, [{ event: `${prefix}/twice` }], async ({ event, step }) => {
    const run = noting(step, event.data.key);
    await run("before", 0);
    const first = await Promise.all([run("a", 1), run("b", 2)]);
    const between = await run("between", 10);
    const second = await Promise.all([run("c", 3), run("d", 4)]);
    const last = await run("last", 20);
    return [...first, between, ...second, last];
  });

  const race = define({ id: "race" }, [{ event: `${prefix}/race` }], async ({ event, step }) => {
    const key = event.data.key;
    const winner = await Promise.race([
      step.run("fast", () => (record(key, "fast"), "fast")),
      step.run("slow", async () => {
        record(key, "slow");
        await pause(400);
        return "slow";
      }),
    ]);
    const after = await step.run("after", () => (record(key, "after"), winner));
    return [winner, after];
  });

  const sequences = define({ id: "sequences" }, [{ event: `${prefix}/sequences` }], async ({ event, step }) => {
    const run = noting(step, event.data.key);
    const branch = async (name) => [await run(`${name}1`, 1), await run(`${name}2`, 2), await run(`${name}3`, 3)];
    return await Promise.all(["x", "y", "z"].map(branch));
  });

  const wide = define({ id: "wide" }, [{ event: `${prefix}/wide` }], async ({ event, step }) => {
    const run = noting(step, event.data.key);
    const numbers = await Promise.all(Array.from({ length: 20 }, (_, number) => run(`wide-${number}`, number)));
    return numbers.length;
  });

  const failing = (id, key, step) => step.run(id, () => {
    record(key, id);
    throw new Error(`${id} failed`);
  });

  const settled = define(
    { id: "settled", retries: 1 },
    [{ event: `${prefix}/settled` }],
    async ({ event, step }) => {
      const key = event.data.key;
      const run = noting(step, key);
      const results = await Promise.allSettled([run("good", 1), failing("bad", key, step), run("also good", 2)]);
      return results.map((result) => result.value ?? result.reason.message);
    },
  );

  const branchFails = define(
    { id: "branch-fails", retries: 0 },
    [{ event: `${prefix}/branch-fails` }],
    async ({ event, step }) => {
      const key = event.data.key;
      return await Promise.all([noting(step, key)("good", 1), failing("bad", key, step)]);
    },
  );

  const mixed = define({ id: "mixed" }, [{ event: `${prefix}/mixed` }], async ({ event, step }) => {
    const key = event.data.key;
    const [ran, slept, received] = await Promise.all([
      step.run("run", () => (record(key, "run"), "ran")),
      step.sleep("sleep", 1000),
      step.waitForEvent("wait", { event: `${prefix}/mixed.answer`, match: "data.key", timeout: "10s" }),
    ]);
    return [ran, slept === undefined || slept === null, received.data.answer];
  });

  return [all, twice, race, sequences, wide, settled, branchFails, mixed];
}
