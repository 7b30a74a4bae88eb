// Errors of functions and steps: retried, final, caught, told to onFailure.

import { record } from "../recorder.js";

class PaymentError extends Error {
  name = "PaymentError";
}

export function errorFunctions({ define, prefix, sdk }) {
  const { NonRetriableError, RetryAfterError } = sdk;

  const onFailure = async ({ event, error, step }) => {
    const { function_id, run_id, event: original } = event.data;
    await step.run("note", () =>
      record(original.data.key, "onFailure", {
        functionId: function_id,
        runId: run_id,
        name: error.name,
        message: error.message,
        isError: error instanceof Error,
        original: original.name,
      }),
    );
  };

  const stepRecovers = define(
    { id: "step-recovers", retries: 3 },
    [{ event: `${prefix}/step-recovers` }],
    async ({ event, step, attempt }) => {
      const key = event.data.key;
      await step.run("before", () => record(key, "before"));
      const flaky = await step.run("flaky", () => {
        record(key, "flaky", { attempt });
        if (attempt < 2) throw new PaymentError(`attempt ${attempt}`);
        return `worked at attempt ${attempt}`;
      });
      const after = await step.run("after", () => (record(key, "after"), "after"));
      return [flaky, after];
    },
  );

  const stepFails = define(
    { id: "step-fails", retries: 2, onFailure },
    [{ event: `${prefix}/step-fails` }],
    async ({ event, step, attempt }) => {
      await step.run("doomed", () => {
        record(event.data.key, "doomed", { attempt });
        throw new PaymentError("card declined");
      });
    },
  );

  const stepCaught = define(
    { id: "step-caught", retries: 1 },
    [{ event: `${prefix}/step-caught` }],
    async ({ event, step }) => {
      try {
        await step.run("doomed", () => {
          record(event.data.key, "doomed");
          throw new PaymentError("card declined", { cause: new Error("no money") });
        });
      } catch (error) {
        const caught = { name: error.name, message: error.message, isStepError: error instanceof sdk.StepError };
        const rescue = await step.run("rescue", () => (record(event.data.key, "rescue"), "rescued"));
        return { caught, cause: error.cause?.message ?? null, rescue };
      }
    },
  );

  const throws = define(
    { id: "throws", retries: 2, onFailure },
    [{ event: `${prefix}/throws` }],
    async ({ event, attempt }) => {
      record(event.data.key, "body", { attempt });
      throw new PaymentError(`attempt ${attempt}`);
    },
  );

  const throwsOnce = define(
    { id: "throws-once", retries: 1 },
    [{ event: `${prefix}/throws-once` }],
    async ({ event, step, attempt }) => {
      await step.run("before", () => record(event.data.key, "before"));
      record(event.data.key, "body", { attempt });
      if (attempt === 0) throw new Error("once");
      return attempt;
    },
  );

  const noRetries = define({ id: "no-retries", retries: 0 }, [{ event: `${prefix}/no-retries` }], async ({ event }) => {
    record(event.data.key, "body");
    throw new Error("only once");
  });

  const final = define({ id: "final", onFailure }, [{ event: `${prefix}/final` }], async ({ event }) => {
    record(event.data.key, "body");
    throw new NonRetriableError("never again", { cause: new Error("the reason") });
  });

  const finalStep = define({ id: "final-step" }, [{ event: `${prefix}/final-step` }], async ({ event, step }) => {
    try {
      await step.run("doomed", () => {
        record(event.data.key, "doomed");
        throw new NonRetriableError("never again");
      });
    } catch (error) {
      if (!event.data.catches) throw error;
      return { caught: error.message, isStepError: error instanceof sdk.StepError };
    }
  });

  const retryAfter = define(
    { id: "retry-after", retries: 1 },
    [{ event: `${prefix}/retry-after` }],
    async ({ event, attempt }) => {
      record(event.data.key, "body");
      if (attempt === 0) throw new RetryAfterError("too many", "3s");
      return attempt;
    },
  );

  const retryAfterStep = define(
    { id: "retry-after-step", retries: 1 },
    [{ event: `${prefix}/retry-after-step` }],
    async ({ event, step, attempt }) =>
      await step.run("limited", () => {
        record(event.data.key, "limited");
        if (attempt === 0) throw new RetryAfterError("too many", 3000);
        return attempt;
      }),
  );

  const throwsText = define({ id: "throws-text", retries: 0 }, [{ event: `${prefix}/throws-text` }], async () => {
    throw "just a text";
  });

  return [
    stepRecovers, stepFails, stepCaught, throws, throwsOnce, noRetries, final, finalStep, retryAfter, retryAfterStep,
    throwsText,
  ];
}
