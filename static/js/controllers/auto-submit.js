// A form of filters that is sent as soon as one of them changes.

export default function autoSubmit(form) {
  form.addEventListener("change", () => form.requestSubmit());
}
