// The week of periods: a button over or beside it changes a whole day or period at once. A tap on one period needs no
// script, and without this one the buttons send the form and bring it back changed.

const STATES = ["", "teach", "free"];
const week = document.querySelector("[data-week]");

function fill(what) {
  const [kind, number] = what.split(" ").slice(1);
  const place = kind === "day" ? 0 : 1;
  const cells = [...week.querySelectorAll("[role=radiogroup]")].filter(
    (cell) => number === undefined || cell.querySelector("input").name.slice(3).split("-")[place] === number,
  );
  const found = new Set(cells.map((cell) => cell.querySelector(":checked").value));
  let next = kind === "none" ? "" : "teach";
  if (number !== undefined && found.size === 1) {
    next = STATES[(STATES.indexOf([...found][0]) + 1) % STATES.length];
  }
  for (const cell of cells) {
    cell.querySelector(`[value="${next}"]`).checked = true;
  }
}

for (const button of document.querySelectorAll("[data-fill]")) {
  button.type = "button";
  button.addEventListener("click", () => fill(button.value));
}
