// Parts of pages that follow what happens: see core/admin/live.py.
//
// Each element with data-live asks for its address every data-every seconds. While the tab is hidden only those ask that
// have data-every-hidden, and nothing is exchanged while somebody types or chooses in it. What went wrong is said once,
// until it is over.

const LIVE = "[data-live]";
const asking = new WeakSet();
const again = new WeakSet(); // what they are being answered may be old already
const due = new WeakMap();

function isBusy(part) {
  const focused = document.activeElement;
  return part.contains(focused) && focused.matches("input:not([type=checkbox]), select, textarea, [aria-expanded=true]");
}

function ask(part) {
  asking.add(part);
  due.set(part, Date.now() + pause(part));
  htmx.ajax("GET", part.dataset.live, { source: part, target: part, swap: "innerHTML" }).finally(() => {
    asking.delete(part);
    if (again.delete(part)) ask(part);
  });
}

// Milliseconds until it asks again.
function pause({ dataset }) {
  return 1000 * (document.hidden ? dataset.everyHidden : dataset.every || 10);
}

function askAll(immediately) {
  for (const part of document.querySelectorAll(LIVE)) {
    if ((document.hidden && !part.dataset.everyHidden) || isBusy(part)) continue;
    if (!due.has(part)) due.set(part, Date.now() + pause(part));
    const isDue = immediately || due.get(part) <= Date.now();
    if (isDue && !asking.has(part)) ask(part);
    else if (immediately) again.add(part);
  }
}

setInterval(() => askAll(false), 1000);
document.addEventListener("visibilitychange", () => document.hidden || askAll(true));
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
