// A details element that closes like a menu: with Escape, and when something else is pressed or focused.

export default function popover(details) {
  const summary = details.querySelector("summary");
  const close = () => details.removeAttribute("open");

  const onOutside = (event) => {
    if (!details.contains(event.target)) close();
  };
  const onKey = (event) => {
    if (event.key !== "Escape" || !details.open) return;
    event.stopPropagation();
    close();
    summary.focus();
  };
  details.addEventListener("keydown", onKey);
  details.addEventListener("toggle", () => {
    if (details.open) details.querySelector("[data-filter]:not([hidden])")?.focus();
  });
  document.addEventListener("click", onOutside);
  document.addEventListener("focusin", onOutside);
  return () => {
    document.removeEventListener("click", onOutside);
    document.removeEventListener("focusin", onOutside);
  };
}
