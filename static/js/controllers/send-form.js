// A button that sends another form's fields, and one more field of elsewhere, to a URL of its own.

export default function sendForm(button) {
  button.addEventListener("click", () => {
    const form = document.createElement("form");
    form.method = "post";
    form.action = button.dataset.url;
    const data = new FormData(document.getElementById(button.dataset.form));
    const other = document.getElementById(button.dataset.with);
    data.set(other.name, other.value);
    for (const [name, value] of data) {
      const field = document.createElement("textarea");
      Object.assign(field, { name, value, hidden: true });
      form.append(field);
    }
    document.body.append(form);
    form.submit();
  });
}
