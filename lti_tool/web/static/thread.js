// An open thread: new messages come in by themselves, and what is typed and not yet sent is kept on this device.

import { openDevice } from "./device.js";

const POLL = 3000; // ms
const POLL_IDLE = 15_000; // ms, when nothing has happened for IDLE_AFTER
const IDLE_AFTER = 5 * 60_000; // ms

let lastNews = Date.now();
let failures = 0;

async function poll() {
  const list = document.getElementById("messages");
  if (!document.hidden) {
    try {
      const url = `${location.pathname}/news?known=${list.dataset.known}`;
      const answer = await fetch(url, { headers: { Accept: "text/html" }, signal: AbortSignal.timeout(10_000) });
      if (answer.status === 200) takeIn(list, await answer.text());
      else if (answer.status >= 400 && answer.status < 500 && answer.status !== 429) return; // not ours any more
      failures = answer.ok ? 0 : failures + 1;
    } catch {
      failures += 1; // no network: the next time
    }
  }
  const pause = Date.now() - lastNews > IDLE_AFTER ? POLL_IDLE : POLL;
  setTimeout(poll, Math.min(pause * 2 ** failures, 60_000));
}

function takeIn(list, html) {
  const fresh = new DOMParser().parseFromString(html, "text/html").getElementById("messages");
  if (!fresh) return;
  lastNews = Date.now();
  // Messages are put in and taken out one by one, so that a screen reader says the new ones only, and what is open stays.
  const there = new Map([...list.querySelectorAll(".message")].map((each) => [each.id, each]));
  for (const message of fresh.querySelectorAll(".message")) {
    const old = there.get(message.id);
    if (old) message.replaceWith(old);
  }
  list.replaceChildren(...fresh.childNodes);
  list.dataset.known = fresh.dataset.known;
}

async function keepDraft(form) {
  const device = await openDevice(form.dataset.deviceKey);
  const name = `meitheal/${form.dataset.person}/thread/${form.dataset.draft}`;
  const box = form.elements.text;
  const query = new URLSearchParams(location.search);
  if (query.has("sent")) {
    device.remove(name);
    history.replaceState(null, "", location.pathname + location.hash);
  } else if (!box.value) {
    box.value = (await device.read(name))?.text ?? "";
  }
  let timer;
  box.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => (box.value ? device.keep(name, { text: box.value }) : device.remove(name)), 300);
  });
}

const form = document.querySelector("form[data-draft]");
if (form) keepDraft(form);
if (document.getElementById("messages").dataset.known) poll();
