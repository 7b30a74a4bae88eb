// Asks for a secret (which is put on record) and copies it without showing it.

import { copier, labelOf } from "../copied.js";

export async function askFor(form, url) {
  const response = await fetch(url, { method: "POST", body: new FormData(form), headers: { Accept: "text/plain" } });
  return response.ok ? response.text() : null;
}

export default function copySecret(button) {
  const copyText = copier(button, labelOf(button));

  button.addEventListener("click", async () => {
    const secret = await askFor(button.form, button.dataset.url);
    if (secret === null) return;
    await copyText(secret);
  });
}
