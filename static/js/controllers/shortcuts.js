// Page-wide keys: g then a letter goes to a page, j and k move through rows.

function isTyping(event) {
  return event.target.closest("input, textarea, select, dialog") || event.ctrlKey || event.metaKey || event.altKey;
}

function moveRow(step) {
  const rows = [...document.querySelectorAll(".row-link, a.timeline-bar-grid")];
  const at = rows.indexOf(document.activeElement);
  const next = at < 0 ? rows[0] : rows[Math.min(rows.length - 1, Math.max(0, at + step))];
  next?.focus();
}

export default function shortcuts(nav) {
  let waitsForLetter = false;
  const onKey = (event) => {
    if (isTyping(event)) return;
    const link = waitsForLetter && nav.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
    waitsForLetter = event.key === "g";
    if (link) link.click();
    else if (event.key === "j") moveRow(1);
    else if (event.key === "k") moveRow(-1);
  };
  document.addEventListener("keydown", onKey);
  return () => document.removeEventListener("keydown", onKey);
}
