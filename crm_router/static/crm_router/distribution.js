// The matrix of weights: shares while a weight is typed, pasting, and what is sent. See routing/admin/distribution.
//
// A cell's defaultValue is what is stored; what differs from it was typed.

const table = document.querySelector("[data-matrix]");
const form = document.getElementById("matrix-form");
const words = JSON.parse(document.getElementById("distribution-words").textContent);
const language = document.documentElement.lang;
const percent = new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 1 });
const decimal = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });

if (table) start();

function start() {
  const heads = [...table.tHead.rows[0].querySelectorAll("[data-source]")];
  const rows = [...table.tBodies[0].rows].map((row) => ({
    row,
    isOn: !row.classList.contains("is-off"),
    inputs: [...row.querySelectorAll("input")],
    shares: [...row.querySelectorAll("td > small")],
    sum: row.querySelector("[data-sum]"),
  }));
  const feet = Object.fromEntries([...table.tFoot.rows].map((row) => [row.dataset.foot, row.cells]));
  const places = new Map();
  rows.forEach(({ row, inputs }, line) =>
    inputs.forEach((input, column) => {
      places.set(input, { line, column });
      input.setAttribute("aria-labelledby", `o${row.dataset.operator} ${heads[column].id}`);
      if (input.dataset.typed !== undefined) input.value = input.dataset.typed;
    }),
  );

  const isRight = (text) => /^([1-9][0-9]?|100)?$/.test(text.trim());
  const weight = (input) => (isRight(input.value) ? Number(input.value) : Number(input.defaultValue));
  const isChanged = (input) => input.value.trim() !== input.defaultValue;

  function showColumn(column) {
    let total = 0;
    let onDuty = 0;
    let people = 0;
    for (const { inputs, isOn } of rows) {
      const its = weight(inputs[column]);
      total += its;
      if (its) people += 1;
      if (its && isOn) onDuty += 1;
    }
    for (const { inputs, shares } of rows) {
      const its = weight(inputs[column]);
      shares[column].textContent = its ? percent.format(its / total) : "";
    }
    holes[column] = onDuty ? null : people ? words.sourcesOffDuty : words.sourcesWithoutAnybody;
    const place = column + 1;
    feet.sum[place].textContent = total || "";
    feet.duty[place].textContent = people ? `${onDuty} / ${people}` : words.nobody;
    feet.duty[place].classList.toggle("is-wrong", !onDuty);
    if (people && !onDuty) feet.duty[place].textContent = words.nobodyOnDuty;
    feet.day[place].textContent = decimal.format(Number(heads[column].dataset.aDay));
    return total;
  }

  function showRows(totals) {
    let all = 0;
    for (const { inputs, sum } of rows) {
      let aDay = 0;
      let isOnRoster = false;
      inputs.forEach((input, column) => {
        const its = weight(input);
        if (!its) return;
        isOnRoster = true;
        aDay += (its / totals[column]) * Number(heads[column].dataset.aDay);
      });
      sum.textContent = isOnRoster ? decimal.format(aDay) : words.noSource;
      sum.classList.toggle("is-wrong", !isOnRoster);
      all += aDay;
    }
    feet.day[heads.length + 1].textContent = decimal.format(all);
  }

  function showWarnings() {
    const named = (words) => heads.filter((_, column) => holes[column] === words).map((head) => head.textContent.trim());
    const kinds = [words.sourcesWithoutAnybody, words.sourcesOffDuty].map((kind) => [kind, named(kind)]);
    const said = kinds.filter(([, names]) => names.length).map(([kind, names]) => kind.replace("{names}", () => names.join(", ")));
    document.querySelector("[data-warnings]").textContent = said.join(" ");
  }

  const holes = heads.map(() => null); // what is wrong with each source
  const totals = heads.map((_, column) => showColumn(column));
  showRows(totals);

  function refresh(columns) {
    for (const column of columns) totals[column] = showColumn(column);
    showRows(totals);
    showWarnings();
    showChanges();
  }

  function showChanges() {
    const cells = [];
    const sources = new Set();
    let wrong = 0;
    for (const { row, inputs } of rows) {
      inputs.forEach((input, column) => {
        const changed = isChanged(input);
        const right = isRight(input.value);
        input.classList.toggle("is-changed", changed);
        if (right) input.removeAttribute("aria-invalid");
        else input.setAttribute("aria-invalid", "true");
        if (!right) wrong += 1;
        if (!changed) return;
        const source = heads[column].dataset.source;
        sources.add(source);
        cells.push({ source, operator: row.dataset.operator, seen: input.defaultValue, weight: input.value.trim() });
      });
    }
    if (!form) return;
    form.elements.cells.value = JSON.stringify(cells);
    let said = words.unchanged;
    if (wrong) said = words.wrong.replace("{cells}", wrong);
    else if (cells.length) said = words.changed.replace("{cells}", cells.length).replace("{sources}", sources.size);
    form.querySelector("[data-count]").textContent = said;
    form.querySelector("[data-save]").disabled = !cells.length || Boolean(wrong);
    form.querySelector("[data-ask]").disabled = Boolean(wrong);
    form.querySelector("[data-discard]").disabled = !cells.length;
  }

  table.addEventListener("input", (event) => {
    const place = places.get(event.target);
    if (!place) return;
    refresh([place.column]);
    if (form && isChanged(event.target)) {
      form.querySelector("[data-what-if-source]").value = heads[place.column].dataset.source;
    }
  });

  // Up, down and Enter go from line to line, as in a spreadsheet.
  table.addEventListener("keydown", (event) => {
    const place = places.get(event.target);
    const step = { ArrowUp: -1, ArrowDown: 1, Enter: 1 }[event.key];
    if (!place || !step) return;
    event.preventDefault();
    const next = rows[place.line + step]?.inputs[place.column];
    next?.focus();
    next?.select();
  });

  table.addEventListener("paste", (event) => {
    const place = places.get(event.target);
    const pasted = event.clipboardData.getData("text").replace(/\r\n?/g, "\n").replace(/\n$/, "");
    if (!place || event.target.readOnly || !/[\t\n]/.test(pasted)) return;
    event.preventDefault();
    const columns = new Set();
    let beyond = 0;
    pasted.split("\n").forEach((line, down) =>
      line.split("\t").forEach((text, right) => {
        const input = rows[place.line + down]?.inputs[place.column + right];
        if (!input) beyond += 1;
        else {
          input.value = text.trim();
          columns.add(place.column + right);
        }
      }),
    );
    refresh(columns);
    if (form && columns.size) form.querySelector("[data-what-if-source]").value = heads[place.column].dataset.source;
    if (form && beyond) form.querySelector("[data-count]").textContent += ` ${words.pasted.replace("{cells}", beyond)}`;
  });

  // On a phone one source at a time is shown.
  const choice = document.querySelector("[data-shown-source]");
  function showSource() {
    const shown = heads.findIndex((head) => head.dataset.source === choice.value) + 1;
    for (const row of table.rows) {
      [...row.cells].forEach((cell, number) => cell.classList.toggle("is-shown", number === shown));
    }
  }
  choice.addEventListener("change", showSource);
  showSource();

  const everything = heads.map((_, column) => column);
  refresh(everything);

  if (!form) return;
  form.querySelector("[data-discard]").addEventListener("click", () => {
    for (const { inputs } of rows) for (const input of inputs) input.value = input.defaultValue;
    refresh(everything);
  });

  document.addEventListener("saved", () => {
    for (const { inputs, shares } of rows) {
      inputs.forEach((input, column) => {
        input.value = input.defaultValue = input.value.trim();
        shares[column].classList.remove("is-overtaken");
      });
    }
    form.elements.reason.value = "";
    refresh(everything);
  });

  // What others have set meanwhile: what was typed stays, and replaces it if it is saved again.
  document.addEventListener("overtaken", (event) => {
    const overtaken = event.detail.value ?? event.detail;
    for (const { source, operator, weight: stored } of overtaken) {
      const line = rows.find(({ row }) => row.dataset.operator === String(operator));
      const column = heads.findIndex((head) => head.dataset.source === String(source));
      if (!line || column < 0) continue;
      const typed = line.inputs[column].value;
      line.inputs[column].defaultValue = stored ?? "";
      line.inputs[column].value = typed;
    }
    refresh(everything);
    for (const { source, operator, weight: stored } of overtaken) {
      const line = rows.find(({ row }) => row.dataset.operator === String(operator));
      const column = heads.findIndex((head) => head.dataset.source === String(source));
      if (!line || column < 0) continue;
      line.shares[column].textContent = words.now.replace("{weight}", stored ?? words.none);
      line.shares[column].classList.add("is-overtaken");
    }
  });

  window.addEventListener("beforeunload", (event) => {
    if (form.elements.cells.value !== "[]" && !isFileSent) event.preventDefault();
  });
  let isFileSent = false;
  const fileForm = document.querySelector(".matrix-files form");
  fileForm.addEventListener("submit", () => (isFileSent = true));
  // The theme would look for a text beside every input of a file, and fail where there is none.
  fileForm.addEventListener("change", (event) => event.stopPropagation(), { capture: true });
}
