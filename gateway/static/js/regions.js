// Finds places while typing; without this script the search button does the same by a page.
const input = document.querySelector("[data-places]");
const hits = document.getElementById("hits");
let timer = 0;
let latest = 0;

function show(words, places) {
  const title = document.createElement(places.length ? "h2" : "p");
  title.className = places.length ? "small-title" : "none";
  title.textContent = places.length ? "找到这些地方，请点选" : `没有找到“${words}”。换个写法，或在下面一级一级选。`;
  const list = document.createElement("ul");
  list.className = "places hits";
  for (const place of places) {
    const button = document.createElement("button");
    button.className = "place";
    button.name = "region";
    button.value = place.code;
    button.textContent = place.name;
    const item = document.createElement("li");
    item.append(button);
    list.append(item);
  }
  hits.replaceChildren(title, ...(places.length ? [list] : []));
}

async function look(words) {
  const turn = ++latest;
  const answer = await fetch(`${input.dataset.places}?q=${encodeURIComponent(words)}`);
  if (answer.ok && turn === latest) show(words, await answer.json());
}

input?.addEventListener("input", (event) => {
  clearTimeout(timer);
  const words = input.value.trim();
  if (event.isComposing || !words) return;
  timer = setTimeout(() => look(words).catch(() => {}), 250);
});
input?.addEventListener("compositionend", () => input.dispatchEvent(new Event("input")));
// Whoever typed before this script was here is answered too.
if (input?.value.trim() && !hits.childElementCount) input.dispatchEvent(new Event("input"));
