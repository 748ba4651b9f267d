// The week of periods: a button over or beside it changes a whole day or period at once, or makes all days like the
// first. A tap on one period needs no script, and without this one the buttons send the form and bring it back changed.

const week = document.querySelector("[data-week]");
const mixed = week.dataset.week || "teach";

function inputs(cell) {
  return [...cell.querySelectorAll("input")];
}

function chosen(cell) {
  return cell.querySelector(":checked").value;
}

function choose(cell, state) {
  cell.querySelector(`[value="${state}"]`).checked = true;
}

function partOf(kind, number) {
  if (kind === "period") {
    return [...week.tBodies[0].rows[number].querySelectorAll("[role=radiogroup]")];
  }
  return [...week.querySelectorAll("[role=radiogroup]")].filter(
    (cell) => kind !== "day" || inputs(cell)[0].name.slice(3).split("-")[0] === number,
  );
}

function likeFirstDay() {
  for (const row of week.tBodies[0].rows) {
    const cells = [...row.cells].slice(1).map((each) => each.querySelector("[role=radiogroup]"));
    for (const cell of cells) {
      if (cell && cells[0]) {
        choose(cell, chosen(cells[0]));
      }
    }
  }
}

function fill(what) {
  const [kind, which] = what.split(" ").slice(1);
  if (kind === "same") {
    likeFirstDay();
    return;
  }
  const cells = partOf(kind, which);
  const states = inputs(cells[0]).map((each) => each.value);
  const found = new Set(cells.map(chosen));
  let next = kind === "none" ? "" : kind === "all" ? which : mixed;
  if ((kind === "day" || kind === "period") && found.size === 1) {
    next = states[(states.indexOf([...found][0]) + 1) % states.length];
  }
  for (const cell of cells) {
    choose(cell, next);
  }
}

for (const button of document.querySelectorAll("[data-fill]")) {
  button.type = "button";
  button.addEventListener("click", () => fill(button.value));
}
