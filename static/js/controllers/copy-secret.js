// Asks for a secret (which is put on record) and copies it without showing it.

const SAID_FOR_MS = 1500;

export default function copySecret(button) {
  const icon = button.querySelector("use");
  const plain = icon.getAttribute("href");
  const label = button.getAttribute("aria-label");

  button.addEventListener("click", async () => {
    const body = new FormData(button.form);
    const response = await fetch(button.dataset.url, { method: "POST", body, headers: { Accept: "text/plain" } });
    if (!response.ok) return;
    await navigator.clipboard.writeText(await response.text());
    button.dataset.copied = "";
    button.setAttribute("aria-label", "Copied");
    icon.setAttribute("href", plain.replace(/#.*/, "#check"));
    setTimeout(() => {
      delete button.dataset.copied;
      button.setAttribute("aria-label", label);
      icon.setAttribute("href", plain);
    }, SAID_FOR_MS);
  });
}
