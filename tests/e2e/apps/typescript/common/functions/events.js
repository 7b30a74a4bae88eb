// Events that functions send and are triggered by.

import { record } from "../recorder.js";

export function eventFunctions({ define, prefix }) {
  const sends = define({ id: "sends" }, [{ event: `${prefix}/sends` }], async ({ event, step }) => {
    const key = event.data.key;
    const one = await step.sendEvent("one", { name: `${prefix}/heard`, data: { key, number: 1 } });
    const many = await step.sendEvent("many", [
      { name: `${prefix}/heard`, data: { key, number: 2 }, id: `${key}-2`, ts: 1700000000123, user: { name: "Zoë" } },
      { name: `${prefix}/nobody-listens`, data: { key, number: 3 } },
    ]);
    return { one: one.ids, many: many.ids };
  });

  const hears = define({ id: "hears" }, [{ event: `${prefix}/heard` }], async ({ event }) => {
    record(event.data.key, "heard", { number: event.data.number, ts: event.ts, user: event.user });
  });

  const several = define(
    { id: "several" },
    [{ event: `${prefix}/several.one` }, { event: `${prefix}/several.two`, if: "event.data.wanted == true" }],
    async ({ event }) => {
      record(event.data.key, event.name);
      return event.name;
    },
  );

  const wildcard = define({ id: "wildcard" }, [{ event: `${prefix}/wild.*` }], async ({ event }) => {
    record(event.data.key, event.name);
    return event.name;
  });

  const scheduled = define({ id: "scheduled" }, [{ cron: "TZ=Europe/Paris 30 4 1 1 *" }], async () => {});

  return [sends, hears, several, wildcard, scheduled];
}
