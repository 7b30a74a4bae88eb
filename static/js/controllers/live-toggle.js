// The button that pauses the live updates of its page, until it is pressed again or the page is left.

import { isPaused, setPaused } from "../pausing.js";

const WORDS = {
  live: { word: "Live", name: "Live: pause updates", title: "Pause live updates (l)" },
  paused: { word: "Paused", name: "Paused: resume updates", title: "Resume live updates (l)" },
};

export default function liveToggle(button) {
  const show = () => {
    const state = isPaused() ? "paused" : "live";
    const { word, name, title } = WORDS[state];
    button.dataset.state = state;
    button.lastElementChild.textContent = word;
    button.setAttribute("aria-label", name);
    button.title = title;
  };
  button.addEventListener("click", () => {
    setPaused(!isPaused());
    show();
  });
  show();
}
