// Tabs after the ARIA pattern: arrow keys move, one panel shows.

export default function tabs(element) {
  const all = [...element.querySelectorAll("[role=tab]")];

  const select = (chosen) => {
    for (const tab of all) {
      const isChosen = tab === chosen;
      tab.setAttribute("aria-selected", String(isChosen));
      tab.tabIndex = isChosen ? 0 : -1;
      document.getElementById(tab.getAttribute("aria-controls")).hidden = !isChosen;
    }
  };

  element.addEventListener("click", (event) => {
    const tab = event.target.closest("[role=tab]");
    if (tab) select(tab);
  });
  element.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const at = all.indexOf(event.target);
    if (!step || at < 0) return;
    const next = all[(at + step + all.length) % all.length];
    select(next);
    next.focus();
  });
  select(all.find((tab) => tab.getAttribute("aria-selected") === "true") ?? all[0]);
}
