// Keeps staff pages live; without it they carry a refresh link.
const QUIET = 60_000; // ms without a sign until the page is old
const sayIn = (box) => box.querySelector("[data-live-say]")?.textContent.trim();

const partsOf = (of) => [...of.children].map((part) => part.outerHTML);

// A part that came unchanged stays, with what is being written in it. In the others focus, open folds and scrolled
// tables survive by their ids.
function replace(line, html) {
  const { box } = line, { body } = new DOMParser().parseFromString(html, "text/html"), parts = partsOf(body);
  const at = box.contains(document.activeElement) && document.activeElement.id;
  const kept = [...box.querySelectorAll("[id]")].map((e) => [e.id, e.scrollLeft, e.scrollTop, e.open]);
  if (parts.length === line.parts.length) {
    [...body.children].forEach((part, i) => parts[i] === line.parts[i] || box.children[i].replaceWith(part));
  } else box.replaceChildren(...body.childNodes);
  line.parts = parts;
  for (const [id, scrollLeft, scrollTop, open] of kept) {
    Object.assign(document.getElementById(id) ?? {}, { scrollLeft, scrollTop }, open && { open });
  }
  if (at) document.getElementById(at)?.focus({ preventScroll: true });
}

function follow(box) {
  let said = sayIn(box), wait = 1000, source;
  const line = { box, parts: partsOf(box), last: Date.now(), open };
  const sign = () => { line.last = Date.now(); wait = 1000; tell(); };
  function open() {
    source?.close();
    line.tried = Date.now();
    source = new EventSource(box.dataset.live);
    source.onopen = sign;
    source.addEventListener("beat", sign);
    source.onmessage = ({ data }) => {
      replace(line, data);
      const say = sayIn(box), voice = document.querySelector("[data-live-said]");
      if (voice && say && say !== said) voice.textContent = said = say;
      sign();
    };
    // The browser mends a broken line itself, but gives up on a 503.
    source.onerror = ({ target }) => {
      if (target.readyState < EventSource.CLOSED) return;
      setTimeout(open, wait * Math.random());
      wait = Math.min(wait * 2, 30_000);
    };
  }
  open();
  return line;
}

// A clock asks: a laptop that slept must notice on waking.
function tell() {
  const now = Date.now();
  for (const line of lines) {
    line.old = now - line.last > QUIET;
    line.box.classList.toggle("is-stale", line.old);
    if (line.old && now - line.tried > QUIET) line.open(); // it died without an error
  }
  const old = lines.find((line) => line.old), root = document.documentElement;
  root.classList.toggle("live", !old);
  const note = document.querySelector("[data-live-stale]");
  if (note && old) note.querySelector("time").textContent = new Date(old.last).toLocaleTimeString(root.lang);
  if (note) note.hidden = !old;
}

const lines = [...document.querySelectorAll("[data-live]")].map(follow);
if (lines.length) setInterval(tell, 1000, tell());
