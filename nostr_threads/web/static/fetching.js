// "Look for more": the relays are asked because somebody wants it, and what they have comes into the page.
import { hasToken, tell, write } from "./token.js";

const thread = document.getElementById("thread");

function summary({ found, missing, relays, unsure }) {
  const answered = unsure ? `${relays - unsure} of ${relays} relays answered wholly` : `all ${relays} relays answered wholly`;
  return `${found} notes, ${missing || "none"} missing; ${answered}.`;
}

async function look(button) {
  button.disabled = true;
  tell("Asking the relays …");
  try {
    const found = await write("/fetch", { code: button.dataset.code });
    tell(summary(found));
    if (thread) document.dispatchEvent(new Event("answered"));
    else location.href = found.href;
  } catch (error) {
    tell(error.message);
  } finally {
    button.disabled = false;
  }
}

// The part of a page that has the button may be replaced: whoever holds it is asked each time.
document.addEventListener("click", (click) => {
  const button = click.target.closest("button.fetches");
  if (button) look(button);
});

export function reveal() {
  for (const button of document.querySelectorAll("button.fetches")) button.hidden = !hasToken();
}

reveal();
document.addEventListener("notes", reveal);
