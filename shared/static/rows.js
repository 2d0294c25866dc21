// A table of rows to be typed: Enter records the row at hand and goes on to the next. Without this script, Enter
// sends the whole form, which records every row that was typed.
for (const form of document.querySelectorAll("[data-rows]")) {
  form.addEventListener("keydown", (event) => {
    const row = event.key === "Enter" && event.target.matches("input") && event.target.closest("[data-row]");
    if (!row) return;
    event.preventDefault();
    const [box, note] = row.querySelectorAll("input");
    if (box.value || note.value) record(form, row, box, note);
    row.nextElementSibling?.querySelector("input").focus();
  });
}

async function record(form, row, box, note) {
  const state = row.querySelector("[data-state]");
  const sent = new URLSearchParams({ box: box.value, note: note.value });
  let reply;
  try {
    reply = await fetch(`${form.dataset.rows}/${row.dataset.row}`, { method: "POST", body: sent });
  } catch {
    reply = undefined;
  }
  const told = reply?.ok || reply?.status === 422;
  if (told) state.innerHTML = await reply.text();
  else state.textContent = form.dataset.lost;
  box.toggleAttribute("aria-invalid", !reply?.ok);
  if (reply?.ok) box.value = note.value = "";
  else box.focus();
}
