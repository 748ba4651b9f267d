// The room as a plan to tap: one button for each seat, or for each place. Arrow keys go from one to the next in their
// direction; Tab goes to the plan and out of it.

const STEPS = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };

export class Plan {
  /** `tapped(number, button)` for a seat; `tapped({x, y})`, in places to one decimal, where `everywhere` can be tapped. */
  constructor(visit, { everywhere = false, tapped }) {
    const { plan } = visit.instrument;
    this.visit = visit;
    this.tapped = tapped;
    this.everywhere = everywhere;
    this.items = [];
    this.root = make("div", { class: everywhere ? "plan plan-places" : "plan", role: "group", "aria-label": visit.say("plan") });
    this.rows = [...new Set(plan.seats.map((each) => each.y))].sort((a, b) => a - b);
    if (everywhere) this.#places(plan);
    else this.#seats(plan);
    this.#tracks(plan);
    this.root.addEventListener("keydown", (event) => this.#key(event));
    this.root.addEventListener("focusin", (event) => this.#rove(this.items.find((each) => each.button === event.target)));
    if (this.items.length) this.#rove(this.items[0]);
    this.box = make("div", { class: "plan-box" }, this.root);
    // A board says where the front is.
    const hasBoard = plan.marks.some((each) => each.what === "board" && each.y === 0);
    if (!hasBoard) this.box.prepend(make("p", { class: "plan-front" }, visit.say("front")));
  }

  /** What a seat shows under its number, and says after its name. */
  show(number, { sign = "", says = "", isPressed = false, isNext = false }) {
    const { button, name } = this.items.find((each) => each.number === number);
    button.querySelector("small").textContent = sign;
    button.setAttribute("aria-label", says ? `${name}: ${says}` : name);
    button.setAttribute("aria-pressed", String(isPressed));
    button.classList.toggle("is-next", isNext);
    if (isNext) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
  }

  #seats(plan) {
    for (const { what, x, y } of plan.marks) {
      const edge = x === 0 ? "start" : x === plan.width - 1 ? "end" : "";
      this.#put(make("span", { class: "plan-mark", "data-edge": edge }, this.visit.say(what)), x, y);
    }
    for (const seat of [...plan.seats].sort((a, b) => a.y - b.y || a.x - b.x)) {
      const name = this.visit.say("seatInRow", { number: seat.number, row: this.rows.indexOf(seat.y) + 1 });
      const button = make("button", { type: "button", class: "seat", "aria-label": name, "aria-pressed": "false" });
      button.append(String(seat.number), make("small"));
      button.addEventListener("click", () => this.tapped(seat.number, button));
      this.#put(button, seat.x, seat.y);
      this.items.push({ ...seat, name, button });
    }
  }

  #places(plan) {
    const there = new Map();
    for (const each of plan.marks) there.set(`${each.x} ${each.y}`, [this.visit.say(each.what), "place-mark"]);
    for (const each of plan.seats) there.set(`${each.x} ${each.y}`, [String(each.number), "place-seat"]);
    for (let y = 0; y < plan.depth; y++) {
      for (let x = 0; x < plan.width; x++) {
        const [text, kind] = there.get(`${x} ${y}`) ?? ["", ""];
        const said = kind === "place-seat" ? this.visit.say("seat", { number: text }) : text;
        const name = [placeName(x, y), said].filter(Boolean).join(", ");
        const button = make("button", { type: "button", class: `place ${kind}`, "aria-label": name }, text);
        button.addEventListener("click", (event) => this.tapped(spot(event, button, x, y)));
        this.#put(button, x, y);
        this.items.push({ x, y, name, button });
      }
    }
    this.dot = make("span", { class: "plan-dot", hidden: "" });
    this.root.append(this.dot);
  }

  /** Shows where the teacher is now. */
  point(x, y, plan) {
    this.dot.hidden = false;
    this.dot.style.left = `${(100 * x) / plan.width}%`;
    this.dot.style.top = `${(100 * y) / plan.depth}%`;
  }

  #put(part, x, y) {
    part.style.gridColumn = String(x + 1);
    part.style.gridRow = String(y + 1);
    this.root.append(part);
  }

  /** Aisles are narrow, so that seats are as large as the phone allows. */
  #tracks(plan) {
    const tracks = (length, track) => Array.from({ length }, (_none, i) => track(i)).join(" ");
    const columns = new Set(plan.seats.map((each) => each.x));
    const rows = new Set(plan.seats.map((each) => each.y));
    const marked = new Set(plan.marks.map((each) => each.y));
    const { style } = this.root;
    style.gridTemplateColumns = this.everywhere
      ? `repeat(${plan.width}, minmax(0, 1fr))`
      : tracks(plan.width, (i) => (columns.has(i) ? "minmax(2.1rem, 1fr)" : ".4rem"));
    style.gridTemplateRows = this.everywhere
      ? `repeat(${plan.depth}, 2.75rem)`
      : tracks(plan.depth, (i) => (rows.has(i) ? "2.875rem" : marked.has(i) ? "1.1rem" : ".4rem"));
    style.maxWidth = this.everywhere ? "" : `${columns.size * 5}rem`;
  }

  #rove(item) {
    if (!item) return;
    for (const each of this.items) each.button.tabIndex = each === item ? 0 : -1;
  }

  #key(event) {
    const step = STEPS[event.key];
    const here = this.items.find((each) => each.button === event.target);
    if (!step || !here || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    let best = null;
    for (const each of this.items) {
      const along = (each.x - here.x) * step[0] + (each.y - here.y) * step[1];
      if (along <= 0) continue;
      const aside = Math.abs((each.x - here.x) * step[1]) + Math.abs((each.y - here.y) * step[0]);
      const far = along + 3 * aside;
      if (!best || far < best.far) best = { each, far };
    }
    best?.each.button.focus();
  }
}

export function make(tag, attributes = {}, ...parts) {
  const made = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...parts);
  return made;
}

/** B3: a letter from left to right, a number from the front. */
export function placeName(x, y) {
  return `${String.fromCharCode(65 + Math.floor(x))}${Math.floor(y) + 1}`;
}

/** Where in a place a finger came down; the middle of it for a key. */
function spot(event, button, x, y) {
  const box = button.getBoundingClientRect();
  const part = (at, from, size) => (event.detail ? Math.min(0.9, Math.max(0, (at - from) / size)) : 0.5);
  const round = (value) => Math.round(10 * value) / 10;
  return { x: round(x + part(event.clientX, box.left, box.width)), y: round(y + part(event.clientY, box.top, box.height)) };
}
