// Keys of the page rest while someone types or a dialog is open.

export function isTyping(event) {
  return Boolean(event.target.closest("input:not([type=checkbox], [type=radio]), textarea, select, dialog, [contenteditable]"));
}
