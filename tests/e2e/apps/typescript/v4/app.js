import { encryptionMiddleware } from "@inngest/middleware-encryption";
import express from "express";
import * as sdk from "inngest";
import { serve } from "inngest/express";

import { startApp } from "../common/app.js";
import { deferralFunctions } from "./deferrals.js";
import { groupFunctions } from "./groups.js";

class GreetingMiddleware extends sdk.Middleware.BaseMiddleware {
  id = "greeting";
  transformFunctionInput(input) {
    return { ...input, ctx: { ...input.ctx, greeting: "hello from the middleware" } };
  }
}

await startApp({
  express,
  sdk,
  serve,
  prefix: process.env.APP_ID ?? "ts4",
  port: Number(process.env.PORT),
  createClient: (options) => new sdk.Inngest(options),
  definer: (client) => (options, triggers, handler) => client.createFunction({ ...options, triggers }, handler),
  streaming: true,
  greetingMiddleware: GreetingMiddleware,
  encryptionMiddleware,
  extraFunctions: [groupFunctions, deferralFunctions],
});
