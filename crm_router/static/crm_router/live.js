// Parts of pages that follow what happens: see core/admin/live.py.
//
// Each element with data-live asks for its address every data-every seconds. While the tab is hidden only those ask that
// have data-every-hidden, and nothing is exchanged while somebody types or chooses in it. What went wrong is said once,
// until it is over.

htmx.config.defaultSettleDelay = 0; // or what has just come does nothing for 20 ms

const LIVE = "[data-live]";
const PATIENCE = 20_000; // milliseconds until a question counts as not answered
const asking = new WeakSet();
const again = new WeakSet(); // what they are being answered may be old already
const due = new WeakMap();
const unanswered = new Set();
let isSignedOut = false;

function isBusy(part) {
  const focused = document.activeElement;
  return part.contains(focused) && focused.matches("input:not([type=checkbox]), select, textarea, [aria-expanded=true]");
}

function isLive(element) {
  return element instanceof Element && element.matches(LIVE);
}

// `news`: something was changed just now, so that an answer that is some seconds old will not do.
function ask(part, news) {
  asking.add(part);
  due.set(part, Date.now() + pause(part));
  const headers = news ? { "Live-News": "1" } : {};
  htmx
    .ajax("GET", part.dataset.live, { source: part, target: part, swap: "innerHTML", headers })
    .catch(() => {}) // htmx:sendError has told it
    .finally(() => {
      asking.delete(part);
      if (again.delete(part)) ask(part, true);
    });
}

// Milliseconds until it asks again.
function pause({ dataset }) {
  return 1000 * (document.hidden ? dataset.everyHidden : dataset.every || 10);
}

function askAll({ immediately = false, news = false }) {
  for (const part of document.querySelectorAll(LIVE)) {
    if ((document.hidden && !part.dataset.everyHidden) || isBusy(part)) continue;
    if (!due.has(part)) due.set(part, Date.now() + pause(part));
    const isDue = immediately || due.get(part) <= Date.now();
    if (isDue && !asking.has(part)) ask(part, news);
    else if (news) again.add(part);
  }
}

setInterval(() => askAll({}), 1000);
document.addEventListener("visibilitychange", () => document.hidden || askAll({ immediately: true }));
document.addEventListener("refresh", () => askAll({ immediately: true, news: true }));

// The cookie comes first: it is another after one has signed in again in another tab.
function csrfToken() {
  const cookie = document.cookie.split("; ").find((one) => one.startsWith("csrftoken="));
  return cookie?.slice("csrftoken=".length) || document.querySelector("[name=csrfmiddlewaretoken]")?.value;
}

// A form has the token of the moment when its page came.
document.addEventListener("submit", ({ target }) => {
  const field = target.querySelector("[name=csrfmiddlewaretoken]");
  if (field) field.value = csrfToken();
});

document.addEventListener("htmx:configRequest", (event) => {
  const { elt, headers, verb } = event.detail;
  if (verb === "get" && isLive(elt)) {
    event.detail.timeout = PATIENCE;
    if (elt.dataset.etag) headers["If-None-Match"] = elt.dataset.etag;
  }
  const token = csrfToken();
  if (verb !== "get" && token) headers["X-CSRFToken"] = token;
});

document.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr, elt, requestConfig } = event.detail;
  const asked = new URL(requestConfig.path, location.href).pathname;
  if (xhr.responseURL && new URL(xhr.responseURL).pathname !== asked && !xhr.getResponseHeader("HX-Trigger")) {
    event.detail.shouldSwap = false; // the page of sign-in in place of what was asked for
    isSignedOut = true;
    tell();
    return;
  }
  if (xhr.status < 400) {
    isSignedOut = false;
    unanswered.delete(elt);
    tell();
  }
  if (!isLive(elt)) return;
  if (xhr.status !== 200 || isBusy(elt)) event.detail.shouldSwap = false;
  else elt.dataset.etag = xhr.getResponseHeader("ETag") || "";
});

// A part that is exchanged keeps the focus where it was, and open what was opened.
let kept = { focused: null, opened: [] };
document.addEventListener("htmx:beforeSwap", ({ detail: { target } }) => {
  const focused = document.activeElement;
  kept = {
    focused: target.contains(focused) ? focused.id : null,
    opened: [...target.querySelectorAll("details[open][id]")].map((one) => one.id),
  };
});
document.addEventListener("htmx:afterSwap", () => {
  for (const id of kept.opened) document.getElementById(id)?.setAttribute("open", "");
  if (kept.focused) document.getElementById(kept.focused)?.focus({ preventScroll: true });
  kept = { focused: null, opened: [] };
});

// What is wrong with the connection, at the top of the page; its texts stand in the template. A part that is answered
// says nothing of another.
function tell() {
  const isStale = [...unanswered].some((part) => part.isConnected);
  const state = isSignedOut ? "signed-out" : isStale ? "stale" : null;
  for (const shown of document.querySelectorAll("[data-connection]")) shown.hidden = shown.dataset.connection !== state;
}
for (const failure of ["htmx:sendError", "htmx:responseError", "htmx:timeout"]) {
  document.addEventListener(failure, ({ detail: { elt } }) => {
    if (!isLive(elt)) return;
    unanswered.add(elt);
    tell();
  });
}
