// The shell's navigation drawer on narrow screens.

export default function menu(shell) {
  const button = shell.querySelector("[data-menu-button]");
  const drawer = shell.querySelector("[data-menu-drawer]");
  const isOpen = () => shell.dataset.menu === "open";

  const set = (open) => {
    shell.dataset.menu = open ? "open" : "closed";
    button.setAttribute("aria-expanded", String(open));
    if (open) drawer.querySelector("a").focus();
    else button.focus();
  };

  const onClick = (event) => {
    if (event.target.closest("[data-menu-button]")) set(!isOpen());
    else if (isOpen() && !drawer.contains(event.target)) set(false);
  };
  const onKey = (event) => {
    if (event.key === "Escape" && isOpen()) set(false);
  };
  shell.addEventListener("click", onClick);
  document.addEventListener("keydown", onKey);
  return () => document.removeEventListener("keydown", onKey);
}
