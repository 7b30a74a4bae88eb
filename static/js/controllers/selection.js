// The bar below a list whose rows can be ticked: by their boxes, or with x on the focused row; with Shift all
// rows from the one ticked before. It tells how many there are, and its link leads to what is done with them.

export default function selection(bar) {
  const boxes = () => [...document.querySelectorAll(`#${bar.dataset.list} [data-select]`)];
  const all = () => document.querySelector(`#${bar.dataset.list} [data-select-all]`);
  let before;

  const showAll = (count) => {
    const checked = count > 0 && count === boxes().length;
    if (all()) Object.assign(all(), { checked, indeterminate: count > 0 && !checked });
  };
  const show = () => {
    const ids = boxes().filter(({ checked }) => checked).map(({ value }) => value);
    bar.hidden = ids.length === 0;
    bar.querySelector("[data-count]").textContent = `${ids.length} selected`;
    bar.querySelector("[data-copy]").dataset.copy = ids.join("\n");
    const query = new URLSearchParams({ list: location.search.slice(1) });
    const link = bar.querySelector("a");
    if (link) link.href = `${bar.dataset.url.replace("/_/", `/${ids.join(",")}/`)}?${query}`;
    showAll(ids.length);
  };
  const tickBetween = (box) => {
    const rows = boxes();
    const [from, to] = [rows.findIndex(({ value }) => value === before), rows.indexOf(box)].sort((a, b) => a - b);
    for (const row of from < 0 ? [box] : rows.slice(from, to + 1)) row.checked = true;
  };
  const tickAll = (checked) => {
    for (const box of boxes()) box.checked = checked;
    show();
  };
  const onClick = (event) => {
    const box = event.target.closest(".col-select")?.querySelector("input");
    if (!box) return;
    if (event.target !== box) box.checked = !box.checked;
    if (box === all()) return tickAll(box.checked);
    if (event.shiftKey) tickBetween(box);
    before = box.value;
    show();
  };

  document.addEventListener("click", onClick);
  document.addEventListener("htmx:afterSettle", show);
  bar.querySelector("[data-clear]").addEventListener("click", () => tickAll(false));
  show();
  return () => {
    document.removeEventListener("click", onClick);
    document.removeEventListener("htmx:afterSettle", show);
  };
}
