// The token that what writes needs. It comes once, behind the `#` of the address that the terminal shows, which no
// server is sent, and stays with this address and port. It is no cookie: those go to every port of a machine.
const NAME = "nostr-threads token";

const given = new URLSearchParams(location.hash.slice(1)).get("token");
if (given) {
  localStorage.setItem(NAME, given);
  history.replaceState(null, "", location.pathname + location.search);
}

export const hasToken = () => Boolean(localStorage.getItem(NAME));

/** Post `body` to `path` and return the answer. Throws an Error with the words of a refusal. */
export async function write(path, body) {
  const answer = await fetch(path, {
    method: "POST",
    headers: { Authorization: `Bearer ${localStorage.getItem(NAME) ?? ""}`, "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  if (answer.status === 401) {
    localStorage.removeItem(NAME);
    throw new Error("Open the address that the terminal has shown, with its token: this page may only read.");
  }
  const found = await answer.json();
  if (!answer.ok) throw new Error(found.error ?? answer.statusText);
  return found;
}

const SHOWN = 12_000;
let shown = 0;

/** Say something, for a while, to whoever looks at or listens to the page; nothing takes it back. */
export function tell(...words) {
  clearTimeout(shown);
  document.getElementById("told").replaceChildren(...words);
  if (words.length) shown = setTimeout(tell, SHOWN);
}
