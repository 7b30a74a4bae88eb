// HTTP requests and inference that the server makes for a function.

import { record } from "../recorder.js";

export function outboundFunctions({ define, prefix, sdk, ownUrl }) {
  const fetches = define({ id: "fetches" }, [{ event: `${prefix}/fetches` }], async ({ event, step }) => {
    record(event.data.key, "body");
    const { url, ...options } = event.data.request;
    const response = await step.fetch(url, options);
    return { status: response.status, type: response.headers.get("content-type"), body: await response.json() };
  });

  const wrapper = define({ id: "fetch-wrapper" }, [{ event: `${prefix}/fetch-wrapper` }], async ({ event }) => {
    record(event.data.key, "body");
    const response = await sdk.fetch(event.data.request.url, { method: "PUT", body: JSON.stringify({ wrapped: true }) });
    return { status: response.status, body: await response.json() };
  });

  const unreachable = define(
    { id: "fetch-unreachable", retries: 1 },
    [{ event: `${prefix}/fetch-unreachable` }],
    async ({ event, step }) => {
      try {
        await step.fetch(event.data.request.url);
      } catch (error) {
        const rescue = await step.run("rescue", () => (record(event.data.key, "rescue"), "rescued"));
        return { name: error.name, message: error.message, rescue };
      }
    },
  );

  const infers = define({ id: "infers", retries: 1 }, [{ event: `${prefix}/infers` }], async ({ event, step }) => {
    const { key, model } = event.data;
    try {
      const answer = await step.ai.infer("think", {
        model: step.ai.models.openai({ model, apiKey: process.env.AI_KEY, baseUrl: `${ownUrl}/outside/ai/${key}/` }),
        body: { messages: [{ role: "user", content: "What is six by seven?" }] },
      });
      return answer.choices[0].message.content;
    } catch (error) {
      return { name: error.name, message: error.message };
    }
  });

  const wraps = define({ id: "wraps" }, [{ event: `${prefix}/wraps` }], async ({ event, step }) => {
    const think = async (question) => (record(event.data.key, "think"), `${question} 42`);
    return await step.ai.wrap("think", think, "six by seven?");
  });

  return [fetches, wrapper, unreachable, infers, wraps];
}
