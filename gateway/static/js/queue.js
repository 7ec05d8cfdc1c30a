// The board fetches itself anew; what is spoken by a screen reader changes only when a number does.
const EVERY = 4000;

async function renew() {
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const board = document.querySelector("[data-board]");
    const fresh = page.querySelector("[data-board]");
    if (!board || !fresh) return;
    [...fresh.children].forEach((part, at) => {
      const shown = board.children[at];
      if (shown && shown.outerHTML !== part.outerHTML && !shown.contains(document.activeElement)) {
        shown.innerHTML = part.innerHTML;
      }
    });
  } catch {
    // The network comes back; the board stays as it is.
  }
}

setInterval(renew, EVERY);
