// A terminal that nobody touches asks first and then forgets; while somebody types, the house is told so.
const box = document.querySelector("[data-kiosk]");
const idle = Number(box.dataset.idle) * 1000;
const warning = Number(box.dataset.warning) * 1000;
const seconds = box.querySelector("[data-seconds]");
const here = box.querySelector("[data-here]");
let touched = Date.now();
let told = Date.now();
let before = null;

function tell() {
  told = Date.now();
  const form = box.querySelector("form");
  fetch(box.dataset.stay, { method: "POST", body: new URLSearchParams(new FormData(form)) }).catch(() => {});
}

function alive() {
  touched = Date.now();
  if (box.open) {
    box.close();
    if (before) before.focus();
  }
  if (touched - told > idle / 4) tell();
}

for (const name of ["pointerdown", "keydown", "input", "scroll", "touchstart"]) {
  addEventListener(name, () => { if (!box.open) alive(); }, { passive: true, capture: true });
}
here.addEventListener("click", (event) => { event.preventDefault(); alive(); tell(); });
box.addEventListener("cancel", (event) => { event.preventDefault(); alive(); });

setInterval(() => {
  const left = touched + idle - Date.now();
  if (left <= 0) {
    location.replace("/file/end?why=idle");
    return;
  }
  if (left > warning) return;
  if (!box.open) {
    before = document.activeElement;
    box.showModal();
    here.focus();
  }
  // Read aloud every ten seconds, not every one.
  const shown = Math.ceil(left / 1000);
  if (seconds.textContent !== String(shown)) seconds.textContent = String(shown);
}, 250);

// A page out of the browser's memory may belong to the person before.
addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
for (const link of document.querySelectorAll("a[target]")) link.removeAttribute("target");
