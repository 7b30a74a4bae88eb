// A message that leaves by itself (errors stay until they are closed).

export default function toast(element) {
  const remove = () => element.remove();
  element.querySelector("[data-close]").addEventListener("click", remove);
  if (element.dataset.level === "error") return undefined;
  const timer = setTimeout(remove, 4000);
  return () => clearTimeout(timer);
}
