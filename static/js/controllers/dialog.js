// The shell's one dialog: closes on its close buttons and on a press outside of it.

export default function dialog(element) {
  element.addEventListener("click", (event) => {
    const outside = event.target === element;
    if (!outside && !event.target.closest("[data-close]")) return;
    event.preventDefault();
    element.close();
  });
}
