// Leaving a page with something typed into a form with data-warns asks first. Forms of the theme do so by themselves.

let isUnsaved = false;

document.addEventListener("input", (event) => {
  if (event.target.closest("form[data-warns]")) isUnsaved = true;
});
document.addEventListener("submit", () => {
  isUnsaved = false;
});
window.addEventListener("beforeunload", (event) => {
  if (isUnsaved) event.preventDefault();
});
