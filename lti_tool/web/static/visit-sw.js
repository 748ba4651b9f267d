// Lets the page that captures a visit open without network. It keeps the empty page with its scripts and styles, all of
// one state, and nothing else: no instrument, no entry, no answer of the server to either.
//
// The page comes from the network if that answers soon with all parts, and from here if not. Parts come from here, so
// that a page never meets a script of another state.

const CACHE = "meitheal-visit-1";
const SOON = 3000; // ms
const SHELL = new URL("shell", self.location).href;
const PARTS = [
  "visit.js", "visit-store.js", "visit-clock.js", "visit-send.js", "visit-kinds.js", "visit-plan.js", "hints.js",
  "visit.css", "meitheal.css", "meitheal.svg",
].map((name) => new URL(`../static/${name}`, self.location).href);
const PAGE = new RegExp(`^${new URL(".", self.location).pathname}[^/.]+$`);

addEventListener("install", () => skipWaiting());

addEventListener("activate", (event) => {
  const old = async () => {
    for (const name of await caches.keys()) if (name.startsWith("meitheal-visit") && name !== CACHE) await caches.delete(name);
    await clients.claim();
  };
  event.waitUntil(old());
});

/** The page asks whether it would open without network, and makes sure of it. */
addEventListener("message", (event) => {
  if (event.data !== "keep" || !event.source) return;
  const keep = async () => {
    const cache = await caches.open(CACHE);
    let kept = (await cache.match(SHELL)) !== undefined;
    if (!kept) kept = await refresh(new Request(event.source.url)).then((answer) => answer.ok, () => false);
    event.source.postMessage({ shell: kept });
  };
  event.waitUntil(keep());
});

addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  if (request.mode === "navigate" && PAGE.test(url.pathname)) event.respondWith(page(request));
  else if (PARTS.includes(url.origin + url.pathname)) event.respondWith(part(request));
});

async function page(request) {
  const shell = await (await caches.open(CACHE)).match(SHELL);
  if (!shell) return fetch(request);
  try {
    const answer = await refresh(request);
    // Whoever may send no more still has to see what is on the phone; the page says what the matter is.
    return answer.ok || answer.type === "opaqueredirect" ? answer : shell;
  } catch {
    return shell;
  }
}

async function part(request) {
  return (await (await caches.open(CACHE)).match(request, { ignoreSearch: true })) ?? fetch(request);
}

/** The page from the network; it is kept with all its parts, or not at all. Fails if one of them does not come soon. */
async function refresh(request) {
  const signal = AbortSignal.timeout(SOON);
  const answer = await fetch(request, { signal, cache: "no-store" });
  if (!answer.ok || answer.redirected) return answer;
  const parts = await Promise.all(PARTS.map((url) => fetch(url, { signal, cache: "no-cache" })));
  if (!parts.every((each) => each.ok)) throw new Error("a part is missing");
  // Whole before the first of them is kept: a copy is read to its end.
  const kept = [answer, ...parts].map((each) => each.clone());
  await Promise.all(kept.map((each) => each.clone().blob()));
  const cache = await caches.open(CACHE);
  for (const [i, each] of kept.entries()) await cache.put(i ? PARTS[i - 1] : SHELL, each);
  return answer;
}
