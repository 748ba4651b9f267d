// On the page on which a code is typed: clears away what earlier visits left on this device, where the server has all.
import { clearOld } from "./visit-store.js";

clearOld("").catch(() => {
  // A browser without a database has nothing to clear away.
});
