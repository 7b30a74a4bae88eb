// Parallel groups in race mode.

import { record } from "../common/recorder.js";

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export function groupFunctions({ define, prefix }) {
  const raceMode = define({ id: "race-mode" }, [{ event: `${prefix}/race-mode` }], async ({ event, step, group }) => {
    const key = event.data.key;
    const winner = await group.parallel({ mode: "race" }, () =>
      Promise.race([
        step.run("slow", async () => {
          record(key, "slow");
          await pause(2500);
          record(key, "slow done");
          return "slow";
        }),
        step.run("fast", () => (record(key, "fast"), "fast")),
      ]),
    );
    const after = await step.run("after", () => (record(key, "after"), `after ${winner}`));
    const last = await step.run("last", () => (record(key, "last"), "last"));
    return [winner, after, last];
  });

  const waitOrRun = define({ id: "race-wait" }, [{ event: `${prefix}/race-wait` }], async ({ event, step, group }) => {
    const key = event.data.key;
    return await group.parallel(() =>
      Promise.race([
        step.waitForEvent("never", { event: `${prefix}/nobody-sends`, timeout: "2s" }).then(() => "event"),
        step.run("fast", () => (record(key, "fast"), "fast")),
      ]),
    );
  });

  const buffered = define(
    { id: "buffered", checkpointing: { bufferedSteps: 3 } },
    [{ event: `${prefix}/buffered` }],
    async ({ event, step }) => {
      let sum = 0;
      for (let turn = 1; turn <= 7; turn += 1) {
        sum += await step.run(`turn-${turn}`, () => (record(event.data.key, `turn-${turn}`), turn));
      }
      return sum;
    },
  );

  const yields = define(
    { id: "yields", checkpointing: { maxRuntime: "1s" } },
    [{ event: `${prefix}/yields` }],
    async ({ event, step }) => {
      let count = 0;
      for (let turn = 0; turn < 4; turn += 1) {
        count += await step.run(`turn-${turn}`, async () => {
          record(event.data.key, `turn-${turn}`);
          await pause(400);
          return 1;
        });
      }
      return count;
    },
  );

  return [raceMode, waitOrRun, buffered, yields];
}
