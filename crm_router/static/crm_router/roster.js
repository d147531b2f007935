// The shares of a roster while a weight is typed: what they become if it is left so. See routing/admin/rosters.py.

const percent = new Intl.NumberFormat(document.documentElement.lang, { style: "percent", maximumFractionDigits: 1 });

document.addEventListener("input", (event) => {
  const table = event.target.closest("[data-roster]");
  if (table) showShares(table);
});

function showShares(table) {
  const rows = [...table.querySelectorAll("[data-member]")].map((row) => {
    const field = row.querySelector("[data-stored]");
    const stored = Number(field.dataset.stored);
    const weight = field.matches("input:valid") && field.value ? Number(field.value) : stored;
    return { row, weight, more: weight - stored, isOnDuty: "duty" in row.dataset };
  });
  const sum = (known, changed) => Number(known) + changed.reduce((more, one) => more + one.more, 0);
  const total = sum(table.dataset.total, rows);
  const onDuty = sum(table.dataset.onDuty, rows.filter((one) => one.isOnDuty));
  for (const { row, weight, isOnDuty } of rows) {
    row.querySelector("[data-share]").textContent = percent.format(weight / total);
    if (isOnDuty) row.querySelector("[data-share-now]").textContent = percent.format(weight / onDuty);
  }
  table.querySelector("[data-sum]").textContent = total;
  table.querySelector("[data-sum-on-duty]").textContent = onDuty;
}

// The choice of an operator has a part without a name, which Django's script adds some time after the page has come.
document.addEventListener("DOMContentLoaded", () => {
  for (const choice of document.querySelectorAll(".roster-choice")) {
    const name = choice.querySelector("label").textContent;
    new MutationObserver(() => {
      choice.querySelector(".select2-selection__rendered")?.setAttribute("aria-label", name);
    }).observe(choice, { childList: true, subtree: true });
  }
});
