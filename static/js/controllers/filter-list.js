// Narrows a list of data-filter-item elements to those that hold what is typed into data-filter.

const SHOWN_FROM = 6;

export default function filterList(element) {
  const input = element.querySelector("[data-filter]");
  const items = [...element.querySelectorAll("[data-filter-item]")];
  const groups = [...element.querySelectorAll("[data-filter-group]")];
  const none = element.querySelector("[data-filter-none]");

  const apply = () => {
    const wanted = input.value.trim().toLowerCase();
    for (const item of items) item.hidden = !item.textContent.toLowerCase().includes(wanted);
    for (const group of groups) group.hidden = !group.querySelector("[data-filter-item]:not([hidden])");
    none.hidden = items.some((item) => !item.hidden);
  };

  input.hidden = items.length < SHOWN_FROM;
  input.addEventListener("input", apply);
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    items.find((item) => !item.hidden)?.querySelector("a").click();
  });
}
