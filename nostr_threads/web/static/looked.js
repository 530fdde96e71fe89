// "Mark as read": what is new counts as looked at.
import { hasToken, tell, write } from "./token.js";

for (const button of document.querySelectorAll("button.writes")) {
  button.hidden = !hasToken();
  button.addEventListener("click", async () => {
    try {
      await write("/looked", { root: button.dataset.looked, cursor: Number(button.dataset.cursor) });
      for (const each of document.querySelectorAll(".new")) each.classList.remove("new");
      for (const each of document.querySelectorAll(".fresh")) each.remove();
      button.hidden = true;
      tell("Marked as read.");
    } catch (error) {
      tell(error.message);
    }
  });
}
