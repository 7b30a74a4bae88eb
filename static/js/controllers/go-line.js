// A button that selects a line of a text area.

export default function goLine(button) {
  button.addEventListener("click", () => {
    const area = document.getElementById(button.dataset.field);
    const lines = area.value.split("\n");
    const at = Math.min(Number(button.dataset.line), lines.length) - 1;
    const start = lines.slice(0, at).join("\n").length + (at ? 1 : 0);
    area.closest("details")?.setAttribute("open", "");
    area.focus();
    area.setSelectionRange(start, start + lines[at].length);
  });
}
