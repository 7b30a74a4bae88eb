// Whether the page's live updates rest. What updates itself asks, and catches up when they go on.

const waiting = new Set();
let isResting = false;

export const isPaused = () => isResting;

export function setPaused(value) {
  isResting = value;
  if (!value) for (const catchUp of waiting) catchUp();
}

// Calls `catchUp` when updates go on; returns what ends that.
export function onResume(catchUp) {
  waiting.add(catchUp);
  return () => waiting.delete(catchUp);
}
