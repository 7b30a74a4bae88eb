// The form of the theme on the profile page: this browser follows the choice at once.

import { apply } from "./theme.js";

export default function themeChoice(form) {
  form.addEventListener("submit", () => apply(new FormData(form).get("theme")));
  form.addEventListener("change", () => form.requestSubmit());
}
