// Where the entries of one visit are on this phone: in the browser's database, and where there is none, in the page.
//
// An entry counts as kept when its transaction is complete. The browser may close the database at any time, above all in
// the background; it is opened again and the same work is done once more. Each tap has a name of its own, so that work
// done twice keeps it once. Entries that no database takes stay in the page (and in its session, which lasts a reload)
// under a device name of their own, and move into the database when that works again.

const NAME = "meitheal-visit-";
const OLD = 2 * 24 * 3600 * 1000; // ms
const TRIES = 3;
const HANGS = 4000; // ms after which a transaction that says nothing is taken for lost
const STRICT = { durability: "strict" };

/**
 * Clears away other visits of this phone that nobody closed here: those of which the server has all, and to which
 * nothing was added for two days.
 */
export async function clearOld(visit) {
  for (const { name } of (await globalThis.indexedDB?.databases?.()) ?? []) {
    if (!name.startsWith(NAME) || name === NAME + visit) continue;
    const store = await openStore(name.slice(NAME.length));
    // One that was opened for a lesson to come has no clock yet.
    const last = Math.max(store.meta.clock?.date ?? 0, store.meta.opened ?? 0);
    if (!last || last >= Date.now() - OLD || store.drafts().length) continue;
    if (store.keeps === "phone" && !store.unsent().size) await store.forget();
  }
}

/** The store of one visit, with all that was kept earlier. Never fails: `keeps` says where entries go. */
export async function openStore(visit) {
  const store = new Store(NAME + visit);
  await store.load();
  return store;
}

class Store {
  constructor(name) {
    this.name = name;
    this.box = new Box(name);
    this.page = new PageBox(name);
    this.entries = []; // all of this phone, as they were added
    this.sent = {}; // device → highest number up to which the server has all
    this.there = new Set(); // entries after one that it has not
    this.stuck = new Set(); // entries that it will not take
    this.meta = {};
    this.keeps = "phone";
    this.queue = Promise.resolve();
  }

  /** Reads again what is on the phone, also what another tab has added. */
  load() {
    return this.#next(async () => {
      try {
        this.#show(await this.box.read());
        this.keeps = "phone";
      } catch {
        this.keeps = "page";
        this.#show({ entries: this.entries.filter((each) => !this.page.has(each)), sent: this.sent, meta: {} });
      }
    });
  }

  /**
   * Adds an entry, in its turn; answers it as it is kept, with device and number. `meta` is kept along with it. Fails
   * only where it takes back one (`undoes`, `of` its device) that was kept elsewhere than entries are kept now.
   */
  add(values, meta = {}) {
    const tap = randomName();
    return this.#next(async () => {
      let entry;
      try {
        await this.#moveIn(meta);
        entry = await this.box.add({ ...values, tap }, meta);
        this.keeps = "phone";
      } catch {
        entry = this.page.add({ ...values, tap }, meta);
        this.keeps = "page";
      }
      Object.assign(this.meta, meta);
      this.entries.push(entry);
      return entry;
    });
  }

  set(key, value) {
    this.meta[key] = value;
    return this.#next(async () => {
      try {
        await this.box.set({ [key]: value });
        this.page.unset(key);
      } catch {
        this.page.set({ [key]: value });
      }
    });
  }

  /** Under which new entries are numbered now. */
  get device() {
    return this.keeps === "phone" ? this.meta.device : this.page.device;
  }

  /** Texts that were typed and not noted. */
  drafts() {
    return Object.keys(this.meta).filter((key) => key.startsWith("draft/") && this.meta[key]?.text?.trim());
  }

  /** What the server has of each device now; less than before if an older state of it was brought back. */
  correct(have) {
    return this.#next(async () => {
      for (const [device, number] of Object.entries(this.sent)) {
        const there = have[device] ?? 0;
        if (there >= number) continue;
        this.sent[device] = there;
        this.page.correct(device, there);
        await this.box.set({ [`sent/${device}`]: there }).catch(() => {});
      }
    });
  }

  /** The server has the entries of `device` up to `number`. */
  acknowledge(device, number) {
    if (number <= (this.sent[device] ?? 0)) return Promise.resolve();
    this.sent[device] = number;
    this.page.acknowledge(device, number);
    return this.#next(() => this.box.set({ [`sent/${device}`]: number }).catch(() => {}));
  }

  isSent(entry) {
    return entry.number <= (this.sent[entry.device] ?? 0) || this.there.has(entry);
  }

  /** Entries that the server has not acknowledged, by device, in order of their numbers. */
  unsent() {
    const found = new Map();
    for (const each of this.entries) {
      if (this.isSent(each) || this.stuck.has(each)) continue;
      if (!found.has(each.device)) found.set(each.device, []);
      found.get(each.device).push(each);
    }
    for (const list of found.values()) list.sort((a, b) => a.number - b.number);
    return found;
  }

  /** How many there are, the server has, are unsent and only in the page; and whether all are kept on the phone. */
  count() {
    return {
      all: this.entries.length,
      sent: this.entries.filter((each) => this.isSent(each)).length,
      onlyHere: this.entries.filter((each) => !this.isSent(each) && this.page.has(each)).length,
      isKept: this.keeps === "phone" && !this.page.entries.length,
    };
  }

  /**
   * The server has something else under these numbers, as when a phone was set up from a copy of this one: what is here
   * gets numbers of its own.
   */
  renumber(device, numbers) {
    return this.#next(async () => {
      const old = this.entries.filter((each) => each.device === device && numbers.includes(each.number));
      if (!old.length || old.some((each) => this.page.has(each))) return;
      // One of them that was taken back by an entry which is not among them is taken back once more.
      const undone = this.entries.filter((each) => each.device === device && each.undoes && !old.includes(each));
      const again = undone.filter((each) => old.some((one) => one.number === each.undoes));
      const fresh = await this.box.renumber([...old, ...again.map((each) => ({ ...each, tap: randomName() }))], old);
      this.entries = this.entries.map((each) => (old.includes(each) ? fresh[old.indexOf(each)] : each));
      this.entries.push(...fresh.slice(old.length));
    });
  }

  /** Deletes all that is on this phone. */
  forget() {
    return this.#next(async () => {
      this.page.forget();
      this.entries = [];
      this.sent = {};
      this.meta = {};
      await this.box.forget();
    });
  }

  /** What is in the page moves into the database, but for the `newer` of its values. */
  async #moveIn(newer) {
    const { entries, sent, meta } = this.page;
    if (!entries.length && !Object.keys(meta).length) return;
    const values = Object.entries(meta).filter(([key]) => !(key in newer));
    const hadAll = await this.box.take(entries, sent, Object.fromEntries(values));
    this.page.forget();
    if (!hadAll) this.#show(await this.box.read());
  }

  #show({ entries, sent, meta }) {
    // A database that fell silent may have taken an entry all the same.
    this.page.drop(new Set(entries.map((each) => each.tap)));
    const found = [...entries, ...this.page.entries];
    this.entries = found.sort((a, b) => a.added - b.added || a.number - b.number);
    this.sent = { ...this.sent };
    for (const [device, number] of [...Object.entries(sent), ...Object.entries(this.page.sent)]) {
      this.sent[device] = Math.max(number, this.sent[device] ?? 0);
    }
    this.meta = { ...this.meta, ...meta, ...this.page.meta };
  }

  #next(work) {
    const done = this.queue.then(work);
    this.queue = done.catch(() => {});
    return done;
  }
}

/** The browser's database. Every method fails only after it was opened anew and tried again. */
class Box {
  constructor(name) {
    this.name = name;
    this.db = null;
  }

  read() {
    return this.#run(["entries", "meta"], "readwrite", async (entries, meta) => {
      if ((await got(meta.get("device"))) === undefined) meta.put(randomName(), "device");
      const keys = await got(meta.getAllKeys());
      const values = await got(meta.getAll());
      const found = { entries: await got(entries.getAll()), sent: {}, meta: {} };
      keys.forEach((key, i) => {
        if (key.startsWith("sent/")) found.sent[key.slice(5)] = values[i];
        else found.meta[key] = values[i];
      });
      return found;
    });
  }

  add(values, with_) {
    return this.#run(["entries", "meta"], "readwrite", async (entries, meta) => {
      const before = await got(entries.index("tap").get(values.tap));
      if (before) return before;
      let device = await got(meta.get("device"));
      if (device === undefined) meta.put((device = randomName()), "device");
      if (values.of && values.of !== device) {
        // It takes back one that moved in from a page, whose name nobody uses any more, under that name.
        const keys = await got(entries.getAllKeys(IDBKeyRange.bound([values.of], [values.of, []])));
        const entry = as(values, values.of, Math.max(0, ...keys.map((each) => each[1])) + 1);
        entries.add(entry);
        for (const [key, value] of Object.entries(with_)) meta.put(value, key);
        return entry;
      }
      // Allotted here, so that two tabs of one phone never give the same number.
      const number = ((await got(meta.get("last"))) ?? 0) + 1;
      const entry = as(values, device, number);
      entries.add(entry);
      meta.put(number, "last");
      for (const [key, value] of Object.entries(with_)) meta.put(value, key);
      return entry;
    });
  }

  /** Adds `list` under the next numbers, instead of `old`. */
  renumber(list, old) {
    return this.#run(["entries", "meta"], "readwrite", async (entries, meta) => {
      let number = (await got(meta.get("last"))) ?? 0;
      const now = new Map(list.map((each) => [each.number, ++number]));
      const fresh = list.map((each) => ({
        ...each,
        number: now.get(each.number),
        ...(each.undoes && { undoes: now.get(each.undoes) ?? each.undoes }),
      }));
      for (const each of old) entries.delete([each.device, each.number]);
      for (const each of fresh) entries.add(each);
      meta.put(number, "last");
      return fresh;
    });
  }

  /** Takes what was in a page; whether it had none of it already. */
  take(list, sent, with_) {
    return this.#run(["entries", "meta"], "readwrite", async (entries, meta) => {
      let isNew = true;
      for (const each of list) {
        const before = await got(entries.index("tap").getKey(each.tap));
        if (!before || (before[0] === each.device && before[1] === each.number)) {
          entries.put(each);
          continue;
        }
        isNew = false;
        if (each.number > (sent[each.device] ?? 0)) continue;
        // The server has it from the page: the one here is taken back.
        const number = ((await got(meta.get("last"))) ?? 0) + 1;
        entries.put({ ...each, tap: randomName() });
        entries.add({ at_ms: each.at_ms, added: each.added, undoes: before[1], device: before[0], number, tap: randomName() });
        meta.put(number, "last");
      }
      for (const [device, number] of Object.entries(sent)) meta.put(number, `sent/${device}`);
      for (const [key, value] of Object.entries(with_)) meta.put(value, key);
      return isNew;
    });
  }

  set(values) {
    return this.#run(["meta"], "readwrite", async (meta) => {
      for (const [key, value] of Object.entries(values)) meta.put(value, key);
    });
  }

  async forget() {
    try {
      await this.#run(["entries", "meta"], "readwrite", async (entries, meta) => {
        entries.clear();
        meta.clear();
      });
      this.#close();
      indexedDB.deleteDatabase(this.name);
    } catch {
      // There is no database.
    }
  }

  async #run(names, mode, work) {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#once(await this.#open(), names, mode, work);
      } catch (error) {
        this.#close();
        if (tries === TRIES) throw error;
      }
    }
  }

  #once(db, names, mode, work) {
    return new Promise((resolve, reject) => {
      const transaction = db.transaction(names, mode, STRICT);
      const hangs = setTimeout(() => {
        reject(new Error("no answer"));
        abort();
      }, HANGS);
      const abort = () => {
        try {
          transaction.abort();
        } catch {
          // It is over already.
        }
      };
      let found;
      transaction.oncomplete = () => {
        clearTimeout(hangs);
        resolve(found);
      };
      transaction.onabort = () => {
        clearTimeout(hangs);
        reject(transaction.error ?? new Error("aborted"));
      };
      work(...names.map((name) => transaction.objectStore(name))).then(
        (value) => (found = value),
        (error) => {
          clearTimeout(hangs);
          reject(error);
          abort();
        },
      );
    });
  }

  #open() {
    this.db ??= new Promise((resolve, reject) => {
      const request = indexedDB.open(this.name, 1);
      const hangs = setTimeout(() => reject(new Error("no answer")), HANGS);
      request.onupgradeneeded = () => {
        const entries = request.result.createObjectStore("entries", { keyPath: ["device", "number"] });
        entries.createIndex("tap", "tap", { unique: true });
        request.result.createObjectStore("meta");
      };
      request.onerror = () => {
        clearTimeout(hangs);
        reject(request.error);
      };
      request.onsuccess = () => {
        clearTimeout(hangs);
        const db = request.result;
        db.onclose = () => (this.db = null);
        db.onversionchange = () => {
          db.close();
          this.db = null;
        };
        resolve(db);
      };
    });
    return this.db;
  }

  #close() {
    this.db?.then((db) => db.close()).catch(() => {});
    this.db = null;
  }
}

/** The page itself, and its session where the browser has one: it lasts a reload, not the end of the tab. */
class PageBox {
  constructor(name) {
    this.name = name;
    this.#begin();
    try {
      Object.assign(this, JSON.parse(sessionStorage.getItem(name)));
    } catch {
      // No session: entries are in this page alone.
    }
  }

  #begin() {
    this.device = randomName();
    this.entries = [];
    this.last = 0; // number of the last one
    this.sent = {};
    this.meta = {};
  }

  has(entry) {
    return this.entries.some((each) => each.tap === entry.tap);
  }

  add(values, meta) {
    const entry = as(values, this.device, this.last + 1);
    this.last++;
    this.entries.push(entry);
    this.set(meta);
    return entry;
  }

  set(values) {
    Object.assign(this.meta, values);
    this.#save();
  }

  unset(key) {
    if (!(key in this.meta)) return;
    delete this.meta[key];
    this.#save();
  }

  /** Those with one of these names are kept elsewhere, and need not be sent from here. */
  drop(taps) {
    const isKept = (each) => taps.has(each.tap) && each.number > (this.sent[each.device] ?? 0);
    if (!this.entries.some(isKept)) return;
    this.entries = this.entries.filter((each) => !isKept(each));
    this.#save();
  }

  acknowledge(device, number) {
    if (device === this.device) this.correct(device, number);
  }

  correct(device, number) {
    if (device !== this.device) return;
    this.sent[device] = number;
    this.#save();
  }

  forget() {
    // The name is used up: its numbers would begin from one again.
    this.#begin();
    try {
      sessionStorage.removeItem(this.name);
    } catch {
      // There was none.
    }
  }

  #save() {
    const { device, entries, last, sent, meta } = this;
    try {
      sessionStorage.setItem(this.name, JSON.stringify({ device, entries, last, sent, meta }));
    } catch {
      // As above.
    }
  }
}

/** The entry as it is kept. One that takes another back (`of` its device) can only come from the same device. */
function as({ of, ...values }, device, number) {
  if (of && of !== device) throw new Error("of another device");
  return { ...values, device, number };
}

function got(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** 22 signs that nobody else has. */
function randomName() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
