// The charts of the page Now. Their numbers stand in its live part; when that is exchanged, the same charts get the new
// ones, so that nothing flickers.

const charts = new Map();

function read(name) {
  const style = getComputedStyle(document.documentElement);
  return style.getPropertyValue(`--now-${name}`).trim();
}

function datasets(series, kept = []) {
  return series.map(({ label, kind, values }, number) =>
    Object.assign(kept[number] || {}, {
      label,
      data: values,
      backgroundColor: read(kind),
      borderColor: read(kind),
      borderWidth: 1,
      borderDash: kind === "third" ? [4, 3] : [],
      pointStyle: kind === "third" ? "rectRot" : "circle",
      spanGaps: true,
    }),
  );
}

function options() {
  const ink = read("ink");
  const line = { color: read("grid") };
  const axis = { ticks: { color: ink, precision: 0, maxRotation: 0 }, grid: line, border: line };
  return {
    animation: false,
    responsive: true,
    maintainAspectRatio: false,
    scales: { x: axis, y: { ...axis, beginAtZero: true } },
    plugins: { legend: { labels: { color: ink, usePointStyle: true } } },
  };
}

function draw() {
  const stored = document.getElementById("chart-data");
  if (!stored) return;
  const data = JSON.parse(stored.textContent);
  for (const canvas of document.querySelectorAll("[data-chart]")) {
    const name = canvas.dataset.chart;
    const known = charts.get(name);
    if (known) {
      known.data.labels = data.labels;
      known.data.datasets = datasets(data[name], known.data.datasets);
      known.options = options();
      known.update("none");
    } else {
      const type = name === "flow" ? "bar" : "line";
      const config = { type, data: { labels: data.labels, datasets: datasets(data[name]) }, options: options() };
      charts.set(name, new Chart(canvas, config));
    }
  }
}

draw();
document.addEventListener("htmx:afterSwap", draw);
new MutationObserver(draw).observe(document.documentElement, { attributeFilter: ["class"] }); // another theme
