// A form that cannot be sent twice; Ctrl or Command with Enter sends it. Whoever comes back to it by the
// browser's history may send it again.

export default function submit(form) {
  const buttons = () => form.querySelectorAll("[type=submit]");
  const hold = (held) => buttons().forEach((button) => (button.disabled = held));

  form.addEventListener("submit", () => setTimeout(() => hold(true)));
  form.addEventListener("htmx:afterRequest", () => hold(false));
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
  const onReturn = (event) => event.persisted && hold(false);
  window.addEventListener("pageshow", onReturn);
  return () => window.removeEventListener("pageshow", onReturn);
}
