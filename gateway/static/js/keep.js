// The clerk's pages: what is typed is kept while it is typed, one click is one click, and paper of two sizes.
const form = document.querySelector("form[data-keep]");
const said = document.querySelector("[data-kept]");
const EVERY = 20000;

if (form) {
  let changed = false;
  let busy = false;
  form.addEventListener("input", (event) => {
    if (event.target.type !== "file") changed = true;
  });
  const keep = async () => {
    if (!changed || busy) return;
    busy = true;
    changed = false;
    const body = new FormData(form);
    body.delete("files"); // files go up with a button
    body.set("do", "save");
    try {
      const answer = await fetch(form.action, { method: "POST", body, headers: { Accept: "application/json" }, redirect: "manual" });
      if (!answer.ok) throw new Error(String(answer.status));
      const told = await answer.json();
      if (said) said.textContent = `草稿已在 ${told.saved} 保存。`;
    } catch {
      changed = true;
      if (said) said.textContent = "现在存不上（网络中断或登录超时），内容还在这一页，恢复后会再存。请不要关闭页面。";
    } finally {
      busy = false;
    }
  };
  setInterval(keep, EVERY);
  addEventListener("online", keep);
  let leaving = false;
  form.addEventListener("submit", (event) => {
    if (leaving) event.preventDefault();
    leaving = true;
    setTimeout(() => { leaving = false; }, 4000); // a weak network may have lost it: it can be sent again
  });
  // Choosing how people come changes which boxes there are.
  for (const one of form.querySelectorAll("input[name=manner]")) {
    one.addEventListener("change", () => form.querySelector("button[value=save]").click());
  }
}

for (const once of document.querySelectorAll("form[data-once]")) {
  let sent = false;
  once.addEventListener("submit", (event) => {
    if (sent) event.preventDefault();
    sent = true;
    setTimeout(() => { sent = false; }, 4000);
  });
}

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    const paper = button.dataset.print || "a4";
    document.documentElement.dataset.paper = paper;
    for (const sheet of document.querySelectorAll("link[data-slip]")) {
      sheet.media = sheet.dataset.slip === paper ? "print" : "not all";
    }
    print();
  });
}
