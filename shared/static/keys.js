// Digits choose among numbered choices while the focus is on them; without this script, arrow keys do.
for (const group of document.querySelectorAll("[data-digits]")) {
  group.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const chosen = group.querySelector(`[data-digit="${CSS.escape(event.key)}"]`);
    if (!chosen) return;
    event.preventDefault();
    chosen.checked = true;
    chosen.focus();
  });
}
