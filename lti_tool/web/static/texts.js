// Keeps what is typed, as it is typed: first on this device, then on the server; and shows what the partner writes.
//
// The server keeps each field as a set of versions ("heads"). A save names the versions it was based on; two people who
// write at the same time leave two heads, and both are shown. A save also carries the page's `editor` and a rising
// `seq`, so that it can be sent again without harm when an answer was lost.

import { hold, openDevice } from "./device.js";

const SEND_AFTER = 500; // ms of quiet after a key
const SEND_AT_LATEST = 1000; // ms after the first unsent key
const POLL = 1800; // ms; with the above the partner sees a word within 3 s
const POLL_IDLE = 10_000; // ms, when nothing has happened for IDLE_AFTER
const IDLE_AFTER = 30 * 60_000; // a conversation has long pauses, and the next word should be there at once
const STILL_TYPING = 3000; // ms after a key during which a box is left alone
const ANSWER_WITHIN = 10_000; // ms
const RETRY = [1000, 2000, 4000, 8000, 15_000, 30_000];
const KEEPALIVE_LIMIT = 60_000; // bytes a browser still sends for a page that is going away

const words = document.getElementById("texts-words")?.dataset ?? {};

class Page {
  constructor(root, device) {
    this.root = root;
    this.device = device;
    this.url = root.dataset.textsUrl;
    this.revision = root.dataset.revision;
    const cycle = this.url.match(/cycles\/([^/?]+)/)?.[1] ?? this.url;
    this.names = `meitheal/${root.dataset.person}/${cycle}/`;
    this.editor = randomName();
    this.fields = new Map();
    this.tokens = new Map(); // field → the versions that this page shows
    this.over = false;
    this.failures = 0;
    this.lastNews = Date.now();
    this.follows = root.querySelector("[data-talk]") !== null; // people in one conversation stay in step
    this.releases = [];
    this.said = document.createElement("div");
    this.said.className = "visually-hidden";
    this.said.setAttribute("role", "status");
    document.body.append(this.said);
  }

  async start() {
    document.documentElement.classList.add("texts-live");
    await this.holdEditor(this.editor);
    this.bind(this.root);
    this.restore();
    addEventListener("online", () => this.awake());
    document.addEventListener("visibilitychange", () => (document.hidden ? this.sendLast() : this.awake()));
    addEventListener("pagehide", () => this.sendLast());
    addEventListener("beforeunload", (event) => {
      if (this.all().some((field) => field.isNowhere())) event.preventDefault();
    });
    document.addEventListener("submit", (event) => this.beforeSubmit(event), true);
    document.addEventListener("toggle", (event) => this.opened(event.target), true);
    this.pollSoon();
  }

  /** Tells other tabs that this editor's unsent text is in good hands, until the page is gone. */
  async holdEditor(editor) {
    this.releases.push(await hold(this.names + editor));
  }

  all() {
    return [...this.fields.values()];
  }

  bind(root) {
    for (const part of root.querySelectorAll("[data-text-field]")) {
      const field = new Field(this, part);
      this.fields.set(field.key, field);
    }
  }

  /** Says something to screen readers; rare on purpose, never at every key. */
  say(text) {
    if (this.said.textContent !== text) this.said.textContent = text;
  }

  // --- what an earlier page could not send ---------------------------------------------------------------------------

  restore() {
    for (const name of this.device.names(this.names)) {
      const [key, editor] = name.slice(this.names.length).split("/");
      // Another tab that is open holds its editor; its text is taken over only when that tab is gone.
      if (key && editor !== this.editor) this.takeOver(key, name, editor);
    }
  }

  async takeOver(key, name, editor) {
    const release = await hold(this.names + editor);
    const entry = await this.device.read(name);
    if (entry === null) return release();
    this.releases.push(release);
    const field = this.fields.get(key);
    if (field) field.restore(name, entry);
    // Its box is on another page: of another step, or under other headings.
    else this.sendAside(`${this.url}/${encodeURIComponent(key)}`, name, entry);
  }

  /** Sends an entry that has no box, or whose box is taken: there it becomes a version of its own, shown beneath. */
  async sendAside(url, name, entry) {
    const answer = await this.ask(url, letterOf(entry));
    if (answer?.status === 200) this.device.remove(name);
    else if (answer === null) setTimeout(() => this.sendAside(url, name, entry), RETRY.at(-1));
  }

  // --- the server ----------------------------------------------------------------------------------------------------

  /** Sends JSON; answers {status, body}, or null when the server could not be reached or is in trouble. */
  async ask(url, options = {}) {
    let answer;
    try {
      answer = await fetch(url, {
        credentials: "same-origin",
        cache: "no-store",
        redirect: "error",
        signal: AbortSignal.timeout(ANSWER_WITHIN),
        ...options,
        headers: { Accept: "application/json", ...options.headers },
      });
      if (answer.status === 204) return this.reached({ status: 204, body: null });
      if (answer.status >= 500 || answer.status === 429 || answer.status === 408) return null;
      return this.reached({ status: answer.status, body: await answer.json() });
    } catch {
      // No network, too late, or something that is not our server answered (a hotel's log-in page).
      return null;
    }
  }

  reached(answer) {
    if (answer.status === 401 && !this.over) {
      this.over = true;
      // The page can do no more; a new one may take over what is kept.
      for (const release of this.releases) release();
      for (const field of this.all()) field.show();
    }
    return answer;
  }

  awake() {
    for (const field of this.all()) if (field.isUnsent()) field.send();
    this.pollSoon(0);
  }

  pollSoon(delay = POLL) {
    clearTimeout(this.timer);
    if (!this.over) this.timer = setTimeout(() => this.poll(), delay);
  }

  async poll() {
    if (document.hidden) return;
    const answer = await this.ask(`${this.url}?revision=${encodeURIComponent(this.revision)}`);
    if (answer === null) {
      this.failures += 1;
      return this.pollSoon(this.follows ? POLL : Math.max(POLL, RETRY[Math.min(this.failures, RETRY.length - 1)]));
    }
    if (this.failures > 0) {
      this.failures = 0;
      for (const field of this.all()) if (field.isUnsent()) field.send();
    }
    if (answer.status === 200) this.news(answer.body);
    else if (answer.status >= 400) return;
    this.pollSoon(Date.now() - this.lastNews > IDLE_AFTER && !this.follows ? POLL_IDLE : POLL);
  }

  news(body) {
    this.lastNews = Date.now();
    this.revision = body.revision;
    for (const [key, { heads }] of Object.entries(body.texts)) {
      this.fields.get(key)?.hear(heads, body.revision);
      const shown = document.querySelector(`[data-text-shown="${CSS.escape(key)}"] [data-versions]`);
      if (!shown || !heads.length) continue;
      showVersions(shown, heads);
      this.seen(key, heads);
    }
    const signed = Object.values(body.agreements).map((agreement) => agreement.signed);
    const texts = Object.entries(body.texts).map(([key, { heads }]) => [key, heads.map((head) => !head.text.trim())]);
    const around = JSON.stringify([body.stage, signed, body.marks, texts.sort()]);
    // A page that follows a conversation goes to another step by itself; see talk.js.
    const goes = !document.dispatchEvent(new CustomEvent("cycle-news", { detail: body, cancelable: true }));
    if (around !== this.around && !goes) this.refresh(this.around !== undefined);
    this.around = around;
  }

  /** Brings the parts of the page that are not text up to date: who agreed, what is open now. */
  async refresh(isNews) {
    let fresh;
    try {
      const answer = await fetch(location.href, { credentials: "same-origin", redirect: "error" });
      if (!answer.ok) return;
      fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    } catch {
      return;
    }
    let left = false;
    for (const part of document.querySelectorAll("[data-live]")) {
      const now = fresh.querySelector(`[data-live="${CSS.escape(part.dataset.live)}"]`);
      if (!now || sameWords(part, now)) continue;
      if (part.contains(document.activeElement) || part.querySelector("[data-text-field]")) left = true;
      else part.replaceWith(document.adoptNode(now));
    }
    for (const [key, heads] of this.tokens) this.seen(key, heads);
    if (left || (isNews && names(document) !== names(fresh))) this.offerNews();
  }

  /** Agreements name the versions that were on the screen when somebody agreed. */
  seen(key, heads) {
    this.tokens.set(key, heads);
    for (const input of document.querySelectorAll(`[data-seen="${CSS.escape(key)}"]`)) {
      input.value = heads.map((head) => head.token).join();
    }
  }

  offerNews() {
    if (document.querySelector(".page-news")) return;
    const bar = make("p", { className: "page-news" }, words.news);
    const button = make("button", { className: "btn btn-link", type: "button" }, words.show);
    button.addEventListener("click", () => location.reload());
    bar.append(button);
    this.root.append(bar);
    this.say(words.news);
  }

  /** What is folded away and made from texts shows them as they are when it is opened. */
  async opened(part) {
    if (!part.open || !part.matches("[data-fresh]")) return;
    await Promise.all(this.all().map((field) => field.isUnsent() && field.send()));
    this.refresh(false);
  }

  // --- leaving -------------------------------------------------------------------------------------------------------

  sendLast() {
    let room = KEEPALIVE_LIMIT;
    for (const field of this.all()) if (field.isUnsent()) room = field.sendLast(room);
  }

  /** A form of the page waits until what was typed is on the server, for it may depend on it. */
  async beforeSubmit(event) {
    const form = event.target;
    if (form.closest("[data-other-versions]")) return;
    if (form.matches("[data-text-field]")) {
      event.preventDefault();
      this.fields.get(form.dataset.textField)?.send();
      return;
    }
    const waiting = this.all().filter((field) => field.isUnsent() && !field.refusal);
    if (!waiting.length || this.over) return;
    event.preventDefault();
    await Promise.all(waiting.map((field) => field.send()));
    const stuck = waiting.find((field) => field.failures > 0);
    if (stuck) stuck.box.scrollIntoView({ block: "center" });
    else form.requestSubmit(event.submitter);
  }
}

class Field {
  constructor(page, part) {
    this.page = page;
    this.key = part.dataset.textField;
    this.url = part.dataset.action ?? part.action;
    this.box = part.querySelector("textarea");
    this.line = part.querySelector("[data-save-state]");
    this.others = part.parentElement.querySelector("[data-other-versions]");
    this.max = Number(part.dataset.max) || Infinity;
    const base = part.querySelector("[data-base]");
    this.base = base.value.split(",").filter(Boolean);
    // From now on texts travel by this script alone; a form of the page must not send an older one once more.
    for (const input of [this.box, base]) input.removeAttribute("name");
    this.choices = [...part.querySelectorAll("[data-choice]")];
    part.querySelector("[data-choices]")?.remove();
    for (const choice of this.choices) {
      choice.name = `chosen-${this.key}`;
      choice.addEventListener("change", () => this.chose());
    }
    this.heads = null; // as last heard; what the server rendered stands until then
    this.editor = page.editor;
    this.seq = 0; // of the text in the box
    this.savedSeq = 0; // of the text the server acknowledged
    this.keptSeq = 0; // of the text this device took
    this.revision = 0; // of the cycle, at the last acknowledgement
    this.restored = null; // what an earlier page could not send, until the server has it
    this.failures = 0;
    this.refusal = "";
    this.lastKey = 0;
    this.note = "";
    this.box.addEventListener("input", () => this.typed());
    this.box.addEventListener("blur", () => this.left());
    this.others.addEventListener("submit", (event) => this.choose(event));
    if (this.box.value) this.show();
    if (this.choices.some((choice) => choice.checked !== choice.defaultChecked)) this.chose();
    this.grow();
    if (this.box.value !== this.box.defaultValue && !this.isTyped()) this.typed(); // typed before this script had arrived
  }

  get name() {
    return `${this.page.names}${this.key}/${this.editor}`;
  }

  isTyped() {
    return this.seq !== this.savedSeq;
  }

  isUnsent() {
    return this.restored !== null || this.isTyped();
  }

  isNowhere() {
    return this.isTyped() && this.keptSeq !== this.seq;
  }

  // --- typing --------------------------------------------------------------------------------------------------------

  typed() {
    this.lastKey = Date.now();
    this.page.lastNews = this.lastKey;
    this.note = "";
    this.changed();
    this.sendSoon();
  }

  /** Something was chosen instead of written: its key is the text. */
  chose() {
    this.box.value = this.choices.filter((choice) => choice.checked).map((choice) => choice.value).join();
    this.typed();
  }

  changed() {
    this.seq += 1;
    this.refusal = "";
    this.keep();
    this.grow();
    this.show();
  }

  left() {
    if (this.isUnsent()) this.send();
    else if (this.savedSeq > 0) this.page.say(words.saved);
  }

  grow() {
    const chosen = this.box.value.split(",");
    for (const choice of this.choices) choice.checked = chosen.includes(choice.value);
    if (CSS.supports("field-sizing", "content")) return;
    this.box.style.height = "auto";
    this.box.style.height = `${this.box.scrollHeight + 2}px`;
  }

  /** Keeps the newest text on the device; writes follow each other, and only the newest counts. */
  async keep() {
    if (this.keeping) return;
    this.keeping = true;
    while (this.isNowhere()) {
      const { seq } = this;
      const { base, editor } = this;
      const entry = { text: this.box.value, base, editor, seq, at: Date.now() };
      if (!(await this.page.device.keep(this.name, entry))) break;
      this.keptSeq = seq;
    }
    this.keeping = false;
    if (!this.isTyped()) this.page.device.remove(this.name);
    this.show();
  }

  // --- sending -------------------------------------------------------------------------------------------------------

  sendSoon() {
    this.firstUnsent ??= Date.now();
    const wait = Math.min(SEND_AFTER, this.firstUnsent + SEND_AT_LATEST - Date.now());
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.send(), Math.max(0, wait));
  }

  /** Sends the text of the box; a second call waits for the first and then sends what is newer. */
  send() {
    clearTimeout(this.timer);
    this.sending = (this.sending ?? Promise.resolve()).then(() => this.sendNow());
    return this.sending;
  }

  async sendNow() {
    if (this.restored && !this.page.over) await this.sendRestored();
    if (!this.isTyped() || this.restored || this.refusal || this.page.over) return this.show();
    const text = this.box.value;
    const { base, editor, seq } = this;
    this.firstUnsent = undefined;
    const answer = await this.ask({ text, base, editor, seq });
    if (answer?.status === 200) this.acknowledged(answer.body, text, seq);
    else if (answer !== null && answer.status !== 401) {
      if (seq === this.seq) this.refusal = this.reasonOf(answer, text);
      else this.sendSoon();
    }
    this.show();
  }

  /** Sends a letter, and sees to it that a lost one is sent again. */
  async ask(content) {
    const answer = await this.page.ask(this.url, letterOf(content));
    this.failures = answer === null ? this.failures + 1 : 0;
    if (answer === null) {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.send(), RETRY[Math.min(this.failures, RETRY.length) - 1]);
    }
    return answer;
  }

  reasonOf({ body }, text) {
    const over = text.length - this.max;
    if (over > 0) return words.tooLong.replace("{count}", over);
    return [body.what, body.advice].filter(Boolean).join(" ") || words.none;
  }

  /** For a page that is going away: the answer will not be heard, so the copy on the device stays. */
  sendLast(room) {
    const { base, editor, seq } = this;
    const letter = letterOf(this.isTyped() ? { text: this.box.value, base, editor, seq } : this.restored.entry);
    const size = new Blob([letter.body]).size;
    if (this.refusal || this.page.over || size > room) return room;
    fetch(this.url, { ...letter, credentials: "same-origin", keepalive: true }).catch(() => {});
    return room - size;
  }

  acknowledged(body, text, seq) {
    if (seq >= 0) this.savedSeq = seq;
    this.revision = body.revision;
    const own = body.heads.find((head) => head.mine && same(head.text, text));
    if (own) this.base = [own.token];
    if (seq === this.seq) {
      this.page.device.remove(this.name);
      this.hear(body.heads, body.revision);
    } else {
      this.showOthers(body.heads);
      this.keptSeq = 0; // kept with the older base; keep it again with this one
      this.keep();
      this.sendSoon();
    }
  }

  // --- what others wrote ---------------------------------------------------------------------------------------------

  /** Takes in the field as the server has it now, without touching a box that is being typed in. */
  hear(heads, revision) {
    if (revision < this.revision) return; // an answer that was on its way before our own save
    this.heads = heads;
    if (this.isUnsent() || !heads.length) return;
    const main = this.mainOf(heads);
    if (!same(main.text, this.box.value)) {
      const focused = document.activeElement === this.box;
      if (focused && Date.now() - this.lastKey < STILL_TYPING) {
        clearTimeout(this.later);
        this.later = setTimeout(() => this.hear(this.heads, this.revision), STILL_TYPING);
        return;
      }
      replaceKeepingCaret(this.box, main.text);
      this.grow();
      this.note = main.mine ? "" : words.changed.replace("{name}", main.author);
      if (focused && this.note) this.page.say(this.note);
    }
    this.base = [main.token];
    this.showOthers(heads);
    this.show();
  }

  /** The version the box stands for: the one it grew from, else the newest of one's own, else the newest. */
  mainOf(heads) {
    const rows = this.base.map(rowOf);
    return (
      heads.find((head) => rows.includes(rowOf(head.token))) ??
      heads.findLast((head) => head.mine) ??
      heads[heads.length - 1]
    );
  }

  showOthers(heads) {
    this.page.seen(this.key, heads);
    const others = heads.filter((head) => !this.base.includes(head.token));
    const shown = [...this.others.children].map((part) => part.dataset.token);
    if (shown.join() === others.map((head) => head.token).join()) return;
    this.others.replaceChildren(...others.map((head) => this.versionOf(head)));
    if (others.length) this.page.say(this.others.textContent);
  }

  versionOf(head) {
    const part = make("section", { className: "other-version" });
    part.dataset.token = head.token;
    const who = head.mine ? words.youWrote : words.wrote.replace("{name}", head.author);
    const actions = make("div", { className: "actions" });
    const ways = [["use", words.use], ["both", words.both]];
    for (const [choice, label] of this.choices.length ? ways.slice(0, 1) : ways) {
      const form = make("form", { className: "button-form" });
      form.append(make("button", { className: "btn btn-outline-primary", value: choice }, label));
      actions.append(form);
    }
    const text = make("div", { className: "words" }, head.said ?? head.text);
    if (this.choices.length) text.dataset.chosen = head.text;
    part.append(make("p", { className: "soft" }, who), text, actions);
    return part;
  }

  /** "Use this one" or "keep both": a save that has seen both versions, under a new editor, so it replaces them. */
  async choose(event) {
    event.preventDefault();
    const part = event.target.closest(".other-version");
    const shown = part.querySelector(".words");
    const theirs = shown.dataset.chosen ?? shown.textContent;
    const isBoth = event.submitter.value === "both";
    await this.send(); // so that our own version is known by its newest token
    this.editor = randomName();
    this.page.holdEditor(this.editor);
    this.base = [...this.base, part.dataset.token];
    this.box.value = isBoth && this.box.value.trim() ? `${this.box.value}\n\n${theirs}` : theirs;
    part.remove();
    this.changed();
    this.send();
    this.box.focus();
  }

  // --- what an earlier page could not send ---------------------------------------------------------------------------

  /** An entry of a page that is gone: comes back into the box if that is free, and is sent as what that page sent. */
  restore(name, entry) {
    const onServer = (this.heads ?? []).some((head) => same(head.text, entry.text)) || same(this.box.value, entry.text);
    if (onServer && !this.isUnsent()) return this.page.device.remove(name);
    if (this.isUnsent()) return this.page.sendAside(this.url, name, entry);
    this.restored = { name, entry };
    this.box.value = entry.text;
    this.note = words.restored;
    this.page.say(words.restored);
    this.grow();
    this.send();
  }

  /** Under the editor and seq of the page that is gone, so that it makes no second version if the server has it. */
  async sendRestored() {
    const { name, entry } = this.restored;
    const answer = await this.ask(entry);
    if (answer?.status === 200) {
      this.restored = null;
      this.page.device.remove(name);
      this.acknowledged(answer.body, entry.text, this.isUnsent() ? -1 : this.seq);
    } else if (answer !== null && answer.status !== 401) {
      // Refused for what it is: from now on it is this page's text, and a change to it is sent anew.
      this.restored = null;
      this.page.device.remove(name);
      this.changed();
      this.refusal = this.reasonOf(answer, entry.text);
    }
  }
  // --- the truth about it --------------------------------------------------------------------------------------------

  show() {
    const [state, text] = this.state();
    if (this.line.textContent === text) return;
    this.line.dataset.state = state;
    this.line.textContent = text;
    if (state === "device" || state === "none") this.page.say(text);
  }

  state() {
    if (!this.isUnsent()) return ["saved", [words.saved, this.note].filter(Boolean).join(" · ")];
    const isKept = !this.isNowhere();
    const stuck = this.page.over || this.refusal || this.failures > 0;
    if (!stuck || (this.keeping && !isKept)) return ["saving", words.saving];
    const why = this.page.over
      ? isKept ? words.over : words.overNone
      : this.refusal || (isKept ? words.deviceWhy : words.noneWhy);
    return isKept ? ["device", `${words.device}. ${why}`] : ["none", `${words.none}. ${why}`];
  }
}

// --- small things ------------------------------------------------------------------------------------------------------

function letterOf({ text, base, editor, seq }) {
  return {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRFToken": csrfToken() },
    body: JSON.stringify({ text, base, editor, seq }),
  };
}

function showVersions(place, heads) {
  const parts = heads.flatMap((head) => [
    ...(heads.length > 1 ? [make("p", { className: "soft" }, head.mine ? words.you : head.author)] : []),
    make("div", { className: "words" }, head.said ?? head.text),
  ]);
  if (place.textContent.trim() !== parts.map((part) => part.textContent).join("").trim()) place.replaceChildren(...parts);
}

/** Puts `text` into the box; the caret stays at the letter where it was. */
function replaceKeepingCaret(box, text) {
  const before = box.value;
  const caret = box.selectionStart;
  let head = 0;
  while (head < before.length && head < text.length && before[head] === text[head]) head += 1;
  box.value = text;
  if (document.activeElement !== box) return;
  const place = caret <= head ? caret : Math.max(head, caret + text.length - before.length);
  box.setSelectionRange(place, place);
}

function csrfToken() {
  return document.querySelector("input[name=csrf_token]").value;
}

function sameWords(one, other) {
  const wordsOf = (part) => part.textContent.replace(/\s+/g, " ").trim();
  return wordsOf(one) === wordsOf(other);
}

function names(page) {
  return [...page.querySelectorAll("[data-live], [data-text-field], [data-text-shown]")]
    .map((part) => part.dataset.live ?? part.dataset.textField ?? part.dataset.textShown)
    .join();
}

function same(one, other) {
  return one.replaceAll("\r\n", "\n") === other.replaceAll("\r\n", "\n");
}

function rowOf(token) {
  return token.slice(0, token.lastIndexOf("."));
}

function make(tag, properties, text) {
  const element = Object.assign(document.createElement(tag), properties);
  if (text !== undefined) element.textContent = text;
  return element;
}

function randomName() {
  return Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

for (const root of document.querySelectorAll("[data-texts-url]")) {
  openDevice(root.dataset.deviceKey).then((device) => new Page(root, device).start());
}
