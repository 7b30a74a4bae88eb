// A group of buttons that choose light, dark or the system's theme.

const KEY = "stepwell.theme";

export function apply(choice) {
  const root = document.documentElement;
  if (choice === "system") {
    localStorage.removeItem(KEY);
    delete root.dataset.theme;
  } else {
    localStorage.setItem(KEY, choice);
    root.dataset.theme = choice;
  }
}

export default function theme(element) {
  const buttons = [...element.querySelectorAll("[data-choice]")];
  const mark = () => {
    const current = localStorage.getItem(KEY) ?? "system";
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.choice === current));
  };
  element.addEventListener("click", (event) => {
    const button = event.target.closest("[data-choice]");
    if (!button) return;
    apply(button.dataset.choice);
    mark();
  });
  mark();
}
