// Copies for a button, which says for a moment what came of it: by its icon, and by its name for who hears it.

const SAID_FOR_MS = 1500;

// A function that copies a text. `name` is what the button is called (labelOf, textOf).
export function copier(button, name) {
  const icon = button.querySelector("use");
  const plain = icon.getAttribute("href");
  const usual = name.get();
  let saying;

  return async (text) => {
    const isWritten = await write(text, button);
    clearTimeout(saying);
    button.dataset.saying = "";
    button.toggleAttribute("data-copied", isWritten);
    name.set(isWritten ? "Copied" : "Could not copy");
    icon.setAttribute("href", plain.replace(/#.*/, isWritten ? "#check" : "#x"));
    saying = setTimeout(() => {
      delete button.dataset.saying;
      delete button.dataset.copied;
      name.set(usual);
      icon.setAttribute("href", plain);
    }, SAID_FOR_MS);
  };
}

// Whether the text is in the clipboard now. Pages that come over plain HTTP have no clipboard API.
async function write(text, button) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return writeBySelection(text, button);
  }
}

// Beside the button, since what is outside of an open dialog cannot be selected.
function writeBySelection(text, button) {
  const field = document.createElement("textarea");
  field.value = text;
  field.readOnly = true;
  field.className = "visually-hidden";
  button.after(field);
  field.select();
  const isWritten = document.execCommand("copy");
  field.remove();
  button.focus();
  return isWritten;
}

export const labelOf = (button) => ({
  get: () => button.getAttribute("aria-label"),
  set: (text) => button.setAttribute("aria-label", text),
});

export const textOf = (element) => ({
  get: () => element.textContent.trim(),
  set: (text) => (element.textContent = text),
});

// Of words that others follow.
export const startOf = (element) => ({
  get: () => element.textContent.trim(),
  set: (text) => (element.textContent = `${text} `),
});
