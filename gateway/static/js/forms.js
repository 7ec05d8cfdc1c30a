// Small helps for forms: focus on the errors, count characters, show what belongs to a choice, one click is one click.
document.querySelector("[data-errors]")?.focus();

for (const area of document.querySelectorAll("textarea[data-most]")) {
  const most = Number(area.dataset.most);
  const count = document.createElement("p");
  count.className = "count";
  area.after(count);
  const show = () => {
    const length = [...area.value.trim()].length;
    count.textContent = length > most ? `已写 ${length} 字，超出 ${length - most} 字` : `已写 ${length} 字，最多 ${most} 字`;
    count.classList.toggle("over", length > most);
  };
  area.addEventListener("input", show);
  show();
}

for (const part of document.querySelectorAll("[data-shown-with]")) {
  const [name, value] = part.dataset.shownWith.split("=");
  const inputs = document.querySelectorAll(`input[name="${name}"]`);
  const show = () => part.classList.toggle("is-shown", [...inputs].some((each) => each.checked && each.value === value));
  for (const input of inputs) input.addEventListener("change", show);
  show();
}

for (const form of document.querySelectorAll("form[data-once]")) {
  let sent = false;
  form.addEventListener("submit", (event) => {
    if (sent) {
      event.preventDefault();
      return;
    }
    sent = true;
    const button = form.querySelector("button.button");
    button?.setAttribute("aria-disabled", "true");
    if (button) button.textContent = "正在提交，请稍等…";
  });
  // Back from the next page: the browser shows this page as it was left.
  addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });
}
