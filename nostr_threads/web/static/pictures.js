// Pictures are shown when somebody asks for them: in a frame that may load that picture and nothing else.
document.addEventListener("click", (click) => {
  const link = click.target.closest("a[data-picture]");
  if (!link || click.ctrlKey || click.metaKey || click.shiftKey) return;
  click.preventDefault();
  const shown = link.nextElementSibling;
  if (shown?.matches("iframe.picture")) {
    shown.remove();
    return;
  }
  const frame = Object.assign(document.createElement("iframe"), { className: "picture", title: `Picture: ${link.textContent}` });
  frame.src = link.dataset.picture;
  link.after(frame);
});
