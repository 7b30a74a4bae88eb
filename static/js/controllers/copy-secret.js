// Asks for a secret (which is put on record) and copies it without showing it.

import { copying, labelOf } from "../copied.js";

export async function askFor(form, url) {
  const response = await fetch(url, { method: "POST", body: new FormData(form), headers: { Accept: "text/plain" } });
  return response.ok ? response.text() : null;
}

export default function copySecret(button) {
  const say = copying(button, labelOf(button));

  button.addEventListener("click", async () => {
    const secret = await askFor(button.form, button.dataset.url);
    if (secret === null) return;
    await navigator.clipboard.writeText(secret);
    say();
  });
}
