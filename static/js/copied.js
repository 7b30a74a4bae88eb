// Says on a button for a moment that it has copied: by its icon, and by its name for who hears it.

const SAID_FOR_MS = 1500;

export function copying(button, name) {
  const icon = button.querySelector("use");
  const plain = icon.getAttribute("href");
  const usual = name.get();

  return () => {
    button.dataset.copied = "";
    name.set("Copied");
    icon.setAttribute("href", plain.replace(/#.*/, "#check"));
    setTimeout(() => {
      delete button.dataset.copied;
      name.set(usual);
      icon.setAttribute("href", plain);
    }, SAID_FOR_MS);
  };
}

export const labelOf = (button) => ({
  get: () => button.getAttribute("aria-label"),
  set: (text) => button.setAttribute("aria-label", text),
});

export const textOf = (element) => ({
  get: () => element.textContent,
  set: (text) => (element.textContent = text),
});
