// A text area for code: Tab indents, Enter keeps the indentation; after Escape, Tab moves on as usual.

const INDENT = "  ";

function insert(area, text) {
  area.setRangeText(text, area.selectionStart, area.selectionEnd, "end");
  area.dispatchEvent(new Event("input", { bubbles: true }));
}

function indentation(area) {
  const line = area.value.slice(0, area.selectionStart).split("\n").pop();
  return line.match(/^\s*/)[0];
}

export default function codeEditor(area) {
  let leaves = false;
  area.addEventListener("blur", () => (leaves = false));
  area.addEventListener("keydown", (event) => {
    if (area.readOnly || event.isComposing) return;
    if (event.key === "Tab" && !event.shiftKey && !leaves) {
      event.preventDefault();
      insert(area, INDENT);
    } else if (event.key === "Enter" && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      insert(area, `\n${indentation(area)}`);
    }
    leaves = event.key === "Escape";
  });
}
