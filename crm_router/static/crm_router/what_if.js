// The charts of a what-if, and the end of asking for it. The table beside them has the same numbers.

const charts = [];
const said = JSON.parse(document.getElementById("distribution-words").textContent);

function color(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--what-if-${name}`).trim();
}

function options(title) {
  const ink = color("ink");
  const line = { color: color("grid") };
  const axis = { ticks: { color: ink, maxRotation: 60 }, grid: line, border: line };
  return {
    animation: false,
    responsive: true,
    maintainAspectRatio: false,
    scales: { x: axis, y: { ...axis, beginAtZero: true } },
    plugins: {
      title: { display: true, text: title, color: ink },
      legend: { labels: { color: ink, filter: ({ text }) => text } },
    },
  };
}

// Names may be long: an axis has room for their beginning.
function shorten(name) {
  const letters = [...name];
  return letters.length > 14 ? `${letters.slice(0, 13).join("")}…` : name;
}

function band(values, place, number) {
  const shared = { pointRadius: 0, borderWidth: 0, backgroundColor: `${color(place)}33` };
  return [
    { ...shared, data: values.map(([low]) => low), fill: false },
    { ...shared, data: values.map(([, high]) => high), fill: "-1" },
  ];
}

function draw() {
  while (charts.length) charts.pop().destroy();
  const source = document.getElementById("what-if-data");
  if (!source) return;
  const data = JSON.parse(source.textContent);
  const names = [said.before, said.after];
  const sets = (values, more) =>
    ["before", "after"].map((place, number) => ({
      label: names[number],
      data: values[number],
      backgroundColor: color(place),
      borderColor: color(place),
      ...more(number),
    }));
  charts.push(
    new Chart(document.querySelector("[data-what-if=shares]"), {
      type: "bar",
      data: { labels: data.names.map(shorten), datasets: sets(data.shares, () => ({})) },
      options: options(said.share),
    }),
    new Chart(document.querySelector("[data-what-if=queue]"), {
      type: "line",
      data: {
        labels: data.hours,
        datasets: [
          ...sets(data.queue, (number) => ({ pointRadius: 0, borderDash: number ? [6, 4] : [] })),
          ...band(data.bands[0], "before"),
          ...band(data.bands[1], "after"),
        ],
      },
      options: options(said.queue),
    }),
  );
}

document.addEventListener("htmx:afterSwap", ({ detail: { target } }) => {
  const part = target.closest("#what-if");
  if (!part) return;
  const live = part.querySelector("[data-live]");
  if (part.querySelector("[data-ended]") && live) delete live.dataset.live;
  draw();
});
new MutationObserver(draw).observe(document.documentElement, { attributeFilter: ["class"] }); // another theme
