// The filters of a list on phones: a button opens the page's own form (data-form) in a sheet. There nothing is
// sent before Apply, and closing the sheet in another way puts the choices back.

const WIDE = matchMedia("(min-width: 50rem)");

const fieldsOf = (form) => [...form.elements].filter(({ name, type }) => name && type !== "hidden");
const isSet = (field) => (field.type === "checkbox" ? field.checked : field.value !== "");
const remember = (form) => fieldsOf(form).map((field) => [field, field.value, field.checked]);

function putBack(choices) {
  for (const [field, value, checked] of choices) Object.assign(field, { value, checked });
}

export default function filterSheet(place) {
  const form = document.getElementById(place.dataset.form);
  const dialog = place.querySelector("dialog");
  const count = place.querySelector(".filter-count");
  let choices = [];

  const showCount = () => {
    const active = new Set(fieldsOf(form).filter(isSet).map(({ name }) => name));
    count.querySelector("[data-count]").textContent = active.size;
    count.hidden = active.size === 0;
  };
  const open = () => {
    choices = remember(form);
    dialog.returnValue = "";
    dialog.firstElementChild.append(form);
    dialog.showModal();
  };
  const onClose = () => {
    if (dialog.returnValue !== "applied") putBack(choices);
    place.after(form);
    showCount();
  };
  const hold = (event) => form.contains(event.target) && event.stopPropagation();
  const onSubmit = () => dialog.open && dialog.close("applied");
  const onWide = () => dialog.open && dialog.close();

  place.querySelector("[data-open]").addEventListener("click", open);
  dialog.addEventListener("close", onClose);
  dialog.addEventListener("change", hold, { capture: true });
  dialog.addEventListener("input", hold, { capture: true });
  form.addEventListener("submit", onSubmit);
  form.addEventListener("change", showCount);
  WIDE.addEventListener("change", onWide);
  showCount();
  return () => WIDE.removeEventListener("change", onWide);
}
