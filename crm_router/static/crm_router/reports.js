// The charts of a report. The table below them has the same numbers.

const charts = [];

function color(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--report-${name}`).trim();
}

function options() {
  const ink = color("ink");
  const line = { color: color("grid") };
  const axis = { ticks: { color: ink, precision: 0, maxRotation: 60 }, grid: line, border: line };
  return {
    animation: false,
    responsive: true,
    maintainAspectRatio: false,
    scales: { x: axis, y: { ...axis, beginAtZero: true } },
    plugins: { legend: { labels: { color: ink } } },
  };
}

// Names may be long: an axis has room for their beginning, and the tooltip has the rest.
function shorten(name) {
  const letters = [...name];
  return letters.length > 18 ? `${letters.slice(0, 17).join("")}…` : name;
}

function draw() {
  while (charts.length) charts.pop().destroy();
  const chartData = document.getElementById("chart-data");
  if (!chartData) return; // nothing happened in the period
  const data = JSON.parse(chartData.textContent);
  for (const canvas of document.querySelectorAll("[data-chart]")) {
    const colors = canvas.dataset.chart === "flow" ? ["first", "second"] : ["third"];
    const datasets = data[canvas.dataset.chart].map(({ label, values }, number) => ({
      label,
      data: values,
      backgroundColor: color(colors[number]),
      borderColor: color(colors[number]),
      spanGaps: true,
    }));
    const drawn = options();
    drawn.plugins.tooltip = { callbacks: { title: ([item]) => data.labels[item.dataIndex] } };
    const type = data.isByTime && canvas.dataset.chart === "waits" ? "line" : "bar";
    charts.push(new Chart(canvas, { type, data: { labels: data.labels.map(shorten), datasets }, options: drawn }));
  }
}

draw();
new MutationObserver(draw).observe(document.documentElement, { attributeFilter: ["class"] }); // another theme
