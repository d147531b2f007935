// Tells of new contacts by a notification of the browser and by a tone, each if it is switched on. Then a hidden tab goes
// on asking, but less often.

const EVERY_HIDDEN = 30; // seconds
const switches = () => document.querySelector("[data-alerts]");
const isOn = (alert) => Boolean(document.querySelector(`[data-alert=${alert}]`)?.checked);
const untaken = () => [...document.querySelectorAll("#desk [data-untaken]")];
let known = new Set(); // ids of the untaken contacts that the page has shown
let audio = null;

function askWhileHidden() {
  const desk = document.getElementById("desk");
  if (isOn("shows_notifications") || isOn("plays_sound")) desk.dataset.everyHidden = EVERY_HIDDEN;
  else delete desk.dataset.everyHidden;
}

document.addEventListener("DOMContentLoaded", () => {
  known = new Set(untaken().map((one) => one.dataset.untaken));
  askWhileHidden();
});

document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target.id !== "desk") return;
  const fresh = untaken().filter((one) => !known.has(one.dataset.untaken));
  known = new Set(untaken().map((one) => one.dataset.untaken));
  askWhileHidden();
  if (!fresh.length) return;
  if (isOn("plays_sound")) playTone();
  if (isOn("shows_notifications") && window.Notification?.permission === "granted") {
    notify(switches().dataset.new, { body: fresh.map((one) => one.textContent).join(", "), tag: `contact-${fresh[0].dataset.untaken}` });
  }
});

// Returns whether it could: some browsers on phones know the permission, and refuse all the same.
function notify(title, options) {
  try {
    const shown = new Notification(title, options);
    shown.onclick = () => { window.focus(); shown.close(); };
    return true;
  } catch {
    return false;
  }
}

// Two short notes. Without a sound card or before the first gesture it stays silent.
function playTone() {
  if (!audio) return;
  for (const [delay, frequency] of [[0, 660], [0.18, 880]]) {
    const start = audio.currentTime + delay;
    const oscillator = audio.createOscillator();
    const volume = audio.createGain();
    oscillator.frequency.value = frequency;
    volume.gain.setValueAtTime(0.0001, start);
    volume.gain.exponentialRampToValueAtTime(0.2, start + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.0001, start + 0.16);
    oscillator.connect(volume).connect(audio.destination);
    oscillator.start(start);
    oscillator.stop(start + 0.18);
  }
}

// Browsers allow sound only after a gesture: any click or key is one.
function allowSound() {
  if (!isOn("plays_sound")) return;
  audio ??= new AudioContext();
  audio.resume();
}
for (const gesture of ["click", "keydown"]) document.addEventListener(gesture, allowSound);

// Why it cannot be switched on; empty if it can.
async function obstacle(alert) {
  const words = switches().dataset;
  if (alert === "plays_sound") return "";
  if (!window.Notification) return words.unable;
  if ((await Notification.requestPermission()) !== "granted") return words.denied;
  return notify(words.on, { tag: "alerts" }) ? "" : words.unable;
}

document.addEventListener("change", async (event) => {
  const box = event.target;
  if (!box.matches("[data-alert]")) return;
  const { alert } = box.dataset;
  const wanted = box.checked;
  const text = wanted ? await obstacle(alert) : "";
  if (text) {
    box.checked = false;
    document.dispatchEvent(new CustomEvent("toast", { detail: { text, level: "warning" } }));
    return;
  }
  htmx.ajax("POST", switches().dataset.alerts, { source: document.body, swap: "none", values: { alert, value: wanted } });
  askWhileHidden();
  if (alert === "plays_sound" && wanted) { allowSound(); playTone(); }
});
