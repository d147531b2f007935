// Short notes on what a button has done: see core/admin/toasts.py. They stay for 20 seconds, longer under the pointer
// or with the focus, and can be closed. What failed without an answer of its own is told here too.

const STAYS = 20_000;

document.addEventListener("toast", (event) => {
  const { text, level, undo } = event.detail;
  const list = document.getElementById("toasts");
  const toast = list.querySelector("template").content.firstElementChild.cloneNode(true);
  toast.classList.add(level);
  toast.querySelector("[data-text]").textContent = text;
  const button = toast.querySelector("[data-undo]");
  if (undo) button.addEventListener("click", () => {
    toast.remove();
    htmx.ajax("POST", undo, { source: document.body, target: document.body, swap: "none" });
  });
  else button.remove();
  toast.querySelector("[data-close]").addEventListener("click", () => toast.remove());
  list.append(toast);
  const leave = () => (toast.matches(":hover, :focus-within") ? setTimeout(leave, STAYS) : toast.remove());
  setTimeout(leave, STAYS);
});

for (const failure of ["htmx:sendError", "htmx:responseError", "htmx:timeout"]) {
  document.addEventListener(failure, (event) => {
    const { elt, xhr } = event.detail;
    if (elt.matches("[data-live]") || xhr?.getResponseHeader("HX-Trigger")) return;
    const text = document.getElementById("toasts").dataset.failed;
    document.dispatchEvent(new CustomEvent("toast", { detail: { text, level: "error" } }));
  });
}
