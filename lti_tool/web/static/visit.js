// The page that captures a visit: opened once with network, then good for a lesson without any.
//
// What is noted goes into the store first (visit-store.js) and is sent when there is a network (visit-send.js); what the
// page says of it is counted from there. What there is to tap is in visit-kinds.js.

import { Finder, isAway } from "./hints.js";
import { Clock, LONGEST, minutes } from "./visit-clock.js";
import { box, COUNTS_SECONDS, describe, SURFACES } from "./visit-kinds.js";
import { make } from "./visit-plan.js";
import { ask, refusal, Sender } from "./visit-send.js";
import { clearOld, openStore } from "./visit-store.js";

const MINUTE = 60_000;
const COLUMNS = ["question", "mine"]; // beside what is seen
const USUAL = 60; // minutes of a lesson, where none are booked
const LAST = 8; // entries in the list of the last ones
const ENDED = new Set(["closed", "deleted", "ended", "step"]); // after which nothing of a visit belongs on this phone
const LATER = 20 * MINUTE; // after a lesson, from which on what is noted belongs to its end
const SLOW = 1000; // ms after which an entry that is not kept yet is spoken of

const words = document.getElementById("visit-words").dataset;
const part = (name) => document.getElementById(`visit-${name}`);
const url = location.pathname.replace(/\/$/, "");

class Visit {
  constructor(store) {
    this.store = store;
    this.sender = new Sender(url, store, () => this.refresh());
    this.pending = 0; // entries on their way into the store
    this.boxes = []; // for texts
    this.goingBack = new Set(); // entries that are being taken back
    this.say = say;
    this.finder = null; // of words worth a second look
  }

  async start() {
    const known = this.store.meta.data;
    const answer = known && navigator.onLine === false ? null : await this.fetchData(Boolean(known));
    const data = answer?.ok ? answer.body : known;
    if (answer?.ok) {
      this.store.set("data", answer.body);
      this.store.set("opened", Date.now());
      await this.store.correct(answer.body.observation?.have ?? {});
    } else if (answer) this.sender.refused = refusal(answer);
    const { refused } = this.sender;
    const isEmpty = !this.store.unsent().size && !this.store.drafts().length;
    if (refused && ENDED.has(refused.gone) && isEmpty) return this.over(refused.what, refused.title);
    if (!data) return this.wait(refused ? refused.what || say("notHere") : say("firstNetwork"), !refused);
    this.data = data;
    this.instrument = data.instrument;
    if (data.words?.judging) this.finder = new Finder(data.words);
    document.title = `${this.instrument.name} · Meitheal`;
    part("name").textContent = this.instrument.name;
    this.bind();
    if (this.store.meta.closing) this.close();
    else if (this.store.meta.clock) this.capture();
    else this.prepare();
    this.refresh();
    if (this.store.unsent().size) this.sender.now();
  }

  /** What the server knows of this visit; where it is known already, a slow network is not waited for. */
  fetchData(isKnown) {
    const late = new Promise((resolve) => setTimeout(() => resolve(null), 2500));
    return isKnown ? Promise.race([ask(`${url}/data`), late]) : ask(`${url}/data`);
  }

  // --- before the lesson -----------------------------------------------------------------------------------------------

  prepare() {
    show("begin");
    part("begin-store").textContent = say(this.store.keeps === "phone" ? "keepsPhone" : "keepsPage");
    part("begin-store").classList.toggle("matters", this.store.keeps !== "phone");
    part("begin-wake").textContent = say("wakeLock" in navigator ? "wakes" : "wakesNot");
    const began = this.began();
    part("begin-asks").hidden = began !== null;
    part("begin-before").hidden = began === null;
    if (began) part("begin-before").textContent = say("begunBefore", { minute: Math.floor(began() / MINUTE) });
    part("begin-now").addEventListener("click", async () => {
      const { most } = this.lesson();
      const isLater = began !== null && most > 0 && began() > most * MINUTE + LATER;
      if (isLater) this.clock = new Clock(null, most * MINUTE, most * MINUTE);
      else this.clock = new Clock(null, began ? began() : Number(part("begin-ago").value) * MINUTE);
      await this.store.set("clock", this.clock.known());
      navigator.storage?.persist?.().catch(() => {});
      this.capture();
      this.sender.begin();
      askShell();
      part("name").focus();
    });
  }

  /** How to get the ms since the lesson began, where another device, or this one before, has said so; else null. */
  began() {
    const ago = this.data.observation?.began_ago;
    if (!Number.isInteger(ago)) return null;
    const when = this.store.meta.opened ?? Date.now();
    return () => Math.min(ago + Math.max(0, Date.now() - when), LONGEST);
  }

  /** Minutes: of the last thing seen, and how long the lesson was or is booked for (0 if nothing says so). */
  lesson() {
    const seen = Math.max(0, ...this.seen().map((each) => Math.ceil(each.at_ms / MINUTE)));
    return { seen, most: this.data.observation?.lasted || this.data.minutes || 0 };
  }

  // --- the lesson ------------------------------------------------------------------------------------------------------

  capture() {
    this.clock ??= new Clock(this.store.meta.clock);
    this.sender.clock = this.clock;
    show("capture");
    if (!this.surface) {
      this.surface = SURFACES[this.instrument.kind](this, part("surface"));
      this.notes("question", part("question"));
      this.notes("mine", part("mine"));
    }
    this.stayAwake();
    this.refresh();
    this.tick();
  }

  notes(column, root) {
    const words_ = box(this, column, say(column === "question" ? "questionLabel" : "mineLabel"), 2);
    const keep = make("button", { type: "button", class: "plain" }, say("keep"));
    keep.addEventListener("click", () => words_.note({ column }, true));
    if (words_.input.value) root.parentElement.open = true;
    root.append(words_.part, keep);
  }

  at() {
    return this.clock.at();
  }

  /** Notes an entry: at once for who taps, and on the phone a moment later. `at`: when it began, if not now. */
  async note(values, { at = null, meta = {} } = {}) {
    const added = this.at();
    const entry = { at_ms: at ?? added, added, ...values };
    this.pending++;
    const slow = setTimeout(() => this.refresh(), SLOW);
    this.since ??= performance.now();
    try {
      const kept = await this.store.add(entry, { ...meta, clock: this.clock.known() });
      const { of: _of, ...said } = values;
      part("said").textContent = said.undoes ? say("takenBack") : say("noted", { what: describe(this, kept) });
      this.sender.soon();
    } catch {
      part("said").textContent = say("notTakenBack");
    } finally {
      if (values.undoes) this.goingBack.delete(`${values.of} ${values.undoes}`);
      clearTimeout(slow);
      this.pending--;
      if (!this.pending) this.since = null;
      this.refresh();
    }
  }

  takeBack(entry) {
    this.goingBack.add(`${entry.device} ${entry.number}`);
    return this.note({ undoes: entry.number, of: entry.device });
  }

  /** Entries that stand, in the order in which they were noted. */
  standing() {
    const gone = new Set(this.goingBack);
    for (const each of this.store.entries) if (each.undoes) gone.add(`${each.device} ${each.undoes}`);
    return this.store.entries.filter((each) => !each.undoes && !gone.has(`${each.device} ${each.number}`));
  }

  /** Those that are seen and heard. */
  seen() {
    return this.standing().filter((each) => (each.column ?? "seen") === "seen");
  }

  /** What may be worth a second look in a text, at most one thing; "" for nothing. */
  hint(text) {
    if (!this.finder) return "";
    const [name] = this.finder.names(text);
    if (name) return `“${name}”: ${this.finder.asks.name}`;
    const judges = isAway() ? null : this.finder.judging(text).at(-1);
    return judges ? `“${judges.said}”: ${this.finder.asks.seen}` : "";
  }

  // --- after the lesson ------------------------------------------------------------------------------------------------

  /** Minutes that the lesson will have lasted: a phone is often put away long before its visit is closed. */
  likely() {
    const now = Math.max(1, Math.ceil(this.at() / MINUTE));
    const { seen, most } = this.lesson();
    return Math.max(1, Math.min(now, Math.max(seen, most || USUAL)));
  }

  /** Somebody wants to close: nothing that they wrote is left behind without a word. */
  async finish() {
    const left = this.boxes.filter((each) => each.input.value.trim());
    const open = left.find((each) => !COLUMNS.includes(each.key));
    if (open) return open.ask();
    for (const each of left) each.note({ column: each.key }, true);
    const said = Number(part("lasted").value);
    return this.close(Number.isInteger(said) && said >= 1 && said <= LONGEST / MINUTE ? said : this.likely());
  }

  async close(minutes_) {
    this.clock ??= new Clock(this.store.meta.clock);
    this.sender.clock = this.clock;
    const lasted = minutes_ ?? this.store.meta.closing ?? this.likely();
    await this.store.set("closing", lasted);
    this.sleep();
    show("closing");
    this.refresh();
    const { all } = this.store.count();
    if (this.isClosing) return;
    this.isClosing = true;
    const isClosed = await this.sender.close(lasted, this.isWithout);
    this.isClosing = false;
    if (this.store.stuck.size && !isClosed) {
      // The next time they are left behind, for then it was said.
      this.isWithout = true;
      await this.store.set("closing", null);
      return this.capture();
    }
    // Somebody may have gone on meanwhile.
    if (isClosed && this.store.meta.closing) return this.over(say("over", { all }));
    this.refresh();
    if (!this.sender.refused && this.store.meta.closing) {
      clearTimeout(this.again);
      this.again = setTimeout(() => this.store.meta.closing && this.close(), MINUTE / 4);
    }
  }

  async over(text, title) {
    this.isOver = true;
    this.sleep();
    await this.store.forget();
    show("over");
    for (const name of ["list", "surface", "question", "mine", "last", "said", "unsent-box", "delete-box"]) part(name).replaceChildren();
    part("unsent-box").hidden = part("delete-box").hidden = true;
    if (title) part("over-title").textContent = title;
    part("over-text").textContent = text || say("overAlready");
    part("state").textContent = part("mode").textContent = "";
  }

  wait(text, again) {
    show("wait");
    part("wait-text").textContent = text;
    if (!again) return;
    addEventListener("online", () => location.reload(), { once: true });
    const retry = async () => ((await ask(`${url}/data`)) ? location.reload() : setTimeout(retry, MINUTE / 4));
    setTimeout(retry, MINUTE / 4);
  }

  // --- what the page says ----------------------------------------------------------------------------------------------

  refresh() {
    if (this.isOver || !this.instrument) return;
    const { all, sent, onlyHere, isKept } = this.store.count();
    const form = `count${isKept ? "" : "Page"}${onlyHere ? "Only" : all && all === sent ? "All" : ""}`;
    part("state").textContent = say(form, { all, sent, only: onlyHere });
    const mode = this.mode();
    // Said once when it changes, not at every tap.
    if (part("mode").textContent !== mode) part("mode").textContent = mode;
    part("mode").hidden = !mode;
    part("delete-box").hidden = !this.sender.refused;
    if (sent !== this.lastSent) askShell();
    this.lastSent = sent;
    this.unsent();
    this.list();
    if (this.clock && this.surface) {
      this.surface();
      part("time").textContent = COUNTS_SECONDS.has(this.instrument.kind) ? minutes(this.at()) : say("minute", { minute: Math.floor(this.at() / MINUTE) });
    }
  }

  mode() {
    const { refused, isOffline } = this.sender;
    const unsent = this.store.unsent().size > 0;
    if (refused) return [refused.what || say(refused.gone ? "gone" : "refused"), say("staysHere")].join(" ");
    if (this.store.stuck.size) return say("stuck", { count: this.store.stuck.size });
    if (this.since && performance.now() - this.since >= SLOW) return say("countSlow", { count: this.pending });
    if (isOffline) return say(this.store.count().onlyHere ? "offlinePage" : this.store.keeps === "phone" ? "offline" : "offlinePageNext");
    if (this.store.keeps === "page") return say("pageOnly");
    return this.store.meta.closing && unsent ? say("sending") : "";
  }

  /** What the server will not take, to be copied from here. */
  unsent() {
    const isRefused = this.sender.refused !== null || this.store.stuck.size > 0;
    const left = isRefused ? this.standing().filter((each) => !this.store.isSent(each)) : [];
    const boxes = isRefused ? this.boxes.map((each) => each.input.value.trim()).filter(Boolean) : [];
    const lines = [...left.map((each) => `${minutes(each.at_ms)} ${describe(this, each)}`), ...boxes];
    part("unsent-box").hidden = !lines.length;
    if (part("unsent").value !== lines.join("\n")) part("unsent").value = lines.join("\n");
  }

  list() {
    const last = this.standing().slice(-LAST).reverse();
    part("undo").disabled = !last.length;
    part("last").textContent = last.length ? `${minutes(last[0].at_ms)} ${describe(this, last[0])}` : say("nothingYet");
    part("list").replaceChildren(
      ...last.map((each) => make("li", {}, make("span", { class: "when" }, minutes(each.at_ms)), ` ${describe(this, each)}`)),
    );
  }

  /** Once a second where seconds are shown, else once a minute; never while nobody looks. */
  tick() {
    clearTimeout(this.timer);
    if (document.hidden || this.isOver || part("capture").hidden) return;
    const step = COUNTS_SECONDS.has(this.instrument.kind) ? 1000 : MINUTE;
    this.timer = setTimeout(() => {
      this.refresh();
      this.tick();
    }, step - (this.at() % step) + 20);
  }

  // --- the phone -------------------------------------------------------------------------------------------------------

  bind() {
    part("undo").addEventListener("click", () => {
      const last = this.standing().at(-1);
      if (last) this.takeBack(last);
    });
    part("close").addEventListener("click", () => this.finish());
    let isSaid = false; // how long the lesson was
    part("lasted").closest("details").addEventListener("toggle", (event) => {
      if (event.target.open && !isSaid) part("lasted").value = this.likely();
    });
    part("lasted").addEventListener("input", () => (isSaid = true));
    part("copy").addEventListener("click", async () => {
      part("unsent").select();
      const isCopied = await navigator.clipboard?.writeText(part("unsent").value).then(() => true, () => false);
      part("said").textContent = isCopied ? say("copied") : "";
    });
    part("go-on").addEventListener("click", async () => {
      await this.store.set("closing", null);
      this.capture();
    });
    part("delete").addEventListener("click", () => this.over(say("deleted")));
    for (const name of ["online", "offline"]) addEventListener(name, () => this.refresh());
    addEventListener("online", () => this.store.meta.closing && this.close());
    document.addEventListener("visibilitychange", () => this.looked());
    addEventListener("pageshow", (event) => event.persisted && this.looked());
    addEventListener("beforeunload", (event) => {
      if (!this.isOver && (this.pending || this.store.count().onlyHere)) event.preventDefault();
    });
  }

  async looked() {
    if (this.isOver) return;
    if (document.hidden) {
      if (this.clock) this.store.set("clock", this.clock.known());
      return;
    }
    // The database may have been closed meanwhile, and another tab may have noted something.
    await this.store.load();
    this.refresh();
    if (!this.clock || this.store.meta.closing) return;
    this.stayAwake();
    this.tick();
  }

  async stayAwake() {
    if (this.lock && !this.lock.released) return;
    try {
      this.lock = await navigator.wakeLock?.request("screen");
      this.lock?.addEventListener("release", () => this.clock.away());
    } catch {
      // The phone saves its battery; it says so itself.
    }
  }

  sleep() {
    this.lock?.release();
    this.lock = null;
  }
}

/** A sentence of the page, with its {places} filled in. */
function say(key, values = {}) {
  return (words[key] ?? "").replace(/\{(\w+)\}/g, (_all, name) => values[name] ?? "");
}

function show(name) {
  for (const each of ["wait", "begin", "capture", "closing", "over"]) part(each).hidden = each !== name;
  part("foot").hidden = name !== "capture";
}

let shell = ""; // kept, asked, again: asked once more meanwhile

/** Whether the page opens again without network: says so once it does, and asks again while it does not. */
async function askShell() {
  if (shell === "asked") shell = "again";
  if (shell) return;
  shell = "asked";
  try {
    const { active } = await navigator.serviceWorker.ready;
    active.postMessage("keep");
  } catch {
    shell = "";
  }
}

async function keepShell() {
  try {
    navigator.serviceWorker.addEventListener("message", ({ data }) => {
      const isAsked = shell === "again";
      shell = data.shell ? "kept" : "";
      if (!shell && isAsked) askShell();
      part("begin-shell").textContent = say(data.shell ? "shellKept" : "shellNot");
    });
    addEventListener("online", askShell);
    await navigator.serviceWorker.register("sw.js");
    await askShell();
  } catch {
    part("begin-shell").textContent = say("shellNot");
  }
}

keepShell();
show("wait");
part("wait-text").textContent = say("oneMoment");
const id = url.split("/").at(-1);
new Visit(await openStore(id)).start();
clearOld(id).catch(() => {});
