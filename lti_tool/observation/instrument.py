"""An instrument: what is noted in a lesson, as a pair built it. Pure values, and nothing in them rates a teacher."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lti_tool.observation.reading import MAX_LABEL, MAX_NAME, MAX_TEXT, Place, Reader
from lti_tool.observation.said import Said

MOST_SEATS = 40
MOST_CODES = 8
MOST_CODES_OF_INTERVALS = 12
MOST_ROWS = 20
MOST_MARKS = 20
MOST_WIDE, MOST_DEEP = 12, 16
"""Of a plan, in places: a place is as large as a table, and on a phone as a fingertip."""
TEACHER = 0
"""Stands where a seat is asked for: the teacher, wherever they are."""
CLASS = -1
"""Stands where a seat is asked for: everybody."""
MARKS = ("board", "desk", "door", "window", "screen")
"""What a plan can show beside seats; `desk` is the teacher's."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What an entry of an instrument consists of, and what the pair can set."""

    needs: tuple[str, ...]
    """What each entry says."""
    may: tuple[str, ...] = ()
    """What it can say besides."""
    codes: tuple[int, int] = (1, MOST_CODES)
    """The least and the most."""
    fixed: tuple[str, ...] = ()
    """Keys that its codes have: the tool knows what they mean. Empty: any."""
    always: tuple[str, ...] = ()
    """Those of `fixed` that are always there."""
    keeps_words: bool = False
    """Whether its codes stay as they ship: their words would be levels, or points, before long (R13)."""
    rows: tuple[int, int] = (0, 0)
    expects: bool = False
    """Whether a row says beforehand what is expected of it."""
    interval_s: tuple[int, int] = (0, 0)
    """The shortest and the longest, in seconds."""
    plan: str = ""
    """What has to be drawn: seats, room (seats if one likes), or nothing."""
    options: tuple[str, ...] = ()
    """All of them have to be said before it is used."""


KINDS: Mapping[str, Kind] = {
    "lines": Kind(("code", "text"), ("seat",)),
    "quotes": Kind(("code",), ("text", "seat")),
    "questions": Kind(("code",), ("text",)),
    "waits": Kind(("code",), codes=(2, 3), fixed=("question", "answer", "speech"), always=("speech",)),
    "sweep": Kind(("seat", "code"), codes=(2, MOST_CODES), interval_s=(60, 1800), plan="seats"),
    # Each type has a plan of its own, so that it can be read on a phone.
    "flow": Kind(("seat", "to_seat", "code"), codes=(1, 4), plan="seats"),
    "path": Kind(("x", "y"), codes=(0, 0), plan="room"),
    "tally": Kind(("code",)),
    "intervals": Kind(("code",), codes=(2, MOST_CODES_OF_INTERVALS), interval_s=(30, 600)),
    # Who has the floor. The teacher's turn, or nobody's, needs no code: nobody invited it.
    "turns": Kind(("seat",), ("code",), plan="seats"),
    "predicted": Kind(("row", "text"), codes=(0, 0), rows=(1, 5), expects=True),
    "cards": Kind(("text",), codes=(0, 0)),
    "voices": Kind(("row", "text"), ("code",), codes=(0, MOST_CODES), rows=(1, 3), options=("agreed",)),
    "checklist": Kind(
        ("row", "code"),
        ("text",),
        codes=(3, 3),
        fixed=("seen", "not_seen", "not_apply"),
        keeps_words=True,
        rows=(1, MOST_ROWS),
    ),
}
"""Kind → what it is."""


@dataclass(frozen=True, slots=True)
class Code:
    """What can be tapped. In pictures it is the letter of its place: the first is A."""

    key: str
    text: str


@dataclass(frozen=True, slots=True)
class Row:
    """A line that was written before the lesson: a question, a thing to look for, the alias of a pupil."""

    key: str
    text: str
    expected: str = ""


@dataclass(frozen=True, slots=True)
class Seat:
    """A seat of a plan. A pupil is this number and nothing else."""

    number: int
    x: int
    y: int


@dataclass(frozen=True, slots=True)
class Mark:
    """Something else of a room, on one place of a plan."""

    what: str
    """One of MARKS."""
    x: int
    y: int


@dataclass(frozen=True, slots=True)
class Plan:
    """A room from above, in places of one table each. The front is at y = 0, x goes from left to right."""

    width: int
    depth: int
    seats: tuple[Seat, ...] = ()
    marks: tuple[Mark, ...] = ()

    def seat(self, number: int) -> Seat | None:
        return next((each for each in self.seats if each.number == number), None)

    def place(self, x: float, y: float) -> str:
        """The name of a place: a letter from left to right, and a number from the front: B3."""
        return f"{chr(ord('A') + min(int(x), self.width - 1))}{min(int(y), self.depth - 1) + 1}"


@dataclass(frozen=True, slots=True)
class Instrument:
    """What is noted, and how."""

    base: str
    """Key of the one that it began from."""
    kind: str
    """One of KINDS."""
    name: str
    codes: tuple[Code, ...] = ()
    rows: tuple[Row, ...] = ()
    interval_s: int = 0
    plan: Plan | None = None
    options: tuple[str, ...] = field(default=())

    def code(self, key: str) -> Code | None:
        return next((each for each in self.codes if each.key == key), None)

    def row(self, key: str) -> Row | None:
        return next((each for each in self.rows if each.key == key), None)

    def to_json(self) -> dict[str, Any]:
        """Plain values from which `read` makes the same instrument."""
        return {
            "base": self.base,
            "kind": self.kind,
            "name": self.name,
            "codes": [{"key": each.key, "text": each.text} for each in self.codes],
            "rows": [{"key": each.key, "text": each.text, "expected": each.expected} for each in self.rows],
            "interval_s": self.interval_s,
            "plan": None if self.plan is None else _plan_to_json(self.plan),
            "options": list(self.options),
        }


def read(body: Any) -> Instrument:
    """The instrument in plain values, such as those of `to_json`. It may be unfinished: see `undecided`.

    Raises RefusedError, with all problems.
    """
    reader = _Reader()
    found = reader.instrument(body)
    reader.done()
    return found


def letters(lines: Sequence[Code | Row]) -> dict[str, str]:
    """Key → the letter of its place: what stands for a code, or for a row, where there is no room for its text."""
    return {each.key: chr(ord("A") + index) for index, each in enumerate(lines)}


def undecided(instrument: Instrument) -> tuple[Said, ...]:
    """What the pair has still to decide before the instrument can be used in a lesson."""
    kind = KINDS[instrument.kind]
    found = []
    if len(instrument.codes) < kind.codes[0]:
        found.append(Said("decide_codes", {"count": kind.codes[0]}))
    if len(instrument.rows) < kind.rows[0]:
        found.append(Said("decide_rows", {"count": kind.rows[0]}))
    if kind.expects and any(not each.expected for each in instrument.rows):
        found.append(Said("decide_expected"))
    if kind.plan == "room" and instrument.plan is None:
        found.append(Said("decide_room"))
    if kind.plan == "seats" and (instrument.plan is None or not instrument.plan.seats):
        found.append(Said("decide_seats"))
    found += [Said(f"decide_{option}") for option in kind.options if option not in instrument.options]
    return tuple(found)


def _plan_to_json(plan: Plan) -> dict[str, Any]:
    return {
        "width": plan.width,
        "depth": plan.depth,
        "seats": [{"number": each.number, "x": each.x, "y": each.y} for each in plan.seats],
        "marks": [{"what": each.what, "x": each.x, "y": each.y} for each in plan.marks],
    }


class _Reader(Reader):
    def instrument(self, body: Any) -> Instrument:
        values = self.mapping(body, (), ("base", "kind", "name"), ("codes", "rows", "interval_s", "plan", "options"))
        key = self.choice(values.get("kind"), ("kind",), KINDS)
        kind = KINDS[key]
        return Instrument(
            base=self.key(values.get("base"), ("base",)),
            kind=key,
            name=self.text(values.get("name"), ("name",), MAX_NAME),
            codes=self._codes(values.get("codes", []), kind),
            rows=self._rows(values.get("rows", []), kind),
            interval_s=self._interval(values.get("interval_s", 0), kind),
            plan=self._plan(values.get("plan"), kind),
            options=tuple(
                self.choice(each, ("options", i), kind.options)
                for i, each in enumerate(self.items(values.get("options", []), ("options",), len(kind.options)))
            ),
        )

    def _codes(self, body: Any, kind: Kind) -> tuple[Code, ...]:
        found = []
        for i, each in enumerate(self.items(body, ("codes",), kind.codes[1])):
            place: Place = ("codes", i)
            values = self.mapping(each, place, ("key", "text"))
            key = self.key(values.get("key"), (*place, "key"))
            if kind.fixed:
                self.choice(key, (*place, "key"), kind.fixed)
            text = self.text(values.get("text"), (*place, "text"), MAX_LABEL)
            if text and not any(sign.isalpha() for sign in text):
                self.say((*place, "text"), "no_words")
            found.append(Code(key, text))
        self.once(((each.key, ("codes", i, "key")) for i, each in enumerate(found)), "twice")
        self.once(((each.text.casefold(), ("codes", i, "text")) for i, each in enumerate(found) if each.text), "twice")
        for key in kind.always:
            if found and key not in [each.key for each in found]:
                self.say(("codes",), "code_needed", code=key)
        return tuple(found)

    def _rows(self, body: Any, kind: Kind) -> tuple[Row, ...]:
        found = []
        for i, each in enumerate(self.items(body, ("rows",), kind.rows[1])):
            place: Place = ("rows", i)
            values = self.mapping(each, place, ("key", "text"), ("expected",))
            expected = self.text(values.get("expected", ""), (*place, "expected"), MAX_TEXT, empty=True)
            if expected and not kind.expects:
                self.say((*place, "expected"), "leave_out")
            found.append(
                Row(
                    self.key(values.get("key"), (*place, "key")),
                    self.text(values.get("text"), (*place, "text")),
                    expected,
                )
            )
        self.once(((each.key, ("rows", i, "key")) for i, each in enumerate(found)), "twice")
        return tuple(found)

    def _interval(self, value: Any, kind: Kind) -> int:
        least, most = kind.interval_s
        return self.whole(value, ("interval_s",), least, most)

    def _plan(self, body: Any, kind: Kind) -> Plan | None:
        if body is None:
            return None
        if not kind.plan:
            self.say(("plan",), "leave_out")
            return None
        values = self.mapping(body, ("plan",), ("width", "depth"), ("seats", "marks"))
        width = self.whole(values.get("width"), ("plan", "width"), 1, MOST_WIDE)
        depth = self.whole(values.get("depth"), ("plan", "depth"), 1, MOST_DEEP)
        seats = []
        for i, each in enumerate(self.items(values.get("seats", []), ("plan", "seats"), MOST_SEATS)):
            place: Place = ("plan", "seats", i)
            found = self.mapping(each, place, ("number", "x", "y"))
            number = self.whole(found.get("number"), (*place, "number"), 1, 99)
            seats.append(Seat(number, *self._spot(found, place, width, depth)))
        marks = []
        for i, each in enumerate(self.items(values.get("marks", []), ("plan", "marks"), MOST_MARKS)):
            place = ("plan", "marks", i)
            found = self.mapping(each, place, ("what", "x", "y"))
            what = self.choice(found.get("what"), (*place, "what"), MARKS)
            marks.append(Mark(what, *self._spot(found, place, width, depth)))
        self.once(((each.number, ("plan", "seats", i, "number")) for i, each in enumerate(seats)), "twice")
        spots: list[tuple[tuple[int, int], Place]] = [
            *(((each.x, each.y), ("plan", "seats", i)) for i, each in enumerate(seats)),
            *(((each.x, each.y), ("plan", "marks", i)) for i, each in enumerate(marks)),
        ]
        self.once(spots, "place_taken")
        return Plan(width, depth, tuple(seats), tuple(marks))

    def _spot(self, values: dict[str, Any], place: Place, width: int, depth: int) -> tuple[int, int]:
        return (
            self.whole(values.get("x"), (*place, "x"), 0, width - 1),
            self.whole(values.get("y"), (*place, "y"), 0, depth - 1),
        )
