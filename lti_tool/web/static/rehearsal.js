// Plays a lesson that never was, in real time, and lets it be noted with the same controls as a visit. What is noted is
// in this page only, until the form takes it along to be drawn; nothing is kept on the device or by the tool.
//
// Without this script the lesson is there to be read with its times.

import { Finder } from "./hints.js";
import { minutes } from "./visit-clock.js";
import { describe, SURFACES } from "./visit-kinds.js";

const words = document.getElementById("rehearsal-words").dataset;
const root = document.getElementById("rehearsal");
const form = document.getElementById("rehearsal-form");
const part = (name) => root.querySelector(`[data-${name}]`);
const TICK = 250; // ms

/** The time of the lesson: it goes as fast as one likes, and stands still in a pause. */
class LessonClock {
  constructor(end) {
    this.end = end; // ms
    this.ms = 0;
    this.speed = 1;
    this.since = null; // performance.now() since when it goes on
  }

  get goesOn() {
    return this.since !== null;
  }

  at() {
    if (this.goesOn) {
      const now = performance.now();
      this.ms = Math.min(this.end, this.ms + (now - this.since) * this.speed);
      this.since = now;
    }
    return Math.round(this.ms);
  }

  go() {
    this.since = performance.now();
  }

  stop() {
    this.at();
    this.since = null;
  }
}

/** What the surfaces of visit-kinds.js ask of a visit, with a store that is nothing but this page. */
class Rehearsal {
  constructor(instrument, clock) {
    this.instrument = instrument;
    this.clock = clock;
    this.entries = [];
    this.store = { meta: {}, set: async () => {} };
    this.boxes = []; // for texts
    this.say = say;
    this.finder = null;
  }

  at() {
    return this.clock.at();
  }

  hint(text) {
    const [name] = this.finder?.names(text) ?? [];
    if (name) return `“${name}”: ${this.finder.asks.name}`;
    const judges = this.finder?.judging(text).at(-1);
    return judges ? `“${judges.said}”: ${this.finder.asks.seen}` : "";
  }

  note(values, { at = null } = {}) {
    const { of: _of, ...said } = values;
    const entry = { device: "here", number: this.entries.length + 1, at_ms: at ?? this.at(), ...said };
    this.entries.push(entry);
    part("last").textContent = said.undoes ? say("takenBack") : say("noted", { what: describe(this, entry) });
    refresh();
  }

  takeBack(entry) {
    this.note({ undoes: entry.number });
  }

  standing() {
    const gone = new Set(this.entries.map((each) => each.undoes));
    return this.entries.filter((each) => !each.undoes && !gone.has(each.number));
  }

  seen() {
    return this.standing();
  }
}

function say(key, values = {}) {
  return (words[key] ?? "").replace(/\{(\w+)\}/g, (_all, name) => values[name] ?? "");
}

const clock = new LessonClock(60_000 * Number(root.dataset.minutes));
const rehearsal = new Rehearsal(JSON.parse(root.dataset.instrument), clock);
const lines = [...part("lines").children];
const play = part("play");
const surface = SURFACES[rehearsal.instrument.kind](rehearsal, part("surface"));

/** Shows what has been said and seen so far, with the last of it in view; and the time. */
function refresh() {
  const at = clock.at();
  let isNew = false;
  for (const line of lines) {
    const isSaid = 1000 * Number(line.dataset.at) <= at;
    isNew ||= isSaid && line.hidden;
    line.hidden = !isSaid;
  }
  if (isNew) part("log").scrollTop = part("log").scrollHeight;
  part("clock").textContent = minutes(at);
  part("undo").disabled = !rehearsal.standing().length;
  surface();
}

function tick() {
  if (!clock.goesOn) return;
  refresh();
  if (clock.at() >= clock.end) {
    clock.stop();
    play.disabled = true;
    part("last").textContent = say("over");
  } else setTimeout(tick, TICK);
}

play.addEventListener("click", () => {
  if (clock.goesOn) clock.stop();
  else clock.go();
  play.textContent = say(clock.goesOn ? "pause" : "goOn");
  if (part("taps").hidden) {
    part("taps").hidden = false;
    part("bar").scrollIntoView();
  }
  stayAwake();
  tick();
});

part("speed").addEventListener("change", (event) => {
  clock.at();
  clock.speed = Number(event.target.value);
});

part("undo").addEventListener("click", () => rehearsal.takeBack(rehearsal.standing().at(-1)));

form.addEventListener("submit", () => {
  clock.stop();
  play.textContent = say("goOn");
  const noted = rehearsal.standing();
  form.elements.entries.value = noted.length ? JSON.stringify(noted) : "";
  // Who has not begun sees what the author noted in all of it.
  form.elements.until.value = clock.ms ? String(clock.at()) : "";
});

async function stayAwake() {
  try {
    await navigator.wakeLock?.request("screen");
  } catch {
    // The device saves its battery.
  }
}

async function begin() {
  root.classList.add("rehearsal-plays");
  part("log").setAttribute("role", "log");
  for (const line of lines) line.hidden = true;
  part("bar").hidden = false;
  form.querySelector("[data-when]").hidden = false;
  refresh();
  const answer = await fetch(root.dataset.wordLists, { headers: { Accept: "application/json" } });
  if (answer.ok) rehearsal.finder = new Finder((await answer.json()).lists);
}

begin().catch(() => {
  // Without the lists there are no hints.
});
