// The theme's dialogs, for keyboards and readers of the screen: the focus goes into the dialog, stays there while it is
// open, and returns to what has opened it.

const FOCUSABLE = "a[href], button, input:not([type=hidden]), select, textarea";

document.addEventListener("DOMContentLoaded", () => {
  const content = document.getElementById("modal-content");
  if (!content) return;
  content.setAttribute("role", "dialog");
  content.setAttribute("aria-modal", "true");
  content.tabIndex = -1;
  let opener = null;
  let isOpen = false;

  const stops = () => [...content.querySelectorAll(FOCUSABLE)].filter((one) => one.offsetParent && !one.disabled);

  // The theme shows and hides the dialog by the style of the element around it.
  new MutationObserver(() => {
    const isShown = content.parentElement.style.display !== "none";
    if (isShown === isOpen) return;
    isOpen = isShown;
    if (!isOpen) {
      opener?.focus({ preventScroll: true });
      return;
    }
    opener = document.activeElement;
    content.setAttribute("aria-label", content.querySelector("h1")?.textContent.trim() ?? "");
    (stops().find((one) => !one.matches("a, [type=submit]")) ?? stops()[0] ?? content).focus({ preventScroll: true });
  }).observe(content.parentElement, { attributes: true, attributeFilter: ["style"] });

  content.addEventListener("keydown", (event) => {
    const all = stops();
    if (event.key !== "Tab" || !all.length) return;
    const [leaving, entering] = event.shiftKey ? [all[0], all.at(-1)] : [all.at(-1), all[0]];
    if (document.activeElement !== leaving) return;
    event.preventDefault();
    entering.focus();
  });
});
