// What an LMS page does for the tools it frames or opened: resize the frame, close a registration, and, where it is
// offered, keep small values (LTI Client Side postMessages, LTI Postmessage Storage, Dynamic Registration 1.0).
"use strict";

(() => {
  const frames = [...document.querySelectorAll("iframe[data-tool-origins]")];
  const storageHolder = document.querySelector("[data-storage-origins]");
  const storageOrigins = storageHolder ? storageHolder.dataset.storageOrigins.split(" ") : [];
  // Where another frame keeps the values, the page around the tool only says which one (Canvas).
  const storageFrame = (storageHolder && storageHolder.dataset.storageFrame) || "_parent";
  const storageIsHere = storageFrame === "_parent" || window.name === storageFrame;
  const valuesByOrigin = new Map();
  const offered = ["lti.capabilities", "lti.put_data", "lti.get_data", "lti.frameResize"];

  window.addEventListener("message", (event) => {
    const message = read(event.data);
    if (message === null || typeof message !== "object") return;
    if (message.subject === "lti.frameResize") resize(event, message);
    else if (message.subject === "org.imsglobal.lti.close") close(event);
    else if (["lti.capabilities", "lti.put_data", "lti.get_data"].includes(message.subject)) answer(event, message);
  });

  // Tools send an object or, for LMSs that only read text, the same as JSON.
  function read(data) {
    if (typeof data !== "string") return data;
    try {
      return JSON.parse(data);
    } catch {
      return null;
    }
  }

  function frameOf(event) {
    return frames.find((frame) => frame.contentWindow === event.source);
  }

  function resize(event, message) {
    const frame = frameOf(event);
    if (!frame || !frame.dataset.toolOrigins.split(" ").includes(event.origin)) return;
    const height = Number(message.height);
    if (Number.isFinite(height) && height > 0) frame.style.height = `${Math.min(Math.ceil(height), 20000)}px`;
  }

  function close(event) {
    const closing = frames.find((frame) => frame.dataset.closeTo);
    if (closing && closing.dataset.toolOrigins.split(" ").some((url) => new URL(url).origin === event.origin)) {
      window.location.assign(closing.dataset.closeTo);
    }
  }

  function answer(event, message) {
    // An LMS without storage stays silent, as one that never heard of it.
    if (storageOrigins.length === 0 || (!storageIsHere && message.subject !== "lti.capabilities")) return;
    const reply = { subject: `${message.subject}.response`, message_id: message.message_id };
    if (typeof message.message_id !== "string" || message.message_id === "") {
      reply.error = { code: "bad_request", message: "message_id is missing" };
    } else if (message.subject === "lti.capabilities") {
      reply.supported_messages = offered.map((subject) => ({
        subject,
        frame: subject === "lti.frameResize" ? "_parent" : storageFrame,
      }));
    } else if (!storageOrigins.includes(event.origin)) {
      reply.error = { code: "wrong_origin", message: `${event.origin} is not the origin of a tool of this page` };
    } else if (typeof message.key !== "string" || message.key === "") {
      reply.error = { code: "bad_request", message: "key is missing" };
    } else if (message.subject === "lti.put_data") {
      put(event.origin, message, reply);
    } else {
      reply.key = message.key;
      reply.value = valuesOf(event.origin).get(message.key) ?? null;
    }
    event.source.postMessage(reply, event.origin);
  }

  function put(origin, message, reply) {
    const values = valuesOf(origin);
    const value = message.value ?? null;
    if (value !== null && (typeof value !== "string" || value.length > 4096)) {
      reply.error = { code: "bad_request", message: "value must be a string of at most 4096 characters" };
      return;
    }
    if (value !== null && !values.has(message.key) && values.size >= 500) {
      reply.error = { code: "storage_exhaustion", message: "500 values are kept for a tool" };
      return;
    }
    if (value === null) values.delete(message.key);
    else values.set(message.key, value);
    reply.key = message.key;
    reply.value = value;
  }

  function valuesOf(origin) {
    if (!valuesByOrigin.has(origin)) valuesByOrigin.set(origin, new Map());
    return valuesByOrigin.get(origin);
  }
})();
