// Copies a list of variables as lines for a shell; secrets are asked for (which is put on record), not shown.

import { copier, textOf } from "../copied.js";
import { askFor } from "./copy-secret.js";

async function lineOf(row) {
  const asking = row.querySelector("[data-controller~=copy-secret]");
  const value = asking ? await askFor(asking.form, asking.dataset.url) : row.querySelector("dd code").textContent;
  return value === null ? null : `export ${row.querySelector("dt").textContent.trim()}='${value.trim()}'`;
}

export default function copyVariables(button) {
  const copyText = copier(button, textOf(button.querySelector("span")));

  button.addEventListener("click", async () => {
    const rows = document.getElementById(button.dataset.variables).children;
    const lines = await Promise.all([...rows].map(lineOf));
    if (lines.includes(null)) return;
    await copyText(`${lines.join("\n")}\n`);
  });
}
