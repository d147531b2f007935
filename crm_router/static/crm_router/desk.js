// The page of one's own contacts: the number of untaken ones in the title, dialogs, and what stays as it was when the
// part that follows what happens is exchanged.

const isDesk = (event) => event.detail.target.id === "desk";
const folds = () => [...document.querySelectorAll("#desk details[id]")];
let before = null; // which folds were open, and the card with the focus, before an exchange

document.addEventListener("htmx:beforeSwap", (event) => {
  if (!isDesk(event)) return;
  const card = document.activeElement.closest("#desk article");
  before = {
    open: new Set(folds().filter((fold) => fold.open).map((fold) => fold.id)),
    card: card && { id: card.id, place: [...document.querySelectorAll("#desk article")].indexOf(card) },
  };
});

document.addEventListener("htmx:afterSwap", (event) => {
  if (!isDesk(event) || !before) return;
  for (const fold of folds()) fold.open = before.open.has(fold.id);
  if (before.card && document.activeElement === document.body) focusCard(before.card);
  before = null;
  countInTitle();
});

// A button that has done its work is gone: the focus goes to its card, which may have moved, or to the one in its place.
function focusCard({ id, place }) {
  const cards = [...document.querySelectorAll("#desk article")];
  const card = document.getElementById(id) || cards[Math.min(place, cards.length - 1)];
  (card || document.getElementById("tab-open")).focus();
}

function countInTitle() {
  const count = document.querySelectorAll("#desk [data-untaken]").length;
  document.title = (count ? `(${count}) ` : "") + document.title.replace(/^\(\d+\) /, "");
}

document.addEventListener("htmx:afterSettle", (event) => {
  const dialog = event.detail.target.closest("dialog");
  if (!dialog) return;
  if (!dialog.open) {
    const opener = document.activeElement.id; // by its id, because it may be exchanged while the dialog is open
    dialog.onclose = () => document.getElementById(opener)?.focus();
    dialog.showModal();
  }
  dialog.querySelector("[autofocus], input:not([type=hidden])")?.focus();
});
document.addEventListener("closeDialog", () => document.getElementById("desk-dialog").close());
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-closes-dialog]")) event.target.closest("dialog").close();
});
