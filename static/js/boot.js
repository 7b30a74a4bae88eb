// Runs before the first paint: the chosen theme, and a mark that scripts are on.
(() => {
  const root = document.documentElement;
  root.dataset.scripts = "on";
  const theme = localStorage.getItem("stepwell.theme");
  if (theme === "light" || theme === "dark") root.dataset.theme = theme;
})();
