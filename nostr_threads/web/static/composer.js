// An answer: written here, cut by the server, signed by the browser's extension (NIP-07), handed to the outbox.
import { list, noteOf, toolsOf } from "./threads.js";
import { hasToken, write } from "./token.js";

const dialog = document.getElementById("composer");
const find = (id) => document.getElementById(id);
const PAUSE = 300;
const LOOKS = 120;
let target = null;
let waiting = 0;

const draftName = (id) => `nostr-threads draft ${id}`;
const limit = () => Number(find("limit").value) || null;

function lines(element, texts) {
  element.replaceChildren(...texts.map((text) => Object.assign(document.createElement("li"), { textContent: text })));
}

function show(found) {
  const { parts, warnings } = found;
  find("counted").textContent = parts.length === 1 ? "One note." : `${parts.length} notes, each an answer to the one before.`;
  lines(find("parts"), parts.map((part) => part.text));
  lines(find("warned"), warnings);
}

async function preview() {
  const text = find("answer").value;
  if (!text.trim()) {
    show({ parts: [], warnings: [] });
    find("counted").textContent = "";
    return;
  }
  try {
    const found = await write("/answer/parts", { text, limit: limit() });
    if (text === find("answer").value) show(found);
  } catch (error) {
    lines(find("warned"), [error.message]);
  }
}

function changed() {
  localStorage.setItem(draftName(target), find("answer").value);
  clearTimeout(waiting);
  waiting = setTimeout(preview, PAUSE);
}

function missing() {
  if (!hasToken()) return "Open the address that the terminal has shown, with its token: this page may only read.";
  if (!window.nostr) return "Signing needs a browser extension that holds your key (NIP-07): none is here.";
  return "";
}

function open(note) {
  target = note.dataset.answerable;
  find("answered").textContent = `To ${note.querySelector(".by").textContent.replace(/\s+/g, " ").trim()}`;
  find("answer").value = localStorage.getItem(draftName(target)) ?? "";
  find("sending").textContent = missing();
  find("sign").disabled = Boolean(missing());
  dialog.showModal();
  find("answer").focus();
  preview();
}

async function signed(drafts) {
  const events = [];
  for (const [place, draft] of drafts.entries()) {
    find("sending").textContent = `Signing part ${place + 1} of ${drafts.length} …`;
    const { kind, created_at, tags, content, pubkey } = draft;
    events.push(await window.nostr.signEvent({ kind, created_at, tags, content, pubkey }));
  }
  return events;
}

async function send() {
  find("sign").disabled = true;
  try {
    find("sending").textContent = "Asking the relays what they take …";
    const author = await window.nostr.getPublicKey();
    const text = find("answer").value;
    const plan = await write("/answer/plan", { text, limit: limit(), author, reply_to: target });
    show(plan);
    const sent = await write("/answer/send", { plan: plan.plan, events: await signed(plan.drafts) });
    localStorage.removeItem(draftName(target));
    find("answer").value = "";
    await follow(sent);
  } catch (error) {
    find("sending").textContent = error.message ?? String(error);
  } finally {
    find("sign").disabled = Boolean(missing());
  }
}

/** Say how far the answer is until it has arrived, or for a minute; the outbox knows more. */
async function follow(sent) {
  for (let looks = 0; looks < LOOKS; looks += 1) {
    const answer = await fetch(sent.state, { headers: { Accept: "application/json" } });
    const report = await answer.json();
    const there = report.deliveries.filter((each) => each.status === "stored").length;
    find("sending").textContent = `${report.state}: ${there} of ${report.deliveries.length} copies read back`;
    document.dispatchEvent(new Event("answered"));
    if (report.state !== "on its way") return;
    await new Promise((done) => setTimeout(done, 500));
  }
}

function equip() {
  for (const item of list()?.children ?? []) {
    const note = noteOf(item);
    if (!note?.dataset.answerable || note.querySelector(".reply")) continue;
    const button = Object.assign(document.createElement("button"), { type: "button", className: "reply", textContent: "Reply" });
    button.addEventListener("click", () => open(note));
    toolsOf(item).prepend(button);
  }
}

if (dialog) {
  equip();
  document.addEventListener("notes", equip);
  find("answer").addEventListener("input", changed);
  find("limit").addEventListener("input", changed);
  find("sign").addEventListener("click", send);
}
