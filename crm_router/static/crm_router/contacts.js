// The list of contacts is exchanged while somebody works in it.

const list = document.getElementById("contact-list");

// Not while boxes are checked: the next answer is taken when they are not.
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.elt !== list || !list.querySelector("input.action-select:checked")) return;
  event.detail.shouldSwap = false;
  delete list.dataset.etag;
});

// What was done with the selected ones is done.
document.addEventListener("htmx:beforeOnLoad", (event) => {
  if (!event.target.closest(".bulk button")) return;
  for (const box of list.querySelectorAll("input.action-select:checked")) box.checked = false;
});

// The boxes of a table that was exchanged count like those that came with the page.
document.addEventListener("htmx:afterSwap", (event) => {
  const boxes = list.querySelectorAll("tr input.action-select"), counter = document.querySelector(".bulk .action-counter");
  if (event.detail.target !== list || !boxes.length || !counter) return;
  counter.dataset.actionsIcnt = boxes.length;
  Actions(boxes, { parent: list.closest("form") });
});
