// A form on the page whose answer (htmx puts it there) belongs into the shell's dialog.

export default function dialogForm(form) {
  const onSwap = (event) => {
    if (event.detail.requestConfig?.elt !== form) return;
    const dialog = document.getElementById("dialog");
    if (!dialog.open) dialog.showModal();
    dialog.querySelector("button, a")?.focus();
  };
  document.body.addEventListener("htmx:afterSwap", onSwap);
  return () => document.body.removeEventListener("htmx:afterSwap", onSwap);
}
