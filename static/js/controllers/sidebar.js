// The button that folds the sidebar to its icons, and Ctrl or Command with B; kept per browser (boot.js).

import { isTyping } from "../typing.js";

const KEY = "stepwell.sidebar";

export default function sidebar(button) {
  const root = document.documentElement;
  const mark = () => {
    const folded = root.dataset.sidebar === "folded";
    button.setAttribute("aria-expanded", String(!folded));
    button.setAttribute("aria-label", folded ? "Unfold the sidebar" : "Fold the sidebar");
  };
  const toggle = () => {
    if (root.dataset.sidebar === "folded") {
      localStorage.removeItem(KEY);
      delete root.dataset.sidebar;
    } else {
      localStorage.setItem(KEY, "folded");
      root.dataset.sidebar = "folded";
    }
    mark();
  };
  const onKey = (event) => {
    const isShortcut = event.key.toLowerCase() === "b" && (event.ctrlKey || event.metaKey);
    if (!isShortcut || event.shiftKey || event.altKey || isTyping(event)) return;
    event.preventDefault();
    toggle();
  };
  button.addEventListener("click", toggle);
  document.addEventListener("keydown", onKey);
  mark();
  return () => document.removeEventListener("keydown", onKey);
}
