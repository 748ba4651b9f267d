"""Instruments and entries for tests: one of each base as a pair could have made it, and random ones."""

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from lti_tool.observation.entries import COLUMNS, Entry
from lti_tool.observation.instrument import CLASS, KINDS, TEACHER, Instrument, Mark, Plan, Row, Seat
from lti_tool.observation.shipped import shipped

CLASSROOM = Plan(
    width=9,
    depth=8,
    seats=tuple(
        Seat(number + 1, (0, 1, 3, 4, 6, 7)[number % 6], 2 + number // 6 + (number // 12)) for number in range(24)
    ),
    marks=(Mark("board", 4, 0), Mark("desk", 2, 0), Mark("door", 8, 0), Mark("window", 0, 4)),
)
"""Four rows of three double tables, with an aisle in the middle."""


def made(base: str, language: str = "en", plan: Plan = CLASSROOM) -> Instrument:
    """The instrument as it ships, with all decided that the pair has to decide."""
    found = shipped()[base].begin(language)
    kind = KINDS[found.kind]
    return replace(
        found,
        plan=plan if kind.plan else None,
        options=kind.options,
        rows=tuple(Row(each.key, each.text, "Draws before calculating" if kind.expects else "") for each in found.rows),
    )


def says(instrument: Instrument, **values: Any) -> dict[str, Any]:
    """Values of one entry of `seen` that say all that the instrument asks for; `values` instead of the first choice."""
    seats = [each.number for each in instrument.plan.seats] if instrument.plan else [1]
    first: dict[str, Any] = {
        "code": instrument.codes[0].key if instrument.codes else "",
        "row": instrument.rows[0].key if instrument.rows else "",
        "seat": seats[0],
        "to_seat": TEACHER,
        "x": 0.5,
        "y": 0.5,
        "text": "Why is that so?",
    }
    needs = KINDS[instrument.kind].needs
    found = {key: value for key, value in first.items() if key in needs or key in values} | values
    if instrument.kind == "turns" and found["seat"] != TEACHER:
        found.setdefault("code", first["code"])
    return found


def texts() -> st.SearchStrategy[str]:
    return st.text("aéßЖ字 <>&\"'%{}", min_size=1, max_size=300).map(lambda text: " ".join(text.split()) or "?")


@st.composite
def entries_of(draw: st.DrawFn, instrument: Instrument, most: int = 30, last_ms: int = 4_000_000) -> list[Entry]:
    """Entries of two devices in the order in which they happen to come, some taken back, some notes."""
    seats = [each.number for each in instrument.plan.seats] if instrument.plan else list(range(1, 100))
    kind = KINDS[instrument.kind]
    found = []
    for number in range(1, draw(st.integers(0, most)) + 1):
        column = draw(st.sampled_from((*["seen"] * 8, *COLUMNS)))
        entry = Entry(
            draw(st.sampled_from(["phone", "tablet"])), number, draw(st.integers(0, last_ms)), column,
            undone=draw(st.integers(0, 9)) == 0,
        )  # fmt: skip
        if column != "seen":
            found.append(replace(entry, text=draw(texts())))
            continue
        wanted = (*kind.needs, *(key for key in kind.may if draw(st.booleans())))
        seat = draw(st.sampled_from([*seats, *([TEACHER] if instrument.kind in ("flow", "turns") else [])]))
        entry = replace(
            entry,
            seat=seat if "seat" in wanted else None,
            to_seat=draw(st.sampled_from([each for each in (*seats, TEACHER, CLASS) if each != seat]))
            if "to_seat" in wanted
            else None,
            code=draw(st.sampled_from([each.key for each in instrument.codes]))
            if ("code" in wanted and instrument.codes) or (instrument.kind == "turns" and seat != TEACHER)
            else "",
            row=draw(st.sampled_from([each.key for each in instrument.rows])) if "row" in wanted else "",
            text=draw(texts()) if "text" in wanted else "",
        )
        if "x" in wanted and instrument.plan:
            entry = replace(
                entry,
                x=draw(st.integers(0, 10 * instrument.plan.width)) / 10,
                y=draw(st.integers(0, 10 * instrument.plan.depth)) / 10,
            )
        found.append(entry)
    return draw(st.permutations(found))
