// The shell's navigation drawer on narrow screens.

export default function menu(shell) {
  const buttons = [...shell.querySelectorAll("[data-menu-button]")];
  let opener = buttons[0];
  const drawer = shell.querySelector("[data-menu-drawer]");
  const isOpen = () => shell.dataset.menu === "open";

  const set = (open) => {
    shell.dataset.menu = open ? "open" : "closed";
    for (const button of buttons) button.setAttribute("aria-expanded", String(open));
    if (open) drawer.querySelector("a").focus();
    else opener.focus();
  };

  const onClick = (event) => {
    const button = event.target.closest("[data-menu-button]");
    if (button) opener = button;
    if (button) set(!isOpen());
    else if (isOpen() && !drawer.contains(event.target)) set(false);
  };
  const onKey = (event) => {
    if (event.key === "Escape" && isOpen()) set(false);
  };
  shell.addEventListener("click", onClick);
  document.addEventListener("keydown", onKey);
  return () => document.removeEventListener("keydown", onKey);
}
