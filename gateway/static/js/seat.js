// The seat: calls pop up by a stream of events, and what is typed is kept every second. Without this script the page
// works by its reload link and the button that keeps the draft.
const live = document.querySelector("[data-live]");
const part = live?.querySelector("[data-live-part]");
const state = live?.querySelector("[data-state]");
const said = live?.querySelector("[data-said]");
const title = document.title;
let shown = live?.dataset.mark ?? "";
let calls = Number(part?.firstElementChild?.dataset.calls ?? 0);

function connected(on, words) {
  state.textContent = words;
  state.classList.toggle("is-on", on);
}

async function renew() {
  const answer = await fetch(live.dataset.live, { headers: { Accept: "text/html" }, redirect: "manual" });
  if (!answer.ok) return;
  const held = document.activeElement?.closest("[data-live-part] form, [data-live-part] a");
  const action = held?.getAttribute("action") ?? held?.getAttribute("href");
  part.innerHTML = await answer.text();
  const fresh = part.firstElementChild;
  shown = fresh.dataset.markNow;
  const now = Number(fresh.dataset.calls);
  if (now > calls) said.textContent = `有新来电：${part.querySelector(".call-rings b, .call b")?.textContent ?? ""}`;
  calls = now;
  document.title = calls ? `（${calls}）${title}` : title;
  // Whoever was about to press a button still has it under the hand.
  if (action) {
    const again = part.querySelector(`form[action="${action}"] button, a[href="${action}"]`);
    again?.focus();
  }
}

if (live && "EventSource" in window) {
  const stream = new EventSource(live.dataset.stream);
  live.querySelector("[data-reload]").hidden = true;
  connected(false, "正在连接");
  stream.addEventListener("open", () => connected(true, "已连接，来电自动弹出"));
  stream.addEventListener("changed", (event) => {
    if (event.data !== shown) renew().catch(() => {});
  });
  stream.addEventListener("error", () => {
    if (stream.readyState !== EventSource.CLOSED) return connected(false, "正在重新连接");
    connected(false, "连接已断开，请刷新或重新登录");
    live.querySelector("[data-reload]").hidden = false;
  });
  addEventListener("pagehide", () => stream.close());
}

// The draft.
const form = document.querySelector("[data-sheet]");
const told = document.querySelector("[data-saved]");
const dirty = new Set();
let timer = 0;
let wait = 1000;
let saving = false;

const valueOf = (name) => new FormData(form).get(name) ?? "";

function late(words) {
  told.textContent = words;
  told.classList.add("is-late");
}

function body(names) {
  const fields = new URLSearchParams({
    csrf: form.elements.csrf.value,
    version: form.elements.version.value,
  });
  for (const name of names) fields.set(name, valueOf(name));
  return fields;
}

function later(pause) {
  clearTimeout(timer);
  timer = setTimeout(save, pause);
}

function fill(name, words) {
  const field = form.elements[name];
  if (!field || dirty.has(name) || document.activeElement === field) return;
  field.value = words;
}

async function save() {
  if (saving || !dirty.size) return;
  saving = true;
  const sent = new Map([...dirty].map((name) => [name, valueOf(name)]));
  try {
    const answer = await fetch(form.dataset.sheet, {
      method: "POST",
      headers: { Accept: "application/json" },
      body: body(sent.keys()),
      redirect: "manual",
    });
    if (answer.status === 401) return late("登录已失效：请在新窗口登录，再回到这里；填写的内容还在本页。");
    if (answer.status === 409) return late("这张工单已经提交，请刷新。");
    if (!answer.ok) throw new Error(String(answer.status));
    const kept = await answer.json();
    form.elements.version.value = kept.version;
    for (const [name, words] of sent) if (valueOf(name) === words) dirty.delete(name);
    for (const [name, words] of Object.entries(kept.others)) fill(name, words);
    told.classList.remove("is-late");
    told.textContent = `已保存 ${kept.saved}`;
    if (kept.displaced > 0) late(`已保存 ${kept.saved}。另一个窗口也写了同一栏，刷新后可以对照。`);
    wait = 1000;
    if ([...sent.keys()].some((name) => ["caller.mobile", "caller.id_no", "caller_number"].includes(name))) lookUp();
  } catch {
    wait = Math.min(wait * 2, 15000);
    late("还没有保存，正在重试；请不要关闭窗口。");
  } finally {
    saving = false;
    if (dirty.size) later(wait);
  }
}

async function lookUp() {
  const place = document.querySelector("[data-earlier]");
  const answer = await fetch(place.dataset.earlier, { redirect: "manual" });
  if (answer.ok) place.innerHTML = await answer.text();
}

if (form) {
  const changed = (event) => {
    if (!event.target.name || ["csrf", "version"].includes(event.target.name)) return;
    dirty.add(event.target.name);
    if (!saving) later(wait);
  };
  form.addEventListener("input", changed);
  form.addEventListener("change", changed);
  // The last second before the window closes.
  const flush = () => {
    if (dirty.size) fetch(form.dataset.sheet, { method: "POST", body: body(dirty), keepalive: true }).catch(() => {});
  };
  addEventListener("pagehide", flush);
  form.addEventListener("submit", () => {
    clearTimeout(timer);
    removeEventListener("pagehide", flush);
  });
}

// Places while typing.
const find = document.querySelector("[data-find]");
const places = document.querySelector("[data-places]");
let turn = 0;
let finding = 0;

function choice(id, code, words, checked) {
  const row = document.createElement("div");
  row.className = "check";
  const box = document.createElement("input");
  Object.assign(box, { type: "radio", name: "place_region", id, value: code, checked });
  const label = document.createElement("label");
  label.htmlFor = id;
  label.textContent = words;
  row.append(box, label);
  return row;
}

async function look(words) {
  const mine = ++turn;
  const answer = await fetch(`${find.dataset.find}?q=${encodeURIComponent(words)}`);
  if (!answer.ok || mine !== turn) return;
  const hits = (await answer.json()).slice(0, 8);
  const now = places.querySelector("input:checked");
  const chosen = now?.value ? [choice("place-now", now.value, now.labels[0].textContent, true)] : [];
  const rest = hits.filter((hit) => hit.code !== now?.value);
  places.replaceChildren(
    ...chosen,
    ...rest.map((hit) => choice(`place-${hit.code}`, hit.code, hit.name, false)),
    choice("place-none", "", hits.length ? "还不清楚" : `没有找到“${words}”，换个写法`, false),
  );
}

find?.addEventListener("input", (event) => {
  clearTimeout(finding);
  const words = find.value.trim();
  if (event.isComposing || !words) return;
  finding = setTimeout(() => look(words).catch(() => {}), 250);
});
find?.addEventListener("compositionend", () => find.dispatchEvent(new Event("input", { bubbles: true })));
