// Copies data-copy, or the text of the element that data-copy-from names, and says so.

const SAID_FOR_MS = 1500;

function source(button) {
  return button.dataset.copy ?? document.getElementById(button.dataset.copyFrom).textContent;
}

function sayer(button) {
  const hidden = button.querySelector(".visually-hidden");
  if (hidden) return [hidden.textContent, (text) => (hidden.textContent = text)];
  return [button.getAttribute("aria-label"), (text) => button.setAttribute("aria-label", text)];
}

export default function copy(button) {
  const icon = button.querySelector("use");
  const plain = icon.getAttribute("href");
  const [label, say] = sayer(button);

  button.addEventListener("click", async (event) => {
    event.preventDefault();
    await navigator.clipboard.writeText(source(button).trim());
    button.dataset.copied = "";
    say("Copied ");
    icon.setAttribute("href", plain.replace(/#.*/, "#check"));
    setTimeout(() => {
      delete button.dataset.copied;
      say(label);
      icon.setAttribute("href", plain);
    }, SAID_FOR_MS);
  });
}
