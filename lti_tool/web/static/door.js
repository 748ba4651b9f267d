// Pages of the door that need a script: platform storage (OIDC Login with LTI Client Side postMessages), going on in a
// new tab, and the end of a registration. Each says with data-door what it is.

const TIMEOUT_MS = 4000;
const ASK_AGAIN_MS = 500;
const CLOSE_AFTER_MS = 4000;

const page = document.querySelector("[data-door]");
const steps = { put: putSecret, get: getSecret, continue: goOn, registered: closeRegistration };
if (page) steps[page.dataset.door]();

// The LMS is told the browser's secret, then recognises the person; without an answer the new tab stays as the way on.
async function putSecret() {
  const { key, secret, onward } = page.dataset;
  try {
    await ask({ subject: "lti.put_data", key, value: secret });
    window.location.replace(onward);
  } catch {
    page.querySelector("[data-waiting]").hidden = true;
  }
}

async function getSecret() {
  const form = page.querySelector("form");
  const send = async () => {
    try {
      const answer = await ask({ subject: "lti.get_data", key: page.dataset.key });
      if (typeof answer.value !== "string" || !answer.value) throw new Error("nothing was stored");
      form.elements.secret.value = answer.value;
      form.submit();
    } catch {
      page.querySelector("[data-waiting]").hidden = true;
      page.querySelector("[data-failed]").hidden = false;
    }
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send();
  });
  await send();
}

function goOn() {
  const form = page.querySelector("form");
  // The code serves once: a second press would only lead to a page that says so.
  form.addEventListener("submit", () => {
    setTimeout(() => {
      form.hidden = true;
      page.querySelector("[data-gone]").hidden = false;
    });
  });
}

// Dynamic Registration 1.0, section 3.8: the LMS closes the page when it hears this.
function closeRegistration() {
  const lms = aroundUs();
  if (!lms) return;
  const close = () => lms.postMessage({ subject: "org.imsglobal.lti.close" }, "*");
  const button = page.querySelector("[data-close]");
  button.hidden = false;
  button.addEventListener("click", close);
  // The page may have something to press.
  if (!("stay" in page.dataset)) setTimeout(close, CLOSE_AFTER_MS);
}

function aroundUs() {
  if (window.parent !== window) return window.parent;
  return window.opener;
}

function storageFrame() {
  const lms = aroundUs();
  const name = page.dataset.frame;
  if (!lms || name === "_parent") return lms;
  try {
    return lms.frames[name] || lms;
  } catch {
    return lms;
  }
}

// Sends one message to the platform's storage until it answers, from exactly the platform's origin. The frame that holds
// the storage may load after this page, and hears nothing until then; keeping or reading twice is the same as once.
function ask(message) {
  const { origin } = page.dataset;
  if (!storageFrame()) return Promise.reject(new Error("no LMS around this page"));
  const id = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => done(reject, new Error("no answer")), TIMEOUT_MS);
    const repeated = setInterval(send, ASK_AGAIN_MS);
    function send() {
      storageFrame().postMessage({ ...message, message_id: id }, origin);
    }
    function hear(event) {
      const data = event.data;
      if (event.origin !== origin || typeof data !== "object" || data === null) return;
      if (data.message_id !== id || data.subject !== `${message.subject}.response`) return;
      if (data.error) done(reject, new Error("refused"));
      else done(resolve, data);
    }
    function done(settle, value) {
      clearTimeout(timer);
      clearInterval(repeated);
      window.removeEventListener("message", hear);
      settle(value);
    }
    window.addEventListener("message", hear);
    send();
  });
}
