// What is stored while the page is open comes into it.
import { list, noteOf, pageAt } from "./threads.js";
import { tell } from "./token.js";

const thread = document.getElementById("thread");
const threads = document.querySelector("ol.threads");
// A note as the server made it, to see whether it has changed: the tools in it are ours.
const made = new Map();

function remember() {
  for (const note of document.querySelectorAll("ol.thread > li > .note")) {
    if (!made.has(note.id)) made.set(note.id, note.innerHTML);
  }
}

/** Bring the pages that are shown up to date: what is new stands where it belongs. */
async function refresh() {
  const first = Number(new URLSearchParams(location.search).get("page") ?? 1);
  const size = 100;
  const last = first + Math.max(0, Math.ceil(list().children.length / size) - 1);
  const come = [];
  let before = null;
  for (let number = first; number <= last; number += 1) {
    const page = await pageAt(`${thread.dataset.path}?page=${number}`);
    for (const item of page.querySelectorAll("ol.thread > li")) {
      before = place(item, before, come);
    }
    show(page);
  }
  document.dispatchEvent(new Event("notes"));
  announce(come);
}

function place(item, before, come) {
  const note = noteOf(item);
  if (!note) return before;
  const known = document.getElementById(note.id)?.closest("ol.thread > li");
  if (known && made.get(note.id) === note.innerHTML) return known;
  made.set(note.id, note.innerHTML);
  if (known) {
    if (known.dataset.folded) item.dataset.folded = known.dataset.folded;
    known.replaceWith(item);
  } else {
    if (before) before.after(item);
    else list().prepend(item);
    come.push(note);
  }
  return item;
}

function show(page) {
  for (const part of ["section.whole", "main > .about"]) {
    const mine = document.querySelector(part);
    const theirs = page.querySelector(part);
    if (part === "section.whole" && mine && theirs) mine.replaceWith(theirs);
    else if (mine && theirs) mine.querySelector("span").textContent = theirs.querySelector("span").textContent;
  }
}

function announce(come) {
  if (!come.length) return;
  const link = Object.assign(document.createElement("a"), { href: `#${come[0].id}` });
  link.textContent = come.length === 1 ? "1 new note" : `${come.length} new notes`;
  tell(link);
}

async function relist() {
  const page = await pageAt("/");
  const fresh = page.querySelector("ol.threads");
  if (fresh) threads.replaceChildren(...fresh.children);
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
      await work().catch(() => {});
    }
    running = false;
  };
}

if (thread) {
  remember();
  document.addEventListener("notes", remember);
  const update = serially(refresh);
  const stream = new EventSource(`/live?after=${thread.dataset.cursor}`);
  stream.addEventListener("stored", (event) => {
    if (JSON.parse(event.data).some((each) => each.root === thread.dataset.root)) update();
  });
  document.addEventListener("answered", update);
} else if (threads && !location.search) {
  const update = serially(relist);
  new EventSource(`/live?after=${threads.dataset.cursor}`).addEventListener("stored", update);
}
