// The keyboard: j and k go from note to note, x folds, u goes to what is answered, r replies, / searches.
import { fold } from "./threads.js";
import { tell } from "./token.js";

const HELP = "j next · k previous · u what it answers · x fold · r reply · / search";

function notes() {
  return [...document.querySelectorAll("ol.thread > li:not(.folded) > .note")];
}

function current() {
  return document.activeElement?.closest?.(".note") ?? document.querySelector(".note.here");
}

function go(note) {
  if (!note) return;
  for (const each of document.querySelectorAll(".note.here")) each.classList.remove("here");
  note.classList.add("here");
  note.focus({ preventScroll: true });
  note.scrollIntoView({ block: "nearest" });
}

function step(by) {
  const all = notes();
  const place = all.indexOf(current());
  go(all[place < 0 ? 0 : place + by]);
}

const ACTIONS = {
  j: () => step(1),
  k: () => step(-1),
  u: () => {
    const parent = current()?.querySelector("a.parent");
    if (parent) parent.click();
  },
  x: () => {
    const note = current();
    if (note) fold(note.closest("li"));
  },
  r: () => current()?.querySelector(".reply")?.click(),
  "/": () => document.getElementById("q").focus(),
  "?": () => tell(HELP),
};

document.addEventListener("keydown", (press) => {
  if (press.key === "Escape") tell();
  if (press.ctrlKey || press.metaKey || press.altKey) return;
  if (press.target.closest?.("input, textarea, select, dialog")) return;
  const action = ACTIONS[press.key];
  if (!action) return;
  press.preventDefault();
  action();
});

// Links to notes that are on this page need no other one.
document.addEventListener("click", (click) => {
  const link = click.target.closest("a.parent, a.permalink, a.code");
  if (!link || !document.getElementById("thread") || click.ctrlKey || click.metaKey || click.shiftKey) return;
  const note = document.getElementById(link.dataset.anchor ?? "");
  if (!note) return;
  click.preventDefault();
  history.pushState(null, "", `#${note.id}`);
  go(note.closest(".note"));
});

