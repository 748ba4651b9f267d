// What is kept on this device: short-lived, sealed copies of text that the server has not acknowledged yet.
//
// A copy is sealed (AES-GCM) with a key that only the server can give, and only to the person who wrote it, so the
// next person at a staff-room computer cannot read it. Its name is part of the seal: a copy cannot be moved.

/** Opens the store for one person; `refused` is true where this browser keeps nothing (it may forbid it in a frame). */
export async function openDevice(keyInBase64) {
  const device = new Device();
  try {
    device.storage = window.localStorage;
    device.storage.getItem("meitheal");
    device.key = await crypto.subtle.importKey("raw", bytesOf(keyInBase64), "AES-GCM", false, ["encrypt", "decrypt"]);
    device.refused = false;
  } catch {
    device.refused = true;
  }
  return device;
}

class Device {
  refused = true;

  /** Keeps `entry` (plain JSON) under `name`; false if this browser did not take it. */
  async keep(name, entry) {
    if (this.refused) return false;
    try {
      const nonce = crypto.getRandomValues(new Uint8Array(12));
      const plain = new TextEncoder().encode(JSON.stringify(entry));
      const sealed = await crypto.subtle.encrypt(this.#seal(nonce, name), this.key, plain);
      this.storage.setItem(name, `${base64Of(nonce)}.${base64Of(new Uint8Array(sealed))}`);
      return true;
    } catch {
      return false;
    }
  }

  /** The entry kept under `name`, or null. */
  async read(name) {
    if (this.refused) return null;
    try {
      const [nonce, sealed] = this.storage.getItem(name).split(".").map(bytesOf);
      const plain = await crypto.subtle.decrypt(this.#seal(nonce, name), this.key, sealed);
      return JSON.parse(new TextDecoder().decode(plain));
    } catch {
      return null;
    }
  }

  remove(name) {
    if (!this.refused) this.storage.removeItem(name);
  }

  /** Names of all entries that begin with `prefix`. */
  names(prefix) {
    if (this.refused) return [];
    return Object.keys(this.storage).filter((name) => name.startsWith(prefix));
  }

  #seal(nonce, name) {
    return { name: "AES-GCM", iv: nonce, additionalData: new TextEncoder().encode(name) };
  }
}

/** Waits until no other page holds `name`, then holds it until the page is gone or the returned function is called. */
export function hold(name) {
  return new Promise((held) => {
    if (!navigator.locks) return held(() => {});
    navigator.locks
      .request(name, () => new Promise((release) => held(release)))
      .catch(() => held(() => {}));
  });
}

function bytesOf(base64) {
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}

function base64Of(bytes) {
  let letters = "";
  for (const byte of bytes) letters += String.fromCharCode(byte);
  return btoa(letters);
}
