// The desk by keyboard, the places evidence points to, and a word before the sign-in runs out. All of it is extra.
const root = document.documentElement;
root.classList.add("scripted");

const KEYS_OFF = "desk-keys-off";
const IDLE = 30 * 60 * 1000; // the server's own limit
const WARN = 2 * 60 * 1000;

function keysOff() {
  try {
    return localStorage.getItem(KEYS_OFF) === "yes";
  } catch {
    return false; // a browser that keeps nothing has the keys on
  }
}

// Rows: j and k move, Enter is the browser's own.
const rows = [...document.querySelectorAll("[data-rows] .row")];

function step(by) {
  if (!rows.length) return;
  const at = rows.indexOf(document.activeElement);
  const from = at >= 0 ? at : rows.findIndex((row) => row.hasAttribute("aria-current"));
  const to = from < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, from + by));
  rows[to].focus();
  rows[to].scrollIntoView({ block: "nearest" });
}

const help = document.querySelector("[data-help]");

function toggleHelp() {
  if (!help) return;
  if (help.open) help.close();
  else help.showModal();
}

function press(key) {
  const target = document.querySelector(`[data-key="${key}"]`);
  if (!target) return false;
  // A link is followed; a deciding button only gets the focus, so that one slip of a finger decides nothing.
  if (target.matches("a")) target.click();
  else target.focus();
  return true;
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.target.closest("input:not([type=checkbox], [type=radio]), textarea, select")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (event.key === "?") {
    event.preventDefault();
    toggleHelp();
    return;
  }
  if (keysOff() || help?.open) return;
  let done = true;
  if (event.key === "j") step(1);
  else if (event.key === "k") step(-1);
  else if (event.key === "/") document.querySelector("[data-search]")?.focus();
  else if (["a", "f", "r", "n"].includes(event.key)) done = press(event.key);
  else done = false;
  if (done) event.preventDefault();
});

const helpButton = document.querySelector("[data-help-open]");
if (helpButton) {
  helpButton.hidden = false;
  helpButton.addEventListener("click", toggleHelp);
}
const keysBox = document.querySelector("[data-keys-on]");
if (keysBox) {
  keysBox.checked = !keysOff();
  keysBox.addEventListener("change", () => {
    try {
      localStorage.setItem(KEYS_OFF, keysBox.checked ? "no" : "yes");
    } catch {
      keysBox.checked = true;
    }
  });
}

// Evidence: the place in the original lights up while its field is looked at.
for (const fact of document.querySelectorAll("[data-points]")) {
  const mark = document.getElementById(fact.dataset.points);
  if (!mark) continue;
  const light = (on) => {
    mark.classList.toggle("lit", on);
    const paper = mark.closest(".paper");
    if (on && paper && paper.scrollHeight > paper.clientHeight) {
      paper.scrollTop = mark.offsetTop - paper.offsetTop - paper.clientHeight / 3;
    }
  };
  for (const name of ["mouseenter", "focusin"]) fact.addEventListener(name, () => light(true));
  for (const name of ["mouseleave", "focusout"]) fact.addEventListener(name, () => light(false));
}

document.querySelector("[data-errors]")?.focus();

// Nothing times out without asking.
const idle = document.querySelector("[data-idle]");
if (idle) {
  let since = Date.now();
  const left = idle.querySelector("[data-idle-left]");
  setInterval(() => {
    const rest = IDLE - (Date.now() - since);
    idle.hidden = rest > WARN || rest <= 0;
    left.textContent = String(Math.max(1, Math.ceil(rest / 60000)));
  }, 15000);
  idle.querySelector("[data-idle-stay]").addEventListener("click", async () => {
    const answer = await fetch("/desk", { method: "HEAD", redirect: "manual" });
    if (answer.ok) {
      since = Date.now();
      idle.hidden = true;
    } else location.reload();
  });
}
