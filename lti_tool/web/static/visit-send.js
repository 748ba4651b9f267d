// Sends what is kept: in order, and again until the server says that it has it. The server takes each number once, so an
// answer that was lost does no harm.

const AFTER = 4000; // ms after an entry, so that the radio wakes up once for several
const WITHIN = 15_000; // ms
const RETRY = [3000, 8000, 20_000, 60_000];
const AT_ONCE = 200; // entries of one letter

export class Sender {
  /** `url` of the visit; `changed` is called whenever something is known that was not. */
  constructor(url, store, changed) {
    this.url = url;
    this.store = store;
    this.changed = changed;
    this.failures = 0;
    this.refused = null; // a refusal, once the server takes no more
    this.running = null;
    this.clock = null; // of the visit, once it has begun
    addEventListener("online", () => this.now());
    document.addEventListener("visibilitychange", () => document.hidden || this.now());
  }

  /** Whether the network is there, as far as is known. */
  get isOffline() {
    return this.failures > 0 || navigator.onLine === false;
  }

  /** A while after an entry; at once where it is nowhere but in the page. */
  soon() {
    if (this.store.keeps === "page") return this.now();
    if (!this.timer && !this.running) this.timer = setTimeout(() => this.now(), AFTER);
  }

  /** Sends all there is; answers whether the server has all of it. */
  now() {
    clearTimeout(this.timer);
    this.timer = null;
    this.running ??= this.#all().finally(() => {
      this.running = null;
      this.changed();
      // Entries may have come while the last letter was on its way.
      if (!this.refused && this.store.unsent().size) this.#later();
    });
    return this.running;
  }

  #later() {
    const wait = this.failures ? RETRY[Math.min(this.failures, RETRY.length) - 1] : AFTER;
    this.timer ??= setTimeout(() => this.now(), wait);
  }

  /** Says when the lesson began, so that other devices go on from there; each letter says it too. */
  async begin() {
    await ask(`${this.url}/entries`, { device: this.store.device, at: this.clock.at(), entries: [] });
  }

  async #all() {
    if (this.refused) return false;
    for (;;) {
      const [first] = this.store.unsent();
      if (!first) return true;
      const [device, entries] = first;
      const letter = entries.slice(0, AT_ONCE).map(({ device: _device, tap: _tap, added: _added, ...says }) => says);
      const answer = await ask(`${this.url}/entries`, { device, at: this.clock?.at(), entries: letter });
      if (answer?.body?.full) {
        // There is no room for this device. That holds no other one back.
        for (const each of entries) this.store.stuck.add(each);
        continue;
      }
      // A letter of which only a part was taken says so along with what the server has now.
      if (answer && !answer.ok && !Number.isInteger(answer.body?.have)) {
        this.refused = refusal(answer);
        return false;
      }
      if (!(await this.#taken(answer?.body, device, entries))) {
        this.failures++;
        return false;
      }
      this.failures = 0;
      this.changed();
    }
  }

  /** Notes what the server says it has; whether there is less to send than before. */
  async #taken(body, device, entries) {
    if (!Number.isInteger(body?.have)) return false;
    const before = entries.length;
    const last = Math.max(...this.store.entries.filter((each) => each.device === device).map((each) => each.number));
    await this.store.acknowledge(device, Math.min(body.have, last));
    for (const each of entries) if (body.got?.includes(each.number)) this.store.there.add(each);
    const refused = (body.refused ?? []).map((each) => each.number ?? each);
    for (const each of entries) if (refused.includes(each.number)) this.store.stuck.add(each);
    if (body.clash?.length) {
      await this.store.renumber(device, body.clash);
      return true;
    }
    return (this.store.unsent().get(device)?.filter((each) => entries.includes(each)).length ?? 0) < before;
  }

  /**
   * Closes the visit, once all is sent; answers whether the server has closed it. Entries that it will not take keep it
   * open, unless it is to be closed without them.
   */
  async close(minutes, isWithout) {
    if (!(await this.now()) || (this.store.stuck.size && !isWithout)) return false;
    const answer = await ask(`${this.url}/close`, { minutes });
    this.failures = answer === null ? this.failures + 1 : 0;
    if (answer && !answer.ok) this.refused = refusal(answer);
    return answer?.ok === true;
  }
}

/** {status, ok, body} of the server's answer, or null when it could not be reached or is in trouble. */
export async function ask(url, body) {
  try {
    const answer = await fetch(url, {
      ...(body && { method: "POST", body: JSON.stringify(body) }),
      headers: { Accept: "application/json", ...(body && { "Content-Type": "application/json" }) },
      credentials: "same-origin",
      cache: "no-store",
      redirect: "error",
      signal: AbortSignal.timeout(WITHIN),
    });
    if (answer.status >= 500 || answer.status === 429 || answer.status === 408) return null;
    return { status: answer.status, ok: answer.ok, body: await answer.json().catch(() => null) };
  } catch {
    return null;
  }
}

/** Why the server takes nothing: {gone, title, what}; `gone` is a code where nobody can add to this visit. */
export function refusal({ status, body }) {
  const what = [body?.what, body?.advice].filter((each) => typeof each === "string" && each).join(" ");
  return { gone: status === 410 ? (body?.gone ?? "gone") : "", title: body?.title ?? "", what };
}
