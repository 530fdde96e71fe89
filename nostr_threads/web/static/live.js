// What is stored while the page is open comes into it. What is there stays where it is, and as it is: only a note
// that has changed is replaced, and only one that has another place now is moved.
import { inTurn, list, noteOf, pageAt, watch } from "./threads.js";
import { tell } from "./token.js";

const thread = document.getElementById("thread");
const threads = document.querySelector("ol.threads");

/** Bring the pages that are shown up to date. */
async function refresh() {
  const first = Number(thread.dataset.page);
  const last = first + Math.max(0, Math.ceil(list().children.length / Number(thread.dataset.size)) - 1);
  const come = [];
  const there = new Set();
  let before = null;
  let shown = null;
  for (let number = first; number <= last; number += 1) {
    const page = await pageAt(`${thread.dataset.path}?page=${number}`);
    if (!page) break;
    shown = page;
    for (const item of page.querySelectorAll("ol.thread > li")) {
      before = place(item, before, come);
      there.add(before);
    }
  }
  if (!shown) return;
  // What is gone, as a part that is now in a text of several, or has gone on to the next page.
  for (const item of [...list().children]) if (!there.has(item)) item.remove();
  show(shown);
  document.dispatchEvent(new Event("notes"));
  announce(come);
}

/** Put an item of the server's where it belongs, and return the one that is in the page. */
function place(item, before, come) {
  const note = noteOf(item);
  const known = note && document.getElementById(note.id)?.closest("ol.thread > li");
  const mine = known ?? item;
  if (known) renew(known, item);
  else if (note) come.push(note);
  if (mine.previousElementSibling !== before || mine.parentElement !== list()) {
    if (before) before.after(mine);
    else list().prepend(mine);
  }
  return mine;
}

function renew(known, item) {
  const mine = noteOf(known);
  const theirs = noteOf(item);
  known.className = item.className;
  mine.dataset.depth = theirs.dataset.depth;
  if (mine.dataset.version === theirs.dataset.version) return;
  const had = mine.contains(document.activeElement);
  mine.replaceWith(theirs);
  if (had) theirs.focus({ preventScroll: true });
}

function show(page) {
  const whole = page.querySelector("section.whole");
  if (whole) document.querySelector("section.whole").replaceWith(whole);
  const about = page.querySelector("main > .about");
  const mine = document.querySelector("main > .about");
  if (about && !mine.contains(document.activeElement)) mine.replaceWith(about);
  const following = page.querySelector("p.following");
  document.querySelector("p.following")?.remove();
  if (following) {
    thread.after(following);
    watch(following);
  }
}

function announce(come) {
  if (!come.length) return;
  const link = Object.assign(document.createElement("a"), { className: "permalink", href: `#${come[0].id}` });
  link.dataset.anchor = come[0].id;
  link.textContent = come.length === 1 ? "1 new note" : `${come.length} new notes`;
  tell(link);
}

async function relist() {
  const page = await pageAt("/");
  const at = document.activeElement?.getAttribute("href");
  const main = document.querySelector("main");
  const had = main.contains(document.activeElement);
  main.replaceChildren(...page.querySelector("main").children);
  document.dispatchEvent(new Event("notes"));
  if (had) [...main.querySelectorAll("a")].find((link) => link.getAttribute("href") === at)?.focus();
}

/** Do one thing after the other, and what came meanwhile once more. */
function serially(work) {
  let running = false;
  let again = false;
  return async () => {
    again = true;
    if (running) return;
    running = true;
    while (again) {
      again = false;
      await inTurn(work).catch((error) => tell(`What is new could not be shown: ${error.message}`));
    }
    running = false;
  };
}

/** Hear what is stored while somebody sees the page: a browser has few connections to one place. */
function hear(cursor, stored) {
  let stream = null;
  let last = cursor;
  const listen = () => {
    if (stream || document.hidden) return;
    stream = new EventSource(`/live?after=${last}`);
    stream.addEventListener("stored", (event) => {
      last = event.lastEventId;
      stored(JSON.parse(event.data));
    });
  };
  const hush = () => {
    stream?.close();
    stream = null;
  };
  document.addEventListener("visibilitychange", () => (document.hidden ? hush() : listen()));
  window.addEventListener("pagehide", hush);
  window.addEventListener("pageshow", listen);
  listen();
}

if (thread) {
  const update = serially(refresh);
  hear(thread.dataset.cursor, (all) => {
    if (all.some((each) => each.root === thread.dataset.root)) update();
  });
  document.addEventListener("answered", update);
} else if (threads && !location.search) {
  hear(threads.dataset.cursor, serially(relist));
}
