// Parts of pages that follow what happens: see core/admin/live.py.
//
// Each element with data-live asks for its address every data-every seconds. Nothing is asked while the tab is hidden,
// and nothing exchanged while somebody types or chooses in it. What went wrong is said once, until it is over.

const LIVE = "[data-live]";
const asking = new WeakSet();
const due = new WeakMap();

function isBusy(part) {
  const focused = document.activeElement;
  return part.contains(focused) && focused.matches("input:not([type=checkbox]), select, textarea, [aria-expanded=true]");
}

function ask(part) {
  if (asking.has(part)) return;
  asking.add(part);
  due.set(part, Date.now() + 1000 * (part.dataset.every || 10));
  htmx.ajax("GET", part.dataset.live, { source: part, target: part, swap: "innerHTML" }).finally(() => asking.delete(part));
}

function askAll(immediately) {
  if (document.hidden) return;
  for (const part of document.querySelectorAll(LIVE)) {
    if (!due.has(part)) due.set(part, Date.now() + 1000 * (part.dataset.every || 10));
    if ((immediately || due.get(part) <= Date.now()) && !isBusy(part)) ask(part);
  }
}

setInterval(askAll, 1000);
document.addEventListener("visibilitychange", () => askAll(true));
document.addEventListener("refresh", () => askAll(true));

document.addEventListener("htmx:configRequest", (event) => {
  const { elt, headers, verb } = event.detail;
  if (elt.matches(LIVE) && verb === "get" && elt.dataset.etag) headers["If-None-Match"] = elt.dataset.etag;
  const token = document.querySelector("[name=csrfmiddlewaretoken]");
  if (verb !== "get" && token) headers["X-CSRFToken"] = token.value;
});

document.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr, elt, requestConfig } = event.detail;
  const asked = new URL(requestConfig.path, location.href).pathname;
  if (xhr.responseURL && new URL(xhr.responseURL).pathname !== asked && !xhr.getResponseHeader("HX-Trigger")) {
    event.detail.shouldSwap = false; // the page of sign-in in place of what was asked for
    tell("signed-out");
    return;
  }
  if (xhr.status < 400) tell(null);
  if (!elt.matches(LIVE)) return;
  if (xhr.status === 304 || isBusy(elt)) event.detail.shouldSwap = false;
  else if (xhr.status === 200) elt.dataset.etag = xhr.getResponseHeader("ETag") || "";
});

// A part that is exchanged keeps the focus where it was.
let focusedId = null;
document.addEventListener("htmx:beforeSwap", (event) => {
  const focused = document.activeElement;
  focusedId = event.detail.target.contains(focused) ? focused.id : null;
});
document.addEventListener("htmx:afterSwap", () => {
  if (focusedId) document.getElementById(focusedId)?.focus({ preventScroll: true });
  focusedId = null;
});

// What is wrong with the connection, at the top of the page; its texts stand in the template.
function tell(state) {
  for (const note of document.querySelectorAll("[data-connection]")) note.hidden = note.dataset.connection !== state;
}
for (const failure of ["htmx:sendError", "htmx:responseError", "htmx:timeout"]) {
  document.addEventListener(failure, (event) => {
    if (event.detail.elt.matches(LIVE)) tell("stale");
  });
}
