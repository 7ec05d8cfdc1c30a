// Uploads each chosen file at once, with its own progress. Without this script a plain form sends them together.
const form = document.querySelector("form[data-upload]");
const lines = document.getElementById("uploads");
const list = document.getElementById("file-list");
const waiting = [];
let busy = false;

function element(name, className, text) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}

function size(bytes) {
  return bytes >= 1 << 20 ? `${(bytes / (1 << 20)).toFixed(1)} MB` : `${Math.max(1, Math.round(bytes / 1024))} KB`;
}

function row(file) {
  const item = element("li", "row");
  const words = element("span", "row-words");
  const several = form.querySelector("input[name=role]");
  words.append(element("b", "", file.name), element("span", "", several ? `${file.size} · ${file.role}` : file.size));
  const remove = element("form");
  remove.method = "post";
  remove.action = `/file/evidence/${file.id}/remove`;
  for (const name of ["_csrf", "from"]) {
    const field = form.querySelector(`input[name=${name}]`);
    if (field) remove.append(field.cloneNode());
  }
  const button = element("button", "link-button", "删除");
  button.append(element("span", "unseen", file.name));
  remove.append(button);
  const actions = element("span", "row-do");
  actions.append(remove);
  item.append(element("span", "badge", file.kind), words, actions);
  return item;
}

function send(file, line, bar, state) {
  return new Promise((done) => {
    const data = new FormData();
    data.append("_csrf", form.elements._csrf.value);
    const role = form.querySelector("input[name=role]:checked");
    if (role) data.append("role", role.value);
    data.append("files", file, file.name);
    const request = new XMLHttpRequest();
    request.open("POST", form.action);
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("X-CSRF-Token", form.elements._csrf.value);
    request.upload.addEventListener("progress", (event) => {
      if (!event.lengthComputable) return;
      bar.value = event.loaded / event.total;
      state.textContent = event.loaded < event.total ? `${Math.round((100 * event.loaded) / event.total)}%` : "正在保存…";
    });
    const fail = (words) => {
      bar.remove();
      state.className = "wrong";
      state.textContent = words;
      done();
    };
    request.addEventListener("error", () => fail("网络断了，请重新选择这份材料。"));
    request.addEventListener("load", () => {
      let answer = {};
      try {
        answer = JSON.parse(request.responseText);
      } catch {
        answer = { problems: ["没有存上，请刷新页面再试。"] };
      }
      if (answer.files) list.replaceChildren(...answer.files.map(row));
      if (answer.problems?.length) {
        fail(answer.problems[0]);
        return;
      }
      line.remove();
      done();
    });
    request.send(data);
  });
}

async function work() {
  if (busy) return;
  busy = true;
  for (let next = waiting.shift(); next; next = waiting.shift()) await send(...next);
  busy = false;
}

function take(input) {
  for (const file of input.files) {
    const line = element("li");
    const bar = element("progress");
    const state = element("span", "", "等待上传");
    bar.max = 1;
    bar.value = 0;
    bar.setAttribute("aria-label", `上传 ${file.name}`);
    line.append(element("span", "", `${file.name}(${size(file.size)})`), bar, state);
    lines.append(line);
    if (file.size > Number(form.dataset.max)) {
      bar.remove();
      state.className = "wrong";
      state.textContent = `太大了，每份最大 ${form.dataset.maxWords}。请压缩或剪短。`;
    } else {
      waiting.push([file, line, bar, state]);
    }
  }
  input.value = "";
  work();
}

for (const input of form?.querySelectorAll("input[type=file]") ?? []) {
  input.addEventListener("change", () => take(input));
}
form?.addEventListener("submit", (event) => {
  if (!busy) return;
  event.preventDefault();
  lines.append(element("li", "wrong", "材料还在上传，请等它传完再继续。"));
});
