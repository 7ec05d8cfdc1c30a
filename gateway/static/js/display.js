// Reading comfort without a reload, so that nothing typed is lost. Without this script the form does the same by a reload.
const root = document.documentElement;
root.classList.add("scripted");

const form = document.querySelector("form[data-display]");
const year = 365 * 24 * 3600;

function keep(name, value) {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `${name}=${value}; Path=/; Max-Age=${year}; SameSite=Lax${secure}`;
}

function say(button, value, words) {
  button.value = value;
  button.querySelector("span").textContent = words;
}

form?.addEventListener("submit", (event) => {
  const button = event.submitter;
  if (!button) return;
  event.preventDefault();
  keep(button.name, button.value);
  if (button.name === "text") {
    const large = button.value === "large";
    if (large) root.dataset.text = "large";
    else delete root.dataset.text;
    say(button, large ? "normal" : "large", large ? "标准字" : "大字版");
  } else {
    root.dataset.theme = button.value;
    const dark = button.value === "dark";
    say(button, dark ? "light" : "dark", dark ? "浅色" : "深色");
  }
});
