// The plan of a room, drawn by thumb or with the arrow keys. What is sent are the boxes of the lists below it, which
// are there without this script too: the grid shows what they say, and a tap changes them.

const form = document.querySelector("[data-plan]");
const grid = form.querySelector("[data-plan-grid]");
const said = form.querySelector("[data-plan-said]");
const width = form.querySelector("#width");
const depth = form.querySelector("#depth");
let here = [0, 0];
let picked = null;

const say = (key, values = {}) => {
  said.textContent = Object.entries(values).reduce((text, [name, value]) => text.replace(`{${name}}`, value), form.dataset[key]);
};
const size = (box, most) => Math.min(Math.max(Math.trunc(Number(box.value)) || 1, 1), most);
const sizes = () => [size(width, Number(width.max)), size(depth, Number(depth.max))];
const nameOf = (x, y) => `${String.fromCharCode(65 + x)}${y + 1}`;
const wordOf = (what) => form.querySelector(`[name=tool][value="${what}"]`).dataset.word;

// A line of the lists: its two boxes, and what it says.
function lines() {
  const seats = [...form.querySelectorAll("[data-seat-line]")].map((row) => ({
    boxes: row.querySelectorAll("[name=seat-x], [name=seat-y]"),
    number: Number(row.querySelector("[name=seat-number]").value),
  }));
  const marks = [...form.querySelectorAll("[data-mark-line]")].map((row) => ({
    boxes: row.querySelectorAll("[name=mark-x], [name=mark-y]"),
    what: row.querySelector("select"),
  }));
  return [...seats, ...marks];
}

const isSeat = (line) => line.number !== undefined;
const isFree = (line) => [...line.boxes].every((box) => !box.value.trim());
const at = (line) => [...line.boxes].map((box) => Number(box.value) - 1);
const inWords = (line) => (isSeat(line) ? form.dataset.seat.replace("{number}", line.number) : wordOf(line.what.value));
const isShown = (line) => !isFree(line) && (isSeat(line) || line.what.value);
const lineAt = (x, y) => lines().find((line) => isShown(line) && at(line)[0] === x && at(line)[1] === y);

function put(line, x, y) {
  [line.boxes[0].value, line.boxes[1].value] = x === null ? ["", ""] : [x + 1, y + 1];
  if (x === null && !isSeat(line)) {
    line.what.value = "";
  }
}

function draw() {
  const [across, along] = sizes();
  here = [Math.min(here[0], across - 1), Math.min(here[1], along - 1)];
  const hadFocus = grid.contains(document.activeElement);
  grid.style.setProperty("--wide", across);
  grid.replaceChildren(
    ...Array.from({ length: along }, (_row, y) => {
      const row = document.createElement("div");
      row.setAttribute("role", "row");
      row.append(...Array.from({ length: across }, (_place, x) => cell(x, y)));
      return row;
    }),
  );
  if (hadFocus) {
    button(...here).focus();
  }
}

function cell(x, y) {
  const box = document.createElement("div");
  box.setAttribute("role", "gridcell");
  const place = document.createElement("button");
  const line = lineAt(x, y);
  place.type = "button";
  place.tabIndex = x === here[0] && y === here[1] ? 0 : -1;
  place.className = line ? (isSeat(line) ? "plan-seat" : "plan-mark") : "";
  if (line && isSeat(line)) {
    place.textContent = line.number;
  } else if (line) {
    place.textContent = inWords(line);
  }
  if (picked && line && picked.boxes[0] === line.boxes[0]) {
    place.classList.add("plan-picked");
  }
  place.setAttribute("aria-label", `${nameOf(x, y)}, ${line ? inWords(line) : form.dataset.free}`);
  place.addEventListener("click", () => tap(x, y));
  box.append(place);
  return box;
}

const button = (x, y) => grid.children[y].children[x].firstElementChild;

function tap(x, y) {
  const tool = form.querySelector("[name=tool]:checked").value;
  const line = lineAt(x, y);
  here = [x, y];
  if (tool === "move") {
    move(line, x, y);
  } else if (line && (tool === "away" || (isSeat(line) ? tool === "seat" : tool === line.what.value))) {
    put(line, null);
    say("gone", { place: nameOf(x, y) });
  } else if (line) {
    say("taken", { what: inWords(line) });
  } else if (tool !== "away") {
    add(tool, x, y);
  }
  draw();
  button(x, y).focus();
}

function move(line, x, y) {
  if (picked && !line) {
    put(picked, x, y);
    say("put", { place: nameOf(x, y), what: inWords(picked) });
    picked = null;
  } else if (line) {
    picked = picked && picked.boxes[0] === line.boxes[0] ? null : line;
    if (picked) {
      say("picked", { what: inWords(line) });
    } else {
      said.textContent = "";
    }
  } else {
    say("nothing");
  }
}

function add(tool, x, y) {
  const line = lines().find((each) => isSeat(each) === (tool === "seat") && isFree(each) && (isSeat(each) || !each.what.value || each.what.value === tool));
  if (!line) {
    say("full");
    return;
  }
  put(line, x, y);
  if (tool !== "seat") {
    line.what.value = tool;
  }
  say("put", { place: nameOf(x, y), what: inWords(line) });
}

grid.addEventListener("keydown", (event) => {
  const [across, along] = sizes();
  const [x, y] = here;
  const next = {
    ArrowLeft: [Math.max(x - 1, 0), y],
    ArrowRight: [Math.min(x + 1, across - 1), y],
    ArrowUp: [x, Math.max(y - 1, 0)],
    ArrowDown: [x, Math.min(y + 1, along - 1)],
    Home: [0, y],
    End: [across - 1, y],
  }[event.key];
  if (event.key === "Escape" && picked) {
    picked = null;
    said.textContent = "";
    draw();
  } else if (next && !event.ctrlKey && !event.altKey && !event.metaKey) {
    event.preventDefault();
    button(x, y).tabIndex = -1;
    here = next;
    button(...here).tabIndex = 0;
    button(...here).focus();
  }
});

form.querySelector("[data-plan-number]").addEventListener("click", () => {
  const seats = lines().filter(isSeat);
  const spots = seats.filter((line) => !isFree(line)).map(at).sort((one, other) => one[1] - other[1] || one[0] - other[0]);
  seats.forEach((line, index) => (index < spots.length ? put(line, ...spots[index]) : put(line, null)));
  picked = null;
  draw();
  say("numbered");
});

for (const tool of form.querySelectorAll("[name=tool]")) {
  tool.addEventListener("change", () => {
    picked = null;
    draw();
  });
}
form.querySelector("[data-plan-list]").addEventListener("input", draw);
form.querySelector("[data-plan-drawing]").hidden = false;
if (!document.querySelector(".status-error")) {
  form.querySelector("[data-plan-list]").open = false;
}
draw();
