// Options of functions that the server carries out.

import { record, recordInFlight } from "../recorder.js";

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export function optionFunctions({ define, prefix }) {
  const limited = define({ id: "limited", concurrency: 2 }, [{ event: `${prefix}/limited` }], async ({ event, step }) =>
    await step.run("work", () => recordInFlight(event.data.key, "work", "limited", () => pause(80))));

  const once = define({ id: "once", idempotency: "event.data.order" }, [{ event: `${prefix}/once` }], async ({ event }) => {
    record(event.data.key, "body");
  });

  const overdue = define({ id: "overdue", timeouts: { finish: "1s" } }, [{ event: `${prefix}/overdue` }], async ({ event, step }) => {
    await step.run("before", () => record(event.data.key, "before"));
    await step.sleep("long", "1h");
  });

  const logs = define({ id: "logs" }, [{ event: `${prefix}/logs` }], async ({ event, step, logger, greeting }) => {
    const { key } = event.data;
    logger.info(`outside ${key}`);
    await step.run("one", () => logger.info(`one ${key}`));
    await step.run("two", () => logger.info(`two ${key}`));
    await step.sleep("nap", 1000);
    logger.info(`end ${key}`);
    return greeting;
  });

  const resumes = define({ id: "resumes", retries: 20 }, [{ event: `${prefix}/resumes` }], async ({ event, step }) => {
    const key = event.data.key;
    const one = await step.run("one", () => (record(key, "one"), 1));
    const two = await step.run("two", () => (record(key, "two"), 2));
    const three = await step.run("three", async () => {
      record(key, "three");
      if (process.env.HANGS_IN_THREE) await new Promise(() => setInterval(() => {}, 1000));
      return 3;
    });
    return one + two + three;
  });

  return [limited, once, overdue, logs, resumes];
}

/** Functions of a client that encrypts. */
export function secretFunctions({ define, prefix }) {
  const keeps = define({ id: "keeps" }, [{ event: `${prefix}/secret` }], async ({ event, step }) => {
    const { key, encrypted } = event.data;
    const secret = await step.run("read", () => (record(key, "read", { encrypted }), `read ${encrypted.word}`));
    await step.sleep("nap", 1000);
    const again = await step.run("again", () => (record(key, "again", { secret }), secret.length));
    return { secret, again };
  });
  const sends = define({ id: "sends-secret" }, [{ event: `${prefix}/send-secret` }], async ({ event, step }) => {
    const { key, word } = { key: event.data.key, word: process.env.SECRET_WORD };
    await step.sendEvent("send", { name: `${prefix}/secret`, data: { key, encrypted: { word } } });
  });
  return [keeps, sends];
}
