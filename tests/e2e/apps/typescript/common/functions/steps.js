// Plain steps: chains, loops, ids and values of every kind.

import { record } from "../recorder.js";

const ODD_IDS = ["with space", "ünïcödé é<>&", "日本語", "🚀", "a/b?c=d&e#f", '"quoted"', "__proto__", "x".repeat(300)];

export const ODD_VALUES = {
  null: null,
  false: false,
  zero: 0,
  empty: "",
  text: "é<>&\u2028 \"quoted\" \\ 日本語 🚀",
  float: 0.1,
  tiny: 1e-7,
  huge: 1e21,
  bigInteger: 9007199254740991,
  list: [],
  object: {},
  data: { data: { data: 1 } },
  error: { error: { name: "NotAnError", message: "a value" } },
  nested: { z: [1, { y: null }], a: { b: { c: {} } } },
};

const sumOf = (numbers) => numbers.reduce((sum, number) => sum + number, 0);

export function stepFunctions({ define, prefix }) {
  const plain = define({ id: "plain" }, [{ event: `${prefix}/plain` }], async ({ event, runId, attempt }) => {
    record(event.data.key, "body");
    return { data: event.data, name: event.name, id: event.id, runId, attempt };
  });

  const chain = define({ id: "chain" }, [{ event: `${prefix}/chain` }], async ({ event, step }) => {
    const key = event.data.key;
    const one = await step.run("one", () => (record(key, "one"), 1));
    const two = await step.run("two", async () => (record(key, "two"), { one, doubled: one * 2 }));
    const three = await step.run("three", () => record(key, "three"));
    return [one, two, three];
  });

  const classic = define(
    { id: "classic", checkpointing: false },
    [{ event: `${prefix}/classic` }],
    async ({ event, step }) => {
      const key = event.data.key;
      const one = await step.run("one", () => (record(key, "one"), 1));
      return await step.run("two", () => (record(key, "two"), one + 1));
    },
  );

  const nothing = define({ id: "nothing" }, [{ event: `${prefix}/nothing` }], async () => {});

  const repeated = define({ id: "repeated" }, [{ event: `${prefix}/repeated` }], async ({ event, step }) => {
    const results = [];
    for (let turn = 0; turn < 3; turn += 1) {
      results.push(await step.run("same", () => (record(event.data.key, `same ${turn}`), turn)));
    }
    return results;
  });

  const nested = define({ id: "nested" }, [{ event: `${prefix}/nested` }], async ({ event, step }) => {
    const outer = async (name) => {
      const inner = await step.run(`${name}.inner`, () => (record(event.data.key, `${name}.inner`), name));
      return await step.run(`${name}.outer`, () => (record(event.data.key, `${name}.outer`), `<${inner}>`));
    };
    return [await outer("a"), await outer("b")];
  });

  const oddIds = define({ id: "odd-ids", name: "Ödd ⁂ name" }, [{ event: `${prefix}/odd-ids` }], async ({ event, step }) => {
    const results = [];
    for (const id of ODD_IDS) {
      results.push(await step.run(id, () => (record(event.data.key, id), id.length)));
    }
    return results;
  });

  const oddValues = define({ id: "odd-values" }, [{ event: `${prefix}/odd-values` }], async ({ event, step }) => {
    const results = {};
    for (const [name, value] of Object.entries(ODD_VALUES)) {
      results[name] = await step.run(name, () => (record(event.data.key, name), value));
    }
    await step.sleep("so that all comes back from the server", 1000);
    return results;
  });

  const loop = define({ id: "loop" }, [{ event: `${prefix}/loop` }], async ({ event, step }) => {
    const numbers = [];
    for (let turn = 0; turn < 100; turn += 1) {
      numbers.push(await step.run(`turn-${turn}`, () => (record(event.data.key, "turn", { turn }), turn)));
    }
    return sumOf(numbers);
  });

  const large = define({ id: "large" }, [{ event: `${prefix}/large` }], async ({ event, step }) => {
    const lengths = [];
    for (let turn = 0; turn < 3; turn += 1) {
      const text = await step.run(`large-${turn}`, () => {
        record(event.data.key, `large ${turn}`);
        return String(turn).repeat(2_000_000);
      });
      lengths.push(text.length);
    }
    await step.sleep("so that all comes back from the server", 1000);
    return lengths;
  });

  const inputs = define({ id: "inputs" }, [{ event: `${prefix}/inputs` }], async ({ event, step }) => {
    const add = (a, b) => (record(event.data.key, "add"), a + b);
    return await step.run("add", add, 19, 23);
  });

  return [plain, chain, classic, nothing, repeated, nested, oddIds, oddValues, loop, large, inputs];
}
