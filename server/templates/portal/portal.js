// What pages can do with a script: copy, and ask again before something is taken away. Without it they work as links and forms.
"use strict";

document.documentElement.classList.add("scripted");

document.addEventListener("click", async (clicked) => {
  const button = clicked.target.closest("button[data-copy-from]");
  if (!button) return;
  const field = document.getElementById(button.dataset.copyFrom);
  try {
    await navigator.clipboard.writeText(field.value);
    button.classList.add("done");
  } catch (_) {
    field.select();
  }
});
