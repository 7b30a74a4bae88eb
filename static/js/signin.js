import { register, start } from "./controllers.js";
import autoSubmit from "./controllers/auto-submit.js";
import copy from "./controllers/copy.js";
import go from "./controllers/go.js";
import passkey from "./controllers/passkey.js";
import submit from "./controllers/submit.js";
import theme from "./controllers/theme.js";
import themeChoice from "./controllers/theme-choice.js";
import toast from "./controllers/toast.js";

register("auto-submit", autoSubmit);
register("copy", copy);
register("go", go);
register("passkey", passkey);
register("submit", submit);
register("theme", theme);
register("theme-choice", themeChoice);
register("toast", toast);

start();
