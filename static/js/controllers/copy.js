// Copies data-copy, or the text of the element that data-copy-from names, and says so.

function source(button) {
  return button.dataset.copy ?? document.getElementById(button.dataset.copyFrom).textContent;
}

export default function copy(button) {
  const icon = button.querySelector("use");
  const label = button.getAttribute("aria-label");
  const plain = icon?.getAttribute("href");

  button.addEventListener("click", async (event) => {
    event.preventDefault();
    await navigator.clipboard.writeText(source(button).trim());
    button.dataset.copied = "";
    button.setAttribute("aria-label", "Copied");
    icon?.setAttribute("href", plain.replace(/#.*/, "#check"));
    setTimeout(() => {
      delete button.dataset.copied;
      button.setAttribute("aria-label", label);
      icon?.setAttribute("href", plain);
    }, 1500);
  });
}
