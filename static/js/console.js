// The scripts of the operator console: what the shell's frame needs, and no live updates.

import { register, start } from "./controllers.js";
import { startClock } from "./clock.js";
import menu from "./controllers/menu.js";
import popover from "./controllers/popover.js";
import theme from "./controllers/theme.js";
import toast from "./controllers/toast.js";

register("menu", menu);
register("popover", popover);
register("theme", theme);
register("toast", toast);

document.querySelector(".nav-link[aria-current]")?.scrollIntoView({ block: "nearest" });
startClock();
start();
