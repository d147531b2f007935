// The labels of cards: Django begins some with a capital and some without, and CSS cannot reach the first letter of a
// label. When the page has come, and when a part of it is exchanged.
document.addEventListener("htmx:load", (event) => {
  for (const cell of event.target.querySelectorAll("[data-label]")) {
    const label = cell.dataset.label.trim();
    cell.dataset.label = label.charAt(0).toUpperCase() + label.slice(1);
  }
});

// Copies what stands in the element that the button names. The newer way to copy is not there without HTTPS.
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copies]");
  if (!button) return;
  getSelection().selectAllChildren(document.getElementById(button.dataset.copies));
  if (document.execCommand("copy")) button.textContent = button.dataset.done;
});
