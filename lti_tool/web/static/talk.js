// A guided conversation on a page that is open: a quiet timer, taps that survive a lost network, and the step that all
// who hold it have in common. Texts are kept by texts.js, which also hears when there is news.

const RETRY = 1500; // ms
const ANSWER_WITHIN = 10_000; // ms
const STILL_TYPING = 2000; // ms after a key during which the page stays where it is
const OVER_TO_WORDS = 3; // seconds before the end that are not counted in words
const FOLLOWS = "meitheal/talk"; // says to the next page that it takes the place of this one

const now = document.querySelector("[data-talk]");
const words = document.getElementById("talk-words").dataset;
const calm = matchMedia("(prefers-reduced-motion: reduce)");

// --- the time ----------------------------------------------------------------------------------------------------------

/** How far this device's clock is behind the server's, in ms: measured at the moment when the answer came. */
function behind() {
  const came = performance.getEntriesByType("navigation")[0]?.responseStart;
  const here = came ? performance.timeOrigin + came : Date.now();
  return Number(now.dataset.now) - here;
}

function count() {
  const ends = Number(now.dataset.ends);
  const place = now.querySelector("[data-time]");
  if (!ends || !place) return;
  const offset = behind();
  const ring = now.querySelector(".left");
  const over = now.querySelector("[data-time-over]");
  const whole = Number(now.dataset.minutes) * 60;
  const tick = () => {
    const left = Math.max(0, Math.ceil((ends - Date.now() - offset) / 1000));
    const shown = calm.matches ? inWords(left) : `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
    if (place.textContent !== shown) place.textContent = shown;
    place.classList.toggle("in-words", calm.matches);
    // Who would like no motion gets a ring that stands still, a minute at a time.
    const part = calm.matches ? Math.ceil(left / 60) * 60 : left;
    ring?.setAttribute("stroke-dashoffset", String(100 - Math.min(100, (100 * part) / whole)));
    if (left > 0) return;
    clearInterval(timer);
    // Said once, and nothing is done about it: people go on when they are ready.
    over.textContent = words.over;
  };
  const timer = setInterval(tick, 1000);
  now.querySelector(".talk-clock").classList.add("counts");
  tick();
}

function inWords(seconds) {
  const minutes = Math.round(seconds / 60);
  return minutes > 1 ? words.left.replace("{count}", minutes) : seconds > OVER_TO_WORDS ? words.last : "0:00";
}

// --- taps --------------------------------------------------------------------------------------------------------------

const line = document.querySelector("[data-move-state]");
let waiting = false;

function say(text) {
  if (!line) return;
  line.hidden = !text;
  line.textContent = text;
}

/** A tap travels by this script, so that it is not lost in a classroom without network. */
function taken(event) {
  const button = event.submitter;
  if (button?.name !== "move") return;
  event.preventDefault();
  event.stopImmediatePropagation();
  if (waiting) return;
  waiting = true;
  send(new FormData(event.target, button), button.getAttribute("formaction"));
}

async function send(form, url) {
  const answer = await ask(url, form);
  if (answer === null) {
    say(words.offline);
    setTimeout(() => send(form, url), RETRY);
    return;
  }
  waiting = false;
  if (answer.ok) return follow();
  say([answer.body?.what, answer.body?.advice].filter(Boolean).join(" ") || words.refused);
}

/** Answers {ok, body}, or null when the server could not be reached. */
async function ask(url, form) {
  try {
    const answer = await fetch(url, {
      method: "POST",
      body: new URLSearchParams(form),
      headers: { Accept: "application/json" },
      credentials: "same-origin",
      redirect: "error",
      signal: AbortSignal.timeout(ANSWER_WITHIN),
    });
    if (answer.status >= 500 || answer.status === 429 || answer.status === 408) return null;
    return { ok: answer.ok, body: await answer.json() };
  } catch {
    return null;
  }
}

// --- in step -----------------------------------------------------------------------------------------------------------

let lastKey = 0;
let goes;

/** To the step that is now. What is typed is on the device and goes on from there; a word is finished first. */
function follow() {
  const rest = lastKey + STILL_TYPING - Date.now();
  clearTimeout(goes);
  if (rest > 0) {
    say(words.gone);
    goes = setTimeout(follow, rest);
    return;
  }
  // The step is another one, so its top is where to read on.
  history.scrollRestoration = "manual";
  remember(true);
  location.replace(location.href.split("#")[0]);
}

/** Whether this page came by following; a browser that keeps nothing says no. */
function remember(follows) {
  try {
    const before = sessionStorage.getItem(FOLLOWS);
    if (follows) sessionStorage.setItem(FOLLOWS, "1");
    else sessionStorage.removeItem(FOLLOWS);
    return before !== null;
  } catch {
    return false;
  }
}

document.addEventListener("input", () => (lastKey = Date.now()), true);
document.addEventListener("cycle-news", (event) => {
  const key = now.dataset.talk;
  const marks = event.detail.marks.stages.filter((mark) => mark === key || mark.startsWith(`${key}.`));
  const rev = event.detail.talks[key] ?? 0;
  if (rev === Number(now.dataset.rev) && marks.join() === now.dataset.marks) return;
  event.preventDefault();
  if (!waiting) follow();
});
// Before texts.js, which holds a form back until all texts are on the server: a tap need not wait for that.
addEventListener("submit", taken, true);
if (remember(false)) now.querySelector("h1").focus({ preventScroll: true });
count();
