// Controls that apply at once, without a form to save: see routing/admin/switches.py. An input with data-instant sends
// what was shown along with what is typed, and shows again what is stored if that was not taken.

const INSTANT = "[data-instant]";

function showStored(scope) {
  for (const input of scope.querySelectorAll(INSTANT)) {
    if (input.value === input.defaultValue) continue;
    input.value = input.defaultValue;
    input.dispatchEvent(new Event("input", { bubbles: true }));
  }
}

document.addEventListener("htmx:configRequest", (event) => {
  const { elt, parameters } = event.detail;
  if (elt.matches(INSTANT)) parameters.seen = elt.defaultValue;
});

document.addEventListener("htmx:afterRequest", (event) => {
  const { elt, xhr } = event.detail;
  if (elt.matches(INSTANT) && xhr.status === 204) elt.defaultValue = elt.value;
  else if (elt.matches(INSTANT) && xhr.status !== 200) showStored(elt.parentElement);
  if (elt.matches("#question form")) document.getElementById("question").close();
  if (elt.matches("[data-resets]") && xhr.status === 204) reset(elt);
});

// A form that adds something is empty again; the theme's choice of one of many does not notice a reset.
function reset(form) {
  form.reset();
  for (const select of form.querySelectorAll(".admin-autocomplete")) django.jQuery(select).val(null).trigger("change");
}

// What is exchanged elsewhere on the page leaves alone the input in which somebody types, and keeps the focus.
let focused = null;
document.addEventListener("htmx:oobBeforeSwap", (event) => {
  const active = document.activeElement;
  if (!event.detail.target.contains(active)) return;
  if (active.matches(INSTANT) && active.value !== active.defaultValue) event.detail.shouldSwap = false;
  focused = active.id;
});
document.addEventListener("htmx:oobAfterSwap", () => {
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  focused = null;
});

// The question before a change that does harm. Escape and Cancel change nothing.
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target.id === "question") event.detail.target.showModal();
});
document.addEventListener("click", (event) => {
  if (event.target.closest("#question [data-cancels]")) document.getElementById("question").close();
});
document.addEventListener("close", (event) => {
  if (event.target.id !== "question") return;
  event.target.replaceChildren();
  showStored(document);
}, true);
