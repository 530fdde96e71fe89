// A reply: written here, cut by the server, signed by the browser's extension (NIP-07), handed to the outbox.
import { list, noteOf, toolsOf } from "./threads.js";
import { hasToken, tell, write } from "./token.js";

const dialog = document.getElementById("composer");
const find = (id) => document.getElementById(id);
const PAUSE = 300;
const LOOKS = 120;
let target = null;
let waiting = 0;
let plan = null;

const draftName = (id) => `nostr-threads draft ${id}`;
const limit = () => Number(find("limit").value) || null;

function lines(element, texts) {
  element.replaceChildren(...texts.map((text) => Object.assign(document.createElement("li"), { textContent: text })));
}

function say(words, { failed = false } = {}) {
  find("sending").replaceChildren(...[words].flat());
  find("sending").classList.toggle("failed", failed);
}

function show({ parts, warnings }) {
  const several = `${parts.length} notes, each a reply to the one before.`;
  find("counted").textContent = parts.length === 0 ? "" : parts.length === 1 ? "One note." : several;
  lines(find("parts"), parts.map((part) => part.text));
  lines(find("warned"), warnings);
}

async function preview() {
  if (plan) return;
  const text = find("answer").value;
  if (!text.trim()) {
    show({ parts: [], warnings: [] });
    return;
  }
  try {
    const found = await write("/answer/parts", { text, limit: limit() });
    if (text === find("answer").value && !plan) show(found);
  } catch (error) {
    lines(find("warned"), [error.message]);
  }
}

/** Whatever was prepared is no longer what is written. */
function unprepare() {
  plan = null;
  find("going").textContent = "";
  find("sign").hidden = true;
  find("prepare").hidden = false;
}

function changed() {
  localStorage.setItem(draftName(target), find("answer").value);
  unprepare();
  say("");
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
  find("answered").textContent = note.querySelector(".by").textContent.replace(/\s+/g, " ").trim();
  find("answered-text").textContent = (note.querySelector(".text")?.textContent ?? "").trim().slice(0, 200);
  find("answer").value = localStorage.getItem(draftName(target)) ?? "";
  find("writing").hidden = false;
  unprepare();
  say(missing());
  find("prepare").disabled = Boolean(missing());
  dialog.showModal();
  find("answer").focus();
  preview();
}

/** Do something with a button that waits meanwhile, and say why it failed. */
async function trying(button, work) {
  button.disabled = true;
  try {
    await work();
  } catch (error) {
    say(error.message ?? String(error), { failed: true });
  } finally {
    button.disabled = false;
  }
}

async function asked(question, ...given) {
  try {
    return await window.nostr[question](...given);
  } catch (error) {
    throw new Error(`Your extension says: ${error?.message ?? error}. Nothing was sent.`);
  }
}

async function prepare() {
  // Whoever asks takes their time: meanwhile something else may be written here.
  const [to, text, most] = [target, find("answer").value, limit()];
  const is = () => dialog.open && target === to && find("answer").value === text && limit() === most;
  say("Asking the relays what they take …");
  const author = await asked("getPublicKey");
  const found = await write("/answer/plan", { text, limit: most, author, reply_to: to });
  if (!is()) return;
  plan = { ...found, to, text };
  show(plan);
  find("going").textContent = `As ${plan.as}, to ${plan.relays.map((relay) => relay.url).join(", ")}`;
  find("prepare").hidden = true;
  find("sign").hidden = false;
  find("sign").focus();
  say("");
}

async function signed(drafts, is) {
  const events = [];
  for (const [place, draft] of drafts.entries()) {
    if (is()) say(`Signing note ${place + 1} of ${drafts.length} …`);
    const { kind, created_at, tags, content, pubkey } = draft;
    events.push(await asked("signEvent", { kind, created_at, tags, content, pubkey }));
  }
  return events;
}

async function send() {
  // Whoever signs takes their time: meanwhile another note may be answered here.
  const planned = plan;
  const { to, text } = planned;
  const is = () => plan === planned;
  const sent = await write("/answer/send", { plan: planned.plan, events: await signed(planned.drafts, is) });
  if (localStorage.getItem(draftName(to)) === text) localStorage.removeItem(draftName(to));
  if (!is()) {
    tell("Your reply was sent.");
    return;
  }
  find("answer").value = "";
  find("writing").hidden = true;
  find("sign").hidden = true;
  find("leave").focus();
  await follow(sent, is);
}

/** Say how far the reply is until it has arrived, or for a minute; the outbox knows more. */
async function follow(sent, is) {
  const link = Object.assign(document.createElement("a"), { href: sent.href, textContent: "See it" });
  const outbox = Object.assign(document.createElement("a"), { href: "/outbox", textContent: "Outbox" });
  for (let looks = 0; looks < LOOKS && is(); looks += 1) {
    const answer = await fetch(sent.state, { headers: { Accept: "application/json" } });
    const { state, deliveries } = await answer.json();
    const there = deliveries.filter((each) => each.status === "stored").length;
    const words = state === "arrived" ? "Sent" : state[0].toUpperCase() + state.slice(1);
    const failed = state === "refused" || state === "given up";
    say([`${words}: ${there} of ${deliveries.length} copies read back. `, link, " · ", outbox], { failed });
    document.dispatchEvent(new Event("answered"));
    if (state !== "on its way") return;
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
  find("leave").addEventListener("click", () => dialog.close());
  // Enter in a field is no wish to leave.
  dialog.querySelector("form").addEventListener("submit", (event) => event.preventDefault());
  find("prepare").addEventListener("click", () => trying(find("prepare"), prepare));
  find("sign").addEventListener("click", () => trying(find("sign"), send));
}
