// Reading comfort without a reload, so that nothing typed is lost. Without this script the form does the same by a reload.
const root = document.documentElement;
const year = 365 * 24 * 3600;

root.classList.add("scripted");

function keep(name, value) {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `${name}=${value}; Path=/; Max-Age=${year}; SameSite=Lax${secure}`;
}

document.querySelector("form[data-display]")?.addEventListener("submit", (event) => {
  const { name, value } = event.submitter ?? {};
  if (!name) return;
  event.preventDefault();
  keep(name, value);
  if (value === "normal") delete root.dataset.text;
  else root.dataset[name] = value;
  // The pressed button is gone: the focus goes to the one that takes it back.
  [...event.target.querySelectorAll(`button[name=${name}]`)].find((each) => each.offsetParent)?.focus();
});
