// The keyboard: j and k go from note to note, x folds, u goes to what is answered, r replies, / searches. Whoever speaks
// to their machine, or presses keys by accident, can switch these off.
import { fold, unfold } from "./threads.js";
import { tell } from "./token.js";

const HELP = "j next · k previous · u what it answers · x fold · r reply · / search ";
const OFF = "nostr-threads keys are off";

function notes() {
  return [...document.querySelectorAll("ol.thread > li:not(.folded) > .note")];
}

function current() {
  return document.activeElement?.closest?.(".note") ?? document.querySelector(".note.here");
}

/** Go to a note, and in it to the part that is named, whatever is folded above it. */
function go(note, place = note) {
  if (!note) return;
  if (note.closest("li.folded")) unfold(note.closest("li"));
  for (const each of document.querySelectorAll(".note.here")) each.classList.remove("here");
  note.classList.add("here");
  note.focus({ preventScroll: true });
  place.scrollIntoView({ block: place === note ? "nearest" : "center" });
}

function step(by) {
  const all = notes();
  const place = all.indexOf(current());
  go(all[place < 0 ? 0 : place + by]);
}

function help() {
  const isOff = Boolean(localStorage.getItem(OFF));
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = isOff ? "Switch the keys on" : "Switch these keys off";
  button.addEventListener("click", () => {
    if (isOff) localStorage.removeItem(OFF);
    else localStorage.setItem(OFF, "yes");
    tell(isOff ? "The keys are on." : "The keys are off, but for ?.");
  });
  tell(...(isOff ? [] : [HELP]), button);
}

const ACTIONS = {
  j: () => step(1),
  k: () => step(-1),
  u: () => current()?.querySelector("a.parent")?.click(),
  x: () => {
    const note = current();
    if (note) fold(note.closest("li"));
  },
  r: () => current()?.querySelector(".reply")?.click(),
  "/": () => document.getElementById("q").focus(),
  "?": help,
};

document.addEventListener("keydown", (press) => {
  if (press.key === "Escape") tell();
  if (press.ctrlKey || press.metaKey || press.altKey) return;
  if (press.target.closest?.("input, textarea, select, dialog")) return;
  const action = ACTIONS[press.key];
  if (!action || (press.key !== "?" && localStorage.getItem(OFF))) return;
  press.preventDefault();
  action();
});

function goTo(id) {
  const place = document.getElementById(id ?? "");
  const note = place?.closest(".note");
  if (note) go(note, place);
  return Boolean(note);
}

// Links to notes that are on this page need no other one.
document.addEventListener("click", (click) => {
  const link = click.target.closest("a[data-anchor]");
  if (!link || !document.getElementById("thread") || click.ctrlKey || click.metaKey || click.shiftKey) return;
  if (!goTo(link.dataset.anchor)) return;
  click.preventDefault();
  history.pushState(null, "", `#${link.dataset.anchor}`);
});

window.addEventListener("hashchange", () => goTo(location.hash.slice(1)));
goTo(location.hash.slice(1));
