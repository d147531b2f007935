// Counts on how long something is since or until: see formatting.elapsed and elapsed_words.html. Only pages that name
// their words use it.

function countOn() {
  const words = document.getElementById("elapsed-words").dataset;
  for (const shown of document.querySelectorAll("[data-elapsed]")) {
    const minutes = Math.floor(Math.abs(Date.now() - new Date(shown.dataset.elapsed)) / 60_000);
    if (minutes < 1) shown.textContent = words.less;
    else if (minutes < 60) shown.textContent = words.minutes.replace("#", minutes);
    else if (minutes < 24 * 60) shown.textContent = words.hours.replace("#", Math.floor(minutes / 60));
  }
}

setInterval(countOn, 10_000);
document.addEventListener("htmx:load", countOn);
document.addEventListener("visibilitychange", () => document.hidden || countOn());
