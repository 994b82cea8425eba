/**
 * The few lines of script on every page: they ask whether the world has changed and, if it has, put the fresh content in the
 * place of the old one. Scrolling, opened details and the keyboard's place stay; nothing moves under a selection of text.
 * Without JavaScript the pages are as good, and stand still.
 */
export const liveScript = `
const page = document.documentElement.dataset;
let seen = page.version;
let asking = false;
const keyOf = (details) => details.id || details.querySelector("summary").textContent;
const focusable = "a[href], button, summary";
async function look() {
  if (document.hidden || asking || !document.getSelection().isCollapsed) return;
  asking = true;
  try {
    const now = await (await fetch(page.watch, { cache: "no-store" })).text();
    if (now === seen) return;
    const answer = await fetch(location.href, { cache: "no-store" });
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const [old, next] = [document, fresh].map((of) => of.getElementById("live"));
    if (next === null) return;
    seen = fresh.documentElement.dataset.version;
    page.watch = fresh.documentElement.dataset.watch;
    document.title = fresh.title;
    if (old.innerHTML === next.innerHTML) return;
    const open = new Map([...old.querySelectorAll("details")].map((one) => [keyOf(one), one.open]));
    for (const one of next.querySelectorAll("details")) if (open.has(keyOf(one))) one.open = open.get(keyOf(one));
    const place = [...old.querySelectorAll(focusable)].indexOf(document.activeElement);
    old.replaceWith(document.adoptNode(next));
    if (place >= 0) next.querySelectorAll(focusable)[place]?.focus({ preventScroll: true });
  } catch {
    // The process ended, or is not back yet: look again.
  } finally {
    asking = false;
  }
}
setInterval(look, 1000);
`;
