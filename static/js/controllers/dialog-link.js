// A link to a small page (a form, a confirmation) that opens in the shell's dialog instead.

export default function dialogLink(link) {
  link.addEventListener("click", async (event) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    const dialog = document.getElementById("dialog");
    await window.htmx.ajax("GET", link.href, { target: "#dialog-body", swap: "innerHTML" });
    if (!dialog.open) dialog.showModal();
    dialog.querySelector("[autofocus], textarea, button")?.focus();
  });
}
