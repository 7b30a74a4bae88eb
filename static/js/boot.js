// Runs before the first paint: the chosen theme, a folded sidebar, and a mark that scripts are on.
(() => {
  const root = document.documentElement;
  root.dataset.scripts = "on";
  const theme = localStorage.getItem("stepwell.theme");
  if (localStorage.getItem("stepwell.sidebar") === "folded") root.dataset.sidebar = "folded";
  if (theme === "light" || theme === "dark") root.dataset.theme = theme;
})();
