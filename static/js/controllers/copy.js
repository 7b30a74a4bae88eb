// Copies data-copy, or the text of the element that data-copy-from names, and says so.

import { copier, labelOf, startOf } from "../copied.js";

function source(button) {
  return button.dataset.copy ?? document.getElementById(button.dataset.copyFrom).textContent;
}

export default function copy(button) {
  const hidden = button.querySelector(".visually-hidden");
  const copyText = copier(button, hidden ? startOf(hidden) : labelOf(button));

  button.addEventListener("click", (event) => {
    event.preventDefault();
    copyText(source(button).trim());
  });
}
