// "Mark as read": what is new here, as far as the page shows it, counts as looked at.
import { hasToken, tell, write } from "./token.js";

async function mark(button) {
  try {
    await write("/looked", { root: button.dataset.looked, cursor: Number(button.dataset.cursor) });
    for (const each of document.querySelectorAll(".new")) each.classList.remove("new");
    for (const each of document.querySelectorAll(".fresh")) each.remove();
    button.hidden = true;
    tell("Marked as read.");
  } catch (error) {
    tell(error.message);
  }
}

function reveal() {
  for (const button of document.querySelectorAll("button.writes")) button.hidden = !hasToken();
}

// The button comes anew with what is new.
document.addEventListener("click", (click) => {
  const button = click.target.closest("button.writes");
  if (button) mark(button);
});
document.addEventListener("notes", reveal);
reveal();
