// A form on the page whose answer (htmx puts it there) belongs into the shell's dialog.

export default function dialogForm(form) {
  form.addEventListener("htmx:afterSwap", () => {
    const dialog = document.getElementById("dialog");
    if (!dialog.open) dialog.showModal();
    dialog.querySelector("button, a")?.focus();
  });
}
