// The token that what writes needs. It comes once, behind the `#` of the address that the terminal shows, which no
// server is sent, and stays with this address and port. It is no cookie: those go to every port of a machine.
const NAME = "nostr-threads token";
const SHOWN = 12_000;
const SMALL = 10_000;
const REFUSED = "Open the address that the terminal has shown, with its token: this page may only read.";
let shown = 0;

export const hasToken = () => Boolean(localStorage.getItem(NAME));

async function post(path, value, token) {
  const body = JSON.stringify(value);
  return fetch(path, {
    method: "POST",
    headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
    body,
    // What was clicked is done although the page is left at once; browsers do that for small bodies alone.
    keepalive: body.length < SMALL,
  });
}

/** Post `body` to `path` and return the answer. Throws an Error with the words of a refusal. */
export async function write(path, body) {
  const token = localStorage.getItem(NAME) ?? "";
  const answer = await post(path, body, token);
  if (answer.status === 401) {
    if (localStorage.getItem(NAME) === token) localStorage.removeItem(NAME);
    throw new Error(REFUSED);
  }
  const found = await answer.json();
  if (!answer.ok) throw new Error(found.error ?? answer.statusText);
  return found;
}

/** Say something, for a while, to whoever looks at or listens to the page; nothing takes it back. */
export function tell(...words) {
  clearTimeout(shown);
  document.getElementById("told").replaceChildren(...words);
  if (words.length) shown = setTimeout(tell, SHOWN);
}

/** Take the token of the address, if it is the right one: any page may lead here with another. */
async function take(given) {
  history.replaceState(null, "", location.pathname + location.search);
  if ((await post("/token", {}, given)).ok) localStorage.setItem(NAME, given);
  else tell("The token of this address is not, or no more, the right one.");
}

async function look() {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given) await take(given);
}

window.addEventListener("hashchange", look);
await look();
