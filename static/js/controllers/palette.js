// The command palette: Ctrl or Command with K opens it, arrows choose, Enter goes there.

const DEBOUNCE_MS = 200;

export function openPalette() {
  const dialog = document.getElementById("palette");
  if (!dialog.open) dialog.showModal();
  const input = dialog.querySelector("input");
  input.select();
  input.dispatchEvent(new Event("input", { bubbles: true }));
}

export function paletteButton(link) {
  link.addEventListener("click", (event) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    openPalette();
  });
}

export default function palette(dialog) {
  const input = dialog.querySelector("input");
  const results = dialog.querySelector(".palette-results");
  const options = () => [...results.querySelectorAll("[role=option]")];
  let timer = 0;
  let asked = 0;

  const mark = (chosen) => {
    for (const option of options()) option.setAttribute("aria-selected", String(option === chosen));
    input.setAttribute("aria-expanded", String(Boolean(chosen)));
    chosen?.scrollIntoView({ block: "nearest" });
    if (chosen) input.setAttribute("aria-activedescendant", chosen.id);
    else input.removeAttribute("aria-activedescendant");
  };
  const current = () => results.querySelector("[aria-selected=true]");

  const ask = async () => {
    const turn = (asked += 1);
    const url = new URL(dialog.dataset.url, location.href);
    url.searchParams.set("q", input.value);
    const headers = { "HX-Request": "true", "HX-Target": "palette-results" };
    const response = await fetch(url, { headers }).catch(() => null);
    if (turn !== asked || !response?.ok) return;
    results.innerHTML = await response.text();
    mark(options()[0]);
  };

  const onInput = () => {
    clearTimeout(timer);
    timer = setTimeout(ask, results.childElementCount ? DEBOUNCE_MS : 0);
  };
  const onKey = (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const all = options();
    if (step && all.length) {
      event.preventDefault();
      mark(all[(all.indexOf(current()) + step + all.length) % all.length]);
    } else if (event.key === "Enter") {
      event.preventDefault();
      current()?.click();
    }
  };
  const onShortcut = (event) => {
    if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey) return;
    event.preventDefault();
    openPalette();
  };

  input.addEventListener("input", onInput);
  input.addEventListener("keydown", onKey);
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog || event.target.closest("a")) dialog.close();
  });
  document.addEventListener("keydown", onShortcut);
  return () => document.removeEventListener("keydown", onShortcut);
}
