// Functions that invoke others: by object, by reference, in another app, failing, late, cancelled.

import { record } from "../recorder.js";

const describe = (error) => ({ name: error.name, message: error.message });

export function invokeFunctions({ define, prefix, sdk, otherApp }) {
  const callee = define({ id: "callee" }, [{ event: `${prefix}/callee` }], async ({ event, step }) => {
    const doubled = await step.run("double", () => (record(event.data.key, "callee"), event.data.number * 2));
    return { doubled, event: event.name };
  });

  const silent = define({ id: "silent" }, [{ event: `${prefix}/silent` }], async () => {});

  const fails = define({ id: "fails", retries: 0 }, [{ event: `${prefix}/fails` }], async () => {
    throw new TypeError("the callee failed");
  });

  const sleeper = define(
    { id: "sleeper", cancelOn: [{ event: `${prefix}/wake`, match: "data.key" }] },
    [{ event: `${prefix}/sleeper` }],
    async ({ event, step }) => {
      record(event.data.key, "sleeps");
      await step.sleep("long", "1h");
    },
  );

  const targets = {
    object: callee,
    reference: sdk.referenceFunction({ functionId: "callee" }),
    otherApp: sdk.referenceFunction({ appId: otherApp, functionId: "callee" }),
    missing: sdk.referenceFunction({ functionId: "there-is-none" }),
    silent,
    fails,
    sleeper,
  };

  const invokes = define(
    { id: "invokes", retries: 0 },
    [{ event: `${prefix}/invokes` }],
    async ({ event, step }) => {
      const { key, target, timeout } = event.data;
      try {
        const options = { function: targets[target], data: { key, number: 21 }, ...(timeout && { timeout }) };
        return { result: await step.invoke("invoke", options) };
      } catch (error) {
        return { error: describe(error) };
      }
    },
  );

  return [callee, silent, fails, sleeper, invokes];
}

/** The functions of a second app, which the first one invokes. */
export function otherAppFunctions({ define }) {
  const callee = define({ id: "callee" }, [{ event: "other/callee" }], async ({ event }) => {
    record(event.data.key, "other callee");
    return { tripled: event.data.number * 3 };
  });
  return [callee];
}
