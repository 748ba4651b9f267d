// Lets the page that captures a visit open without network. It keeps the empty page with its scripts and styles, all of
// one state, and nothing else: no instrument, no entry, no answer of the server to either.
//
// The page comes from the network if that answers soon with all parts, and from here if not. Parts come from here, so
// that a page never meets a script of another state.

const CACHE = "meitheal-visit-"; // and when it was fetched: the last one that has the page is whole
const SOON = 3000; // ms
const SLOWLY = 60_000; // ms, where nobody waits for it
const SHELL = new URL("shell", self.location).href;
const PARTS = [
  "visit.js", "visit-store.js", "visit-clock.js", "visit-send.js", "visit-kinds.js", "visit-plan.js", "hints.js",
  "visit.css", "meitheal.css", "meitheal.svg",
].map((name) => new URL(`../static/${name}`, self.location).href);
/** The address of a part without the state that it names. */
const plain = (url) => url.origin + url.pathname.replace(/\/static\/[^/]+\/(?=[^/]+$)/, "/static/");
const PAGE = new RegExp(`^${new URL(".", self.location).pathname}[^/.]+$`);

addEventListener("install", () => skipWaiting());

addEventListener("activate", (event) => event.waitUntil(clients.claim()));

/** The page asks whether it would open without network, and makes sure of it. */
addEventListener("message", (event) => {
  if (event.data !== "keep" || !event.source) return;
  const keep = async () => {
    let kept = (await whole()) !== null;
    if (!kept) kept = await refresh(new Request(event.source.url), SLOWLY).then((answer) => answer.ok, () => false);
    event.source.postMessage({ shell: kept });
  };
  event.waitUntil(keep());
});

addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  if (request.mode === "navigate" && PAGE.test(url.pathname)) event.respondWith(page(request));
  else if (PARTS.includes(plain(url))) event.respondWith(part(request, plain(url)));
});

/** The cache of the last state that was kept with all its parts, or null. */
async function whole() {
  const names = (await caches.keys()).filter((each) => each.startsWith(CACHE)).sort();
  for (const name of names.reverse()) {
    const cache = await caches.open(name);
    if (await cache.match(SHELL)) return cache;
  }
  return null;
}

async function page(request) {
  const shell = await (await whole())?.match(SHELL);
  if (!shell) return fetch(request);
  try {
    const answer = await refresh(request);
    // Whoever may send no more still has to see what is on the phone; the page says what the matter is.
    return answer.ok || answer.type === "opaqueredirect" ? answer : shell;
  } catch {
    return shell;
  }
}

async function part(request, kept) {
  return (await (await whole())?.match(kept)) ?? fetch(request);
}

/** The page from the network; it is kept with all its parts, or not at all. Fails if one of them does not come soon. */
async function refresh(request, within = SOON) {
  const signal = AbortSignal.timeout(within);
  const answer = await fetch(request, { signal, cache: "no-store" });
  if (!answer.ok || answer.redirected) return answer;
  const parts = await Promise.all(PARTS.map((url) => fetch(url, { signal, cache: "no-cache" })));
  if (!parts.every((each) => each.ok)) throw new Error("a part is missing");
  // Whole before the first of them is kept: a copy is read to its end.
  const kept = [answer, ...parts].map((each) => each.clone());
  await Promise.all(kept.map((each) => each.clone().blob()));
  // The page last: a cache that was killed on the way has none, and the one before goes on.
  const name = CACHE + Date.now();
  const cache = await caches.open(name);
  await Promise.all(kept.slice(1).map((each, i) => cache.put(PARTS[i], each)));
  await cache.put(SHELL, kept[0]);
  for (const old of await caches.keys()) if (old.startsWith(CACHE) && old < name) await caches.delete(old);
  return answer;
}
