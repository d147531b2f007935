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

// Rows of weekly hours: adds an empty one, with a number of its own, or removes one.
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-removes-row]")) event.target.closest("li").remove();
  if (!event.target.closest("[data-adds-row]")) return;
  const editor = event.target.closest("[data-rows]");
  const row = editor.querySelector("template").innerHTML.replaceAll("__number__", editor.dataset.next++);
  editor.querySelector("ul").insertAdjacentHTML("beforeend", row);
  editor.querySelector("li:last-child input").focus();
});

// Countries in the user's language, in which the browser knows them.
document.addEventListener("htmx:load", (event) => {
  const names = new Intl.DisplayNames([document.documentElement.lang], { type: "region" });
  for (const select of event.target.querySelectorAll("[data-regions]")) {
    const chosen = select.value;
    for (const option of select.options) option.textContent = names.of(option.value);
    select.append(...[...select.options].sort((one, other) => one.textContent.localeCompare(other.textContent)));
    select.value = chosen;
  }
});
