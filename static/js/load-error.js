// The notice in an element that updates itself (data-load-error): what failed, the request's id, and a way to
// try again. The next answer that comes takes it away.

const reasonOf = ({ status }) =>
  status ? `The server answered with an error (${status}).` : "The server could not be reached.";

function show(notice, xhr, retry) {
  const id = xhr.status ? xhr.getResponseHeader("X-Request-Id") : null;
  const request = notice.querySelector("[data-request]");
  notice.querySelector("[data-reason]").textContent = reasonOf(xhr);
  request.hidden = !id;
  request.querySelector("code").textContent = id ?? "";
  notice.querySelector("[data-retry]").onclick = retry;
  notice.hidden = false;
}

// Tells of requests for `element` that fail; `ask` asks again. Returns what ends that.
export function tellErrors(element, ask) {
  const onError = ({ detail: { target, xhr, requestConfig } }) => {
    const notice = target === element && element.querySelector("[data-load-error]");
    if (!notice) return;
    const { elt } = requestConfig;
    show(notice, xhr, elt instanceof HTMLFormElement ? () => elt.requestSubmit() : ask);
  };
  for (const name of ["htmx:responseError", "htmx:sendError"]) document.addEventListener(name, onError);
  return () => {
    for (const name of ["htmx:responseError", "htmx:sendError"]) document.removeEventListener(name, onError);
  };
}
