// What is tapped for each kind of instrument. A surface puts its buttons into the page and answers what to do when
// something was noted or time went on; all it knows comes from the instrument and the entries that stand.

import { minutes } from "./visit-clock.js";
import { make, placeName, Plan } from "./visit-plan.js";

const TEACHER = 0;
const CLASS = -1;
const MAX_TEXT = 300;

/** Kind → (visit, root) → what to do at each change and each tick. */
export const SURFACES = {
  lines: (visit, root) => written(visit, root, { by: "code", isNeeded: true, withSeat: true }),
  quotes: (visit, root) => written(visit, root, { by: "code", withSeat: true }),
  questions: (visit, root) => written(visit, root, { by: "code" }),
  predicted: (visit, root) => written(visit, root, { by: "row", isNeeded: true }),
  voices: (visit, root) => written(visit, root, { by: "row", isNeeded: true, withCodes: true }),
  cards: (visit, root) => written(visit, root, { by: "", isNeeded: true }),
  waits: (visit, root) => counted(visit, root),
  tally: (visit, root) => counted(visit, root),
  intervals,
  sweep,
  flow,
  turns,
  path,
  checklist,
};
/** Kinds whose page shows seconds. */
export const COUNTS_SECONDS = new Set(["sweep", "intervals"]);

/** An entry in a few words, for the list of the last ones. */
export function describe(visit, entry) {
  const { instrument, say } = visit;
  const seat = (number) => say(number === TEACHER ? "teacher" : number === CLASS ? "theClass" : "seat", { number });
  const of = (lines, key) => lines.find((each) => each.key === key)?.text;
  return [
    entry.column === "question" ? say("myQuestion") : entry.column === "mine" ? say("forMe") : "",
    of(instrument.rows, entry.row),
    of(instrument.codes, entry.code),
    entry.seat !== undefined && entry.to_seat !== undefined
      ? say("fromTo", { from: seat(entry.seat), to: seat(entry.to_seat) })
      : entry.seat !== undefined && seat(entry.seat),
    entry.x !== undefined && say("place", { place: placeName(entry.x, entry.y) }),
    entry.text,
  ].filter(Boolean).join(", ");
}

// --- texts -------------------------------------------------------------------------------------------------------------

/** A box whose text is kept while it is typed, with the time at which it was begun. */
export function box(visit, key, label, rows = 3) {
  const id = `box-${key}`;
  const input = make("textarea", {
    id, rows, maxlength: MAX_TEXT, autocapitalize: "sentences", autocomplete: "off", "aria-describedby": `${id}-hint`,
  });
  const hint = make("p", { id: `${id}-hint`, class: "hint", role: "status" });
  const name = `draft/${key}`;
  const before = visit.store.meta[name];
  let begun = before?.at ?? null;
  let timer = null;
  input.value = before?.text ?? "";
  const keep = () => {
    clearTimeout(timer);
    timer = null;
    if (visit.isOver) return;
    visit.store.set(name, input.value ? { text: input.value, at: begun } : null);
    hint.textContent = visit.hint(input.value);
  };
  input.addEventListener("input", () => {
    if (!input.value) begun = null;
    else begun ??= visit.at();
    timer ??= setTimeout(keep, 500);
  });
  document.addEventListener("visibilitychange", () => timer && keep());
  if (input.value) hint.textContent = visit.hint(input.value);
  const made = {
    part: make("div", { class: "box" }, make("label", { for: id }, label), input, hint),
    input,
    key,
    /** Says that the text is not noted, and goes there. */
    ask() {
      hint.textContent = visit.say("notKept");
      for (let around = input.parentElement; around; around = around.parentElement) if ("open" in around) around.open = true;
      input.focus();
    },
    /** Notes `values` with the text, at the time at which it was begun; answers whether there was what is needed. */
    note(values, isNeeded) {
      const text = input.value.trim().replace(/\s+/g, " ");
      if (!text && isNeeded) {
        hint.textContent = visit.say("writeFirst");
        input.focus();
        return false;
      }
      clearTimeout(timer);
      timer = null;
      visit.note(text ? { ...values, text } : values, { at: text ? begun : null, meta: { [name]: null } });
      input.value = hint.textContent = "";
      begun = null;
      return true;
    },
  };
  visit.boxes.push(made);
  return made;
}

function written(visit, root, { by, isNeeded = false, withSeat = false, withCodes = false }) {
  const { instrument, say } = visit;
  const words = box(visit, "seen", say(isNeeded ? "seenHeard" : "inTheseWords"));
  const seat = make("input", { type: "text", inputmode: "numeric", pattern: "[0-9]*", maxlength: 2, id: "box-seat", autocomplete: "off" });
  let code = null;
  const codes = withCodes && instrument.codes.length ? buttons(instrument.codes, "codes", (key) => mark(code === key ? null : key)) : null;
  const mark = (key) => {
    code = key;
    codes?.press((each) => each === key);
  };
  const save = (key) => {
    const number = /^[1-9]\d?$/.test(seat.value.trim()) ? Number(seat.value) : null;
    const values = { ...(by && { [by]: key }), ...(number && { seat: number }), ...(code && { code }) };
    if (!words.note(values, isNeeded)) return;
    seat.value = "";
    mark(null);
    if (isNeeded) words.input.focus();
  };
  root.append(words.part);
  if (withSeat) root.append(make("div", { class: "seat-line" }, make("label", { for: "box-seat" }, say("seatIfAny")), seat));
  if (codes) root.append(make("p", { class: "next-seat" }, say("theme")), codes.part);
  const lines = by ? instrument[`${by}s`] : [{ key: "", text: say("keepMoment") }];
  const ways = buttons(lines, by === "row" ? "rows" : "codes", save);
  for (const row of by === "row" ? lines.filter((each) => each.expected) : []) {
    ways.button(row.key).append(make("small", {}, say("expected", { text: row.expected })));
  }
  root.append(make("p", { class: "next-seat" }, say(by === "row" ? "tapWhose" : by ? "tapWhat" : "")), ways.part);
  return () => {};
}

// --- codes -------------------------------------------------------------------------------------------------------------

/** Large buttons, one for each line of the instrument. */
function buttons(lines, kind, tapped) {
  const all = new Map();
  const part = make("div", { class: kind === "rows" ? "taps taps-rows" : lines.length > 4 ? "taps taps-many" : "taps" });
  for (const line of lines) {
    const button = make("button", { type: "button", class: "tap" }, make("span", {}, line.text));
    button.addEventListener("click", () => tapped(line.key));
    all.set(line.key, button);
    part.append(button);
  }
  return {
    part,
    button: (key) => all.get(key),
    press: (isPressed) => all.forEach((button, key) => button.setAttribute("aria-pressed", String(isPressed(key)))),
  };
}

function counted(visit, root) {
  const ways = buttons(visit.instrument.codes, "codes", (code) => visit.note({ code }));
  for (const each of visit.instrument.codes) ways.button(each.key).append(make("strong", { class: "count" }, "0"));
  root.append(ways.part);
  return () => {
    const seen = visit.seen();
    for (const each of visit.instrument.codes) {
      ways.button(each.key).querySelector(".count").textContent = seen.filter((entry) => entry.code === each.key).length;
    }
  };
}

function intervals(visit, root) {
  const length = 1000 * visit.instrument.interval_s;
  const clock = make("p", { class: "countdown" });
  let here = new Map();
  const ways = buttons(visit.instrument.codes, "codes", (code) => {
    // A second tap in the same stretch takes the first one back.
    if (here.get(code)) visit.takeBack(here.get(code));
    else if (!here.has(code)) {
      here.set(code, null); // on its way
      visit.note({ code });
    }
  });
  root.append(clock, ways.part);
  return () => {
    const now = visit.at();
    const at = Math.floor(now / length);
    here = new Map(visit.seen().filter((each) => Math.floor(each.at_ms / length) === at).map((each) => [each.code, each]));
    clock.textContent = visit.say("stretch", { number: at + 1, left: minutes((at + 1) * length - now + 999) });
    ways.press((key) => here.has(key));
  };
}

// --- seats -------------------------------------------------------------------------------------------------------------

const letter = (lines, key) => String.fromCharCode(65 + lines.findIndex((each) => each.key === key));

function sweep(visit, root) {
  const { instrument, say } = visit;
  const length = 1000 * instrument.interval_s;
  const numbers = instrument.plan.seats.map((each) => each.number).sort((a, b) => a - b);
  const clock = make("p", { class: "countdown" });
  const now = make("p", { class: "next-seat" });
  const plan = new Plan(visit, { tapped: (number) => choose(number) });
  const ways = buttons(instrument.codes, "codes", (code) => {
    const seat = next();
    chosen = null;
    if (seat !== null) visit.note({ seat, code });
  });
  ways.part.classList.add("taps-letters");
  for (const each of instrument.codes) ways.button(each.key).prepend(make("strong", {}, letter(instrument.codes, each.key)));
  let chosen = null;
  let last = null;
  let done = new Map();
  let round = -1;
  const choose = (number) => {
    chosen = number;
    refresh();
  };
  /** The seat that was tapped, or the next one in this round after the last that was noted. */
  const next = () => {
    if (chosen !== null) return chosen;
    const after = numbers.indexOf(last) + 1;
    return [...numbers.slice(after), ...numbers.slice(0, after)].find((each) => !done.has(each)) ?? null;
  };
  const refresh = () => {
    const at = visit.at();
    const entries = visit.seen().filter((each) => Math.floor(each.at_ms / length) === Math.floor(at / length));
    if (Math.floor(at / length) !== round) chosen = null;
    round = Math.floor(at / length);
    done = new Map(entries.map((each) => [each.seat, each.code]));
    last = entries.at(-1)?.seat ?? null;
    const left = minutes((round + 1) * length - at + 999);
    const seat = next();
    clock.textContent = say(seat === null ? "roundDone" : "round", { number: round + 1, done: done.size, of: numbers.length, left });
    now.textContent = seat === null ? "\u00a0" : say("nextSeat", { number: seat });
    for (const number of numbers) {
      const code = done.get(number);
      const says = code ? instrument.codes.find((each) => each.key === code).text : "";
      plan.show(number, { sign: code ? letter(instrument.codes, code) : "", says, isPressed: number === seat, isNext: number === seat });
    }
  };
  root.append(clock, plan.box, now, ways.part);
  return refresh;
}

/** A code that stays chosen, and the first of them to begin with. */
function sticky(instrument, changed) {
  let code = instrument.codes[0]?.key;
  const ways = buttons(instrument.codes, "codes", (key) => {
    code = key;
    ways.press((each) => each === code);
    changed?.();
  });
  ways.press((each) => each === code);
  ways.part.classList.add("taps-sticky");
  return { part: ways.part, get code() { return code; } };
}

function flow(visit, root) {
  const { instrument, say } = visit;
  const way = sticky(instrument);
  const now = make("p", { class: "next-seat", role: "status" });
  const plan = new Plan(visit, { tapped: (number) => tap(number) });
  const beside = buttons([{ key: TEACHER, text: say("teacher") }, { key: CLASS, text: say("theClass") }], "codes", (key) => tap(key));
  beside.part.classList.add("taps-beside");
  let from = null;
  const tap = (number) => {
    if (from === null) {
      // The class as a whole says nothing: nothing begins there.
      if (number !== CLASS) from = number;
    } else if (number === from) from = null;
    else {
      visit.note({ seat: from, to_seat: number, code: way.code });
      from = null;
    }
    refresh();
  };
  const refresh = () => {
    const name = from === TEACHER ? say("teacher") : say("seat", { number: from });
    now.textContent = from === null ? say("whoSpeaks") : say("toWhom", { from: name });
    beside.press((key) => key === from);
    beside.button(CLASS).disabled = from === null;
    for (const seat of instrument.plan.seats) plan.show(seat.number, { isPressed: seat.number === from });
  };
  root.append(way.part, now, beside.part, plan.box);
  return refresh;
}

function turns(visit, root) {
  const { instrument, say } = visit;
  const way = sticky(instrument);
  const plan = new Plan(visit, { tapped: (seat) => visit.note({ seat, code: way.code }) });
  const beside = buttons([{ key: TEACHER, text: say("teacherOrNobody") }], "codes", (seat) => visit.note({ seat }));
  beside.part.classList.add("taps-beside");
  root.append(make("p", { class: "next-seat" }, say("howAndWho")), way.part, beside.part, plan.box);
  return () => {
    const seen = visit.seen();
    const speaks = seen.at(-1)?.seat;
    for (const { number } of instrument.plan.seats) {
      const count = seen.filter((each) => each.seat === number).length;
      plan.show(number, { sign: count ? `×${count}` : "", says: count ? String(count) : "", isPressed: number === speaks });
    }
    beside.press(() => speaks === TEACHER);
  };
}

function path(visit, root) {
  const { plan: room } = visit.instrument;
  const plan = new Plan(visit, { everywhere: true, tapped: (spot) => visit.note(spot) });
  root.append(make("p", { class: "next-seat" }, visit.say("whereTeacher")), plan.box);
  return () => {
    const last = visit.seen().at(-1);
    if (last) plan.point(last.x, last.y, room);
    else plan.dot.hidden = true;
  };
}

// --- lists -------------------------------------------------------------------------------------------------------------

function checklist(visit, root) {
  const { instrument, say } = visit;
  const lines = instrument.rows.map((row, i) => {
    const said = make("p", { id: `row-${i}` }, row.text);
    const remark = box(visit, `remark-${row.key}`, say("remarkLabel"), 1);
    const ways = buttons(instrument.codes, "codes", (code) => remark.note({ row: row.key, code }, false));
    const more = make("details", {}, make("summary", {}, say("remark")), remark.part);
    more.open = remark.input.value !== "";
    const part = make("section", { class: "check", role: "group", "aria-labelledby": said.id }, said, ways.part, more);
    root.append(part);
    return { row, ways };
  });
  return () => {
    const last = new Map(visit.seen().map((each) => [each.row, each.code]));
    for (const { row, ways } of lines) ways.press((code) => last.get(row.key) === code);
  };
}
