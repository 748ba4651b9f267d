// The page that captures a visit: opened once with network, then good for a lesson without any.
//
// What is noted goes into the store first (visit-store.js) and is sent when there is a network (visit-send.js); what the
// page says of it is counted from there. What there is to tap is in visit-kinds.js.

import { Finder, isAway } from "./hints.js";
import { Clock, minutes } from "./visit-clock.js";
import { box, COUNTS_SECONDS, describe, SURFACES } from "./visit-kinds.js";
import { make } from "./visit-plan.js";
import { ask, refusal, Sender } from "./visit-send.js";
import { clearOld, openStore } from "./visit-store.js";

const MINUTE = 60_000;
const LAST = 8; // entries in the list of the last ones
const ENDED = new Set(["closed", "deleted", "ended"]); // after which nothing of a visit belongs on this phone
const SLOW = 1000; // ms after which an entry that is not kept yet is spoken of

const words = document.getElementById("visit-words").dataset;
const part = (name) => document.getElementById(`visit-${name}`);
const url = location.pathname.replace(/\/$/, "");

class Visit {
  constructor(store) {
    this.store = store;
    this.sender = new Sender(url, store, () => this.refresh());
    this.pending = 0; // entries on their way into the store
    this.say = say;
    this.finder = null; // of words worth a second look
  }

  async start() {
    const known = this.store.meta.data;
    const answer = known && navigator.onLine === false ? null : await this.fetchData(Boolean(known));
    const data = answer?.ok ? answer.body : known;
    if (answer?.ok) this.store.set("data", answer.body);
    else if (answer) this.sender.refused = refusal(answer);
    const { refused } = this.sender;
    if (refused && ENDED.has(refused.gone) && !this.store.unsent().size) return this.over(refused.what, refused.title);
    if (!data) return this.wait(refused ? refused.what || say("notHere") : say("firstNetwork"), !refused);
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
    part("begin-now").addEventListener("click", async () => {
      const ago = Number(part("begin-ago").value) * MINUTE;
      this.clock = new Clock(null, ago);
      await this.store.set("clock", this.clock.known());
      navigator.storage?.persist?.().catch(() => {});
      this.capture();
      part("name").focus();
    });
  }

  // --- the lesson ------------------------------------------------------------------------------------------------------

  capture() {
    this.clock ??= new Clock(this.store.meta.clock);
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
      clearTimeout(slow);
      this.pending--;
      if (!this.pending) this.since = null;
      this.refresh();
    }
  }

  takeBack(entry) {
    return this.note({ undoes: entry.number, of: entry.device });
  }

  /** Entries that stand, in the order in which they were noted. */
  standing() {
    const gone = new Set(this.store.entries.filter((each) => each.undoes).map((each) => `${each.device} ${each.undoes}`));
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

  async close() {
    this.clock ??= new Clock(this.store.meta.clock);
    const lasted = this.store.meta.closing ?? Math.max(1, Math.ceil(this.at() / MINUTE));
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
    if (title) part("over-title").textContent = title;
    part("over-text").textContent = text || say("overAlready");
    part("state").textContent = part("mode").textContent = "";
  }

  wait(text, again) {
    show("wait");
    part("wait-text").textContent = text;
    if (again) addEventListener("online", () => location.reload(), { once: true });
  }

  // --- what the page says ----------------------------------------------------------------------------------------------

  refresh() {
    if (this.isOver || !this.instrument) return;
    const { all, sent, onlyHere, isKept } = this.store.count();
    const isSlow = this.since && performance.now() - this.since >= SLOW;
    part("state").textContent = [
      say(`count${isKept ? "" : "Page"}${onlyHere ? "Only" : all && all === sent ? "All" : ""}`, { all, sent, only: onlyHere }),
      isSlow ? say("countSlow", { count: this.pending }) : "",
    ].filter(Boolean).join(" ");
    const mode = this.mode();
    // Said once when it changes, not at every tap.
    if (part("mode").textContent !== mode) part("mode").textContent = mode;
    part("mode").hidden = !mode;
    part("delete-box").hidden = !this.sender.refused;
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
    if (isOffline) return say(this.store.count().onlyHere ? "offlinePage" : this.store.keeps === "phone" ? "offline" : "offlinePageNext");
    if (this.store.keeps === "page") return say("pageOnly");
    return this.store.meta.closing && unsent ? say("sending") : "";
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
    part("close").addEventListener("click", () => this.close());
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

/** Whether the page opens again without network: says so once it does. */
async function keepShell() {
  try {
    navigator.serviceWorker.addEventListener("message", ({ data }) => {
      part("begin-shell").textContent = say(data.shell ? "shellKept" : "shellNot");
    });
    await navigator.serviceWorker.register("sw.js");
    const { active } = await navigator.serviceWorker.ready;
    active.postMessage("keep");
  } catch {
    part("begin-shell").textContent = say("shellNot");
  }
}

keepShell();
const id = url.split("/").at(-1);
new Visit(await openStore(id)).start();
clearOld(id).catch(() => {});
