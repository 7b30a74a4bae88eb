// Folds objects and arrays of a code block whose lines carry their depth, and toggles wrapping.

function refresh(lines) {
  let foldedAt = Infinity;
  for (const line of lines) {
    const depth = Number(line.dataset.depth);
    line.hidden = depth > foldedAt;
    if (!line.hidden) foldedAt = "folded" in line.dataset ? depth : Infinity;
  }
}

function innerCount(lines, start) {
  const depth = Number(lines[start].dataset.depth);
  const end = lines.findIndex((line, at) => at > start && Number(line.dataset.depth) <= depth);
  return end - start - 1;
}

function foldButton(lines, at) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "fold";
  button.setAttribute("aria-label", "Fold these lines");
  button.setAttribute("aria-expanded", "true");
  button.addEventListener("click", () => {
    const fold = button.getAttribute("aria-expanded") === "true";
    button.setAttribute("aria-expanded", String(!fold));
    if (fold) lines[at].dataset.folded = `${innerCount(lines, at)} lines`;
    else delete lines[at].dataset.folded;
    refresh(lines);
  });
  return button;
}

export default function json(block) {
  const lines = [...block.querySelectorAll(".code-line")];
  lines.forEach((line, at) => {
    if (/[{[]\s*$/.test(line.textContent)) line.prepend(foldButton(lines, at));
  });
  block.querySelector("[data-wrap-button]")?.addEventListener("click", (event) => {
    const wrapped = block.toggleAttribute("data-wrap");
    event.currentTarget.setAttribute("aria-pressed", String(wrapped));
  });
}
