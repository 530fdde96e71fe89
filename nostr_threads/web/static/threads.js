// Notes as a list: folding what is below one, and further pages as they are reached.
export const list = () => document.querySelector("ol.thread");
export const noteOf = (item) => item.querySelector(":scope > .note");
const depthOf = (item) => Number(noteOf(item)?.dataset.depth ?? Infinity);

/** Give every note its tools, and hide what is below those that are folded. */
export function settle() {
  const items = [...(list()?.children ?? [])];
  const above = [];
  const below = new Map();
  for (const item of items) {
    while (above.length && depthOf(above.at(-1)) >= depthOf(item)) above.pop();
    for (const each of above) below.set(each, (below.get(each) ?? 0) + 1);
    above.push(item);
  }
  let folded = Infinity;
  for (const item of items) {
    if (depthOf(item) <= folded) folded = Infinity;
    item.classList.toggle("folded", depthOf(item) > folded);
    if (item.dataset.folded && folded === Infinity) folded = depthOf(item);
    equip(item, below.get(item) ?? 0);
  }
}

/** The tools of a note; others put theirs there, too. */
export function toolsOf(item) {
  const note = noteOf(item);
  let tools = note?.querySelector(":scope > .tools");
  if (note && !tools) {
    tools = document.createElement("div");
    tools.className = "tools";
    note.append(tools);
  }
  return tools;
}

/** Show an item although something above it is folded. */
export function unfold(item) {
  let depth = depthOf(item);
  for (let above = item.previousElementSibling; above; above = above.previousElementSibling) {
    if (depthOf(above) >= depth) continue;
    depth = depthOf(above);
    delete above.dataset.folded;
  }
  settle();
}

export function fold(item) {
  if (!item.querySelector(".fold")) return;
  if (item.dataset.folded) delete item.dataset.folded;
  else item.dataset.folded = "yes";
  const at = document.activeElement?.closest("li");
  settle();
  if (at?.classList.contains("folded")) noteOf(item).focus({ preventScroll: true });
}

function equip(item, below) {
  const tools = toolsOf(item);
  if (!tools) return;
  let button = tools.querySelector(".fold");
  if (!below) {
    button?.remove();
    return;
  }
  if (!button) {
    button = Object.assign(document.createElement("button"), { type: "button", className: "fold" });
    button.addEventListener("click", () => fold(item));
    tools.append(button);
  }
  button.setAttribute("aria-expanded", String(!item.dataset.folded));
  button.textContent = `${item.dataset.folded ? "Show" : "Fold"} ${below} below`;
}

/** Fetch a page of this viewer and take it apart; null where there is none. */
export async function pageAt(path) {
  const answer = await fetch(path, { headers: { Accept: "text/html" } });
  if (answer.status === 404) return null;
  if (!answer.ok) throw new Error(answer.statusText);
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

let before = Promise.resolve();

/** Change the list when nobody else does. */
export function inTurn(work) {
  before = before.then(work, work);
  return before;
}

/** Put the next page below this one, and let its link be the next one after that. */
async function goOn(following) {
  const link = following.querySelector("a");
  if (!link || following.dataset.asked) return;
  following.dataset.asked = "yes";
  const page = await pageAt(link.href);
  const fresh = [...(page?.querySelectorAll("ol.thread > li") ?? [])];
  list().append(...fresh.filter((item) => !document.getElementById(noteOf(item)?.id)));
  const next = page?.querySelector("p.following");
  following.replaceWith(...(next ? [next] : []));
  if (next) watch(next);
  document.dispatchEvent(new Event("notes"));
}

// More than that in one document, and scrolling is no longer smooth: the link then leads to a page of its own.
const MOST = 1_000;

/** Go on with the next page when its link is nearly reached, unless the document is full. */
export function watch(following) {
  if (list().children.length >= MOST) return;
  new IntersectionObserver(
    (seen, watching) => {
      if (!seen.some((each) => each.isIntersecting)) return;
      watching.disconnect();
      inTurn(() => goOn(following)).catch(() => {
        delete following.dataset.asked;
        watch(following);
      });
    },
    { rootMargin: "1500px" },
  ).observe(following);
}

document.addEventListener("notes", settle);
if (list()) {
  settle();
  const following = document.querySelector("p.following");
  if (following) watch(following);
}
