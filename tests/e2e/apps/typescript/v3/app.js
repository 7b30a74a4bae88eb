import { encryptionMiddleware } from "@inngest/middleware-encryption";
import express from "express";
import * as sdk from "inngest";
import { serve } from "inngest/express";

import { startApp } from "../common/app.js";
import { optionalFunctions } from "./optional.js";

const greetingMiddleware = new sdk.InngestMiddleware({
  name: "greeting",
  init: () => ({
    onFunctionRun: () => ({
      transformInput: () => ({ ctx: { greeting: "hello from the middleware" } }),
    }),
  }),
});

await startApp({
  express,
  sdk,
  serve,
  prefix: process.env.APP_ID ?? "ts3",
  port: Number(process.env.PORT),
  createClient: (options) => new sdk.Inngest(options),
  definer: (client) => (options, triggers, handler) => client.createFunction(options, triggers, handler),
  streaming: "force",
  greetingMiddleware,
  encryptionMiddleware,
  extraFunctions: [optionalFunctions],
});
