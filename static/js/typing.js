// Keys of the page rest while someone types or a dialog is open.

export function isTyping(event) {
  return Boolean(event.target.closest("input, textarea, select, dialog, [contenteditable]"));
}
