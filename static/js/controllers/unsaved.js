// A form whose changes would be lost with the page: it says so, asks before one leaves, and Ctrl or Command
// with S saves it.

export default function unsaved(form) {
  const read = () => JSON.stringify([...new FormData(form)]);
  let saved = read();
  let sent = saved;

  const look = () => form.toggleAttribute("data-unsaved", read() !== saved);
  const onLeave = (event) => {
    if (form.hasAttribute("data-unsaved")) event.preventDefault();
  };

  form.addEventListener("input", look);
  form.addEventListener("submit", () => (sent = read()));
  form.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.successful) saved = sent;
    look();
  });
  form.addEventListener("keydown", (event) => {
    if (event.key !== "s" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    form.requestSubmit();
  });
  window.addEventListener("beforeunload", onLeave);
  return () => window.removeEventListener("beforeunload", onLeave);
}
