// What is kept on this device: short-lived, sealed copies of text that the server has not acknowledged yet.
//
// A copy is sealed (AES-GCM) with a key that only the server can give, and only to the person who wrote it, so the
// next person at a staff-room computer cannot read it. Its name is part of the seal: a copy cannot be moved.
//
// Copies lie in localStorage. Chromium refuses it to a frame whose third-party cookies are blocked, and every other
// store too, except partitioned cookies; there the copies are cookies.

/** Opens the store for one person; `refused` is true where this browser keeps nothing. */
export async function openDevice(keyInBase64) {
  const device = new Device();
  try {
    device.key = await crypto.subtle.importKey("raw", bytesOf(keyInBase64), "AES-GCM", false, ["encrypt", "decrypt"]);
    device.storage = localStorageOrNull() ?? partitionedCookiesOrNull();
  } catch {
    device.storage = null; // no cryptography: the page around us did not come over https
  }
  return device;
}

class Device {
  storage = null;

  get refused() {
    return this.storage === null;
  }

  /** Keeps `entry` (plain JSON) under `name`; false if this browser did not take it. */
  async keep(name, entry) {
    if (this.refused) return false;
    try {
      const nonce = crypto.getRandomValues(new Uint8Array(12));
      const plain = await through(CompressionStream, new TextEncoder().encode(JSON.stringify(entry)));
      const sealed = await crypto.subtle.encrypt(this.#seal(nonce, name), this.key, plain);
      await this.storage.keep(name, `${base64Of(nonce)}.${base64Of(new Uint8Array(sealed))}`);
      return true;
    } catch {
      return false;
    }
  }

  /** The entry kept under `name`, or null. */
  async read(name) {
    if (this.refused) return null;
    try {
      const [nonce, sealed] = this.storage.read(name).split(".").map(bytesOf);
      const plain = await crypto.subtle.decrypt(this.#seal(nonce, name), this.key, sealed);
      return JSON.parse(new TextDecoder().decode(await through(DecompressionStream, new Uint8Array(plain))));
    } catch {
      return null;
    }
  }

  remove(name) {
    if (!this.refused) this.storage.remove(name);
  }

  /** Names of all entries that begin with `prefix`. */
  names(prefix) {
    return this.refused ? [] : this.storage.names().filter((name) => name.startsWith(prefix));
  }

  #seal(nonce, name) {
    return { name: "AES-GCM", iv: nonce, additionalData: new TextEncoder().encode(name) };
  }
}

function localStorageOrNull() {
  try {
    const storage = window.localStorage;
    storage.getItem("meitheal");
    return {
      keep: (name, value) => storage.setItem(name, value),
      read: (name) => storage.getItem(name),
      remove: (name) => storage.removeItem(name),
      names: () => Object.keys(storage),
    };
  } catch {
    return null;
  }
}

// --- Partitioned cookies -----------------------------------------------------------------------------------------------

// They go along with requests while there is unsent text, so they stay far below what a server or proxy takes as a header.
const ATTRIBUTES = "; Path=/at; Secure; SameSite=None; Partitioned";
const FORTNIGHT = 14 * 24 * 3600; // seconds
const MOST = 3500; // characters of all copies together; about twice as many letters of a text

function partitionedCookiesOrNull() {
  const cookies = {
    keep(name, value) {
      const others = [...allCookies()].filter(([other]) => other.startsWith("meitheal") && other !== name);
      const size = others.reduce((sum, [other, kept]) => sum + other.length + kept.length, name.length + value.length);
      if (size > MOST) throw new Error("too large for cookies");
      document.cookie = `${name}=${value}; Max-Age=${FORTNIGHT}${ATTRIBUTES}`;
      if (allCookies().get(name) !== value) throw new Error("not kept");
    },
    read: (name) => allCookies().get(name),
    remove: (name) => (document.cookie = `${name}=; Max-Age=0${ATTRIBUTES}`),
    names: () => [...allCookies().keys()],
  };
  try {
    cookies.keep("meitheal-probe", "1");
    cookies.remove("meitheal-probe");
    return cookies;
  } catch {
    return null;
  }
}

function allCookies() {
  return new Map(document.cookie.split("; ").map((pair) => pair.split(/=(.*)/s).slice(0, 2)));
}

// --- One page at a time ------------------------------------------------------------------------------------------------

/** Waits until no other page holds `name`, then holds it until the page is gone or the returned function is called.
    Where the browser has no locks, or refuses them, nobody holds anything. */
export function hold(name) {
  return new Promise((held) => {
    if (!navigator.locks) return held(() => {});
    navigator.locks
      .request(name, () => new Promise((release) => held(release)))
      .catch(() => held(() => {}));
  });
}

async function through(Stream, bytes) {
  return new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(new Stream("deflate-raw"))).arrayBuffer());
}

function bytesOf(base64) {
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}

function base64Of(bytes) {
  let letters = "";
  for (const byte of bytes) letters += String.fromCharCode(byte);
  return btoa(letters);
}
