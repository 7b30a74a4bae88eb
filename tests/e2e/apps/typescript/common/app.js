// One Express app with several SDK apps in it, each under a path of its own.

import { errorFunctions } from "./functions/errors.js";
import { eventFunctions } from "./functions/events.js";
import { invokeFunctions, otherAppFunctions } from "./functions/invokes.js";
import { optionFunctions, secretFunctions } from "./functions/options.js";
import { outboundFunctions } from "./functions/outbound.js";
import { parallelFunctions } from "./functions/parallel.js";
import { stepFunctions } from "./functions/steps.js";
import { waitFunctions } from "./functions/waits.js";
import { mountOutside } from "./outside.js";
import { startProxy } from "./proxy.js";
import { mountRecorder, recordRequests } from "./recorder.js";

const SECRET_KEY = "a key of the encryption middleware";

/** `version` holds what differs between the versions of the SDK; see v3/app.js and v4/app.js. */
export async function startApp(version) {
  const { express, prefix, port } = version;
  const app = express();
  app.use(express.json({ limit: "32mb" }));
  mountRecorder(app);
  mountOutside(app);
  for (const [path, serveOptions] of await mounts(version)) {
    app.use(path, recordRequests, version.serve(serveOptions));
  }
  app.listen(port, "127.0.0.1", () => console.log(`${prefix} listens at ${port}`));
}

async function mounts(version) {
  const { createClient, definer, prefix, sdk, port } = version;
  const context = (client, name = prefix) => ({
    client,
    define: definer(client),
    prefix: name,
    sdk,
    otherApp: `${prefix}-other`,
    ownUrl: `http://127.0.0.1:${port}`,
  });
  const client = createClient({ id: prefix, middleware: [version.greetingMiddleware] });
  const main = context(client);
  const groups = [
    stepFunctions, errorFunctions, parallelFunctions, waitFunctions, invokeFunctions, outboundFunctions,
    eventFunctions, optionFunctions, ...version.extraFunctions,
  ];
  const list = [["/api/inngest", { client, functions: groups.flatMap((group) => group(main)) }]];
  const mount = (name, functions, clientOptions = {}, serveOptions = {}) => {
    const side = createClient({ id: `${prefix}-${name}`, ...clientOptions });
    list.push([`/api/${name}`, { client: side, functions: functions(context(side, `${prefix}-${name}`)), ...serveOptions }]);
  };
  mount("other", otherAppFunctions);
  mount("streaming", stepFunctions, {}, { streaming: version.streaming });
  mount("plain", stepFunctions, { checkpointing: false });
  mount("secret", secretFunctions, { middleware: [version.encryptionMiddleware({ key: SECRET_KEY })] });
  const server = process.env.INNGEST_BASE_URL ?? process.env.INNGEST_DEV;
  const proxied = (name, baseUrl) => mount(name, stepFunctions, { baseUrl }, { baseUrl });
  proxied("counted", await startProxy(server));
  proxied("refused", await startProxy(server, { refuseCheckpoints: true }));
  return list;
}
