"""The forms of an instrument and of its plan: what is in their boxes, and what comes of it.

A form keeps what was typed as it was typed, so that a page that is shown again loses nothing. Places on a plan are
counted from 1 in a form, as people count.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from lti_tool.cycles.rules import clean
from lti_tool.cycles.words import language
from lti_tool.observation import build_words, words
from lti_tool.observation.instrument import (
    KINDS,
    MARKS,
    MOST_DEEP,
    MOST_MARKS,
    MOST_SEATS,
    MOST_WIDE,
    Instrument,
    Plan,
    letters,
)
from lti_tool.observation.said import RefusedError
from lti_tool.observation.shipped import shipped

BLANKS = 2
"""Empty lines that are offered for more."""
MARK_LINES = 12
_INTERVALS = (30, 60, 120, 180, 240, 300, 360, 480, 600, 900, 1200, 1800)
_MOST_LINES = 60
_MOST_TYPED = 2000

Errors = list[tuple[str, str]]
"""(Id of a box, what is to be done about it)."""


@dataclass(slots=True)
class Draft:
    """The boxes of an instrument."""

    name: str
    codes: list[tuple[str, str]]
    """(Key, text); a key that is empty gets one when it is saved."""
    rows: list[tuple[str, str, str]]
    """(Key, text, what is expected)."""
    interval_s: str
    options: list[str]
    errors: Errors = field(default_factory=list)

    @classmethod
    def of(cls, made: Instrument) -> "Draft":
        return cls(
            made.name,
            [(each.key, each.text) for each in made.codes],
            [(each.key, each.text, each.expected) for each in made.rows],
            str(made.interval_s),
            list(made.options),
        )

    @classmethod
    def typed(cls, form: "MultiDict[str, str]") -> "Draft":
        lines = [_line(form, part) for part in ("code-key", "code-text", "row-key", "row-text", "row-expected")]
        code_keys, code_texts, row_keys, row_texts, expected = lines
        expected += [""] * (len(row_texts) - len(expected))
        return cls(
            _text(form.get("name", "")),
            list(zip(code_keys, code_texts, strict=False)),
            list(zip(row_keys, row_texts, expected, strict=False)),
            _text(form.get("interval", "0")),
            form.getlist("option"),
        )

    def with_blanks(self, made: Instrument) -> "Draft":
        """With empty lines for more, and for those whose meaning is fixed with all that can be there."""
        kind = KINDS[made.kind]
        there = {key for key, _text in self.codes}
        if kind.fixed:
            self.codes += [(key, "") for key in kind.fixed if key not in there]
            self.codes.sort(key=lambda each: kind.fixed.index(each[0]) if each[0] in kind.fixed else 99)
        else:
            self.codes += [("", "")] * min(BLANKS, max(kind.codes[1] - len(self.codes), 0))
        self.rows += [("", "", "")] * min(BLANKS, max(kind.rows[1] - len(self.rows), 0))
        return self

    def parts(self, made: Instrument) -> dict[str, Any]:
        """Plain values as instrument.read takes them, of what this kind asks for; what is empty is left out."""
        kind = KINDS[made.kind]
        found: dict[str, Any] = {"name": self.name}
        if kind.codes[1] and not kind.keeps_words:
            keys = _keys([key for key, text in self.codes if text], "c")
            texts = [text for _key, text in self.codes if text]
            found["codes"] = [{"key": key, "text": text} for key, text in zip(keys, texts, strict=True)]
        if kind.rows[1]:
            lines = [each for each in self.rows if each[1] or each[2]]
            keys = _keys([key for key, _text, _expected in lines], "r")
            found["rows"] = [
                {"key": key, "text": text, "expected": expected}
                for key, (_key, text, expected) in zip(keys, lines, strict=True)
            ]
        if kind.interval_s[1]:
            found["interval_s"] = _whole(self.interval_s)
        if kind.options:
            found["options"] = [each for each in kind.options if each in self.options]
        return found

    def refuse(self, error: RefusedError) -> "Draft":
        """With what is wrong, at the boxes where it is."""
        codes = [i for i, each in enumerate(self.codes) if each[1]]
        rows = [i for i, each in enumerate(self.rows) if each[1] or each[2]]
        for problem in error.problems:
            what, *rest = problem.place or ("",)
            said, target = words.problem(problem), ""
            index = rest[0] if rest and isinstance(rest[0], int) else None
            if what == "name":
                target, said = "name", _("Name: %(what)s", what=said)
            elif what == "codes" and index is not None and index < len(codes):
                target = f"code-{codes[index]}"
                said = _("Code %(number)s: %(what)s", number=codes[index] + 1, what=said)
            elif what == "rows" and index is not None and index < len(rows):
                target = f"{'expected' if rest[-1] == 'expected' else 'row'}-{rows[index]}"
                said = _("Line %(number)s: %(what)s", number=rows[index] + 1, what=said)
            elif what == "codes":
                target, said = "codes", _("Codes: %(what)s", what=said)
            self.errors.append((target, said))
        return self


@dataclass(slots=True)
class PlanDraft:
    """The boxes of a plan: numbers as they were typed."""

    width: str
    depth: str
    seats: list[tuple[int, str, str]]
    """(Number, from the left, from the front); empty where there is no such seat."""
    marks: list[tuple[str, str, str]]
    """(What, from the left, from the front)."""
    errors: Errors = field(default_factory=list)

    @classmethod
    def of(cls, plan: Plan) -> "PlanDraft":
        at = {each.number: (str(each.x + 1), str(each.y + 1)) for each in plan.seats}
        numbers = sorted({*range(1, MOST_SEATS + 1), *at})
        marks = [(each.what, str(each.x + 1), str(each.y + 1)) for each in plan.marks]
        return cls(
            str(plan.width),
            str(plan.depth),
            [(number, *at.get(number, ("", ""))) for number in numbers],
            marks + [("", "", "")] * min(max(MARK_LINES - len(marks), BLANKS), MOST_MARKS - len(marks)),
        )

    @classmethod
    def typed(cls, form: "MultiDict[str, str]") -> "PlanDraft":
        numbers, xs, ys = (_line(form, f"seat-{part}", 99) for part in ("number", "x", "y"))
        whats, mark_xs, mark_ys = (_line(form, f"mark-{part}") for part in ("what", "x", "y"))
        return cls(
            _text(form.get("width", "")),
            _text(form.get("depth", "")),
            [
                (int(number), x, y)
                for number, x, y in zip(numbers, xs, ys, strict=False)
                if isinstance(_whole(number), int)
            ],
            [(what if what in MARKS else "", x, y) for what, x, y in zip(whats, mark_xs, mark_ys, strict=False)],
        )

    def plain(self) -> dict[str, Any] | None:
        """Plain values of the plan; None, with `errors`, where numbers are missing or outside of it."""
        width = self._number(self.width, MOST_WIDE, "width", _("Places from left to right"))
        depth = self._number(self.depth, MOST_DEEP, "depth", _("Places from front to back"))
        if self.errors:
            return None
        seats = []
        for number, x, y in self.seats:
            if x or y:
                at = self._spot(x, y, width, depth, f"seat-{number}", _("Seat %(number)s", number=number))
                seats.append({"number": number, **at})
        marks = []
        for i, (what, x, y) in enumerate(self.marks):
            if what:
                marks.append({"what": what, **self._spot(x, y, width, depth, f"mark-{i}", words.SENTENCES[what]({}))})
        return None if self.errors else {"width": width, "depth": depth, "seats": seats, "marks": marks}

    def refuse(self, error: RefusedError) -> "PlanDraft":
        """With what is wrong, at the boxes where it is."""
        seats = [number for number, x, y in self.seats if x or y]
        marks = [i for i, (what, _x, _y) in enumerate(self.marks) if what]
        for problem in error.problems:
            said, target, rest = words.problem(problem), "", problem.place[1:]
            if len(rest) > 1 and isinstance(rest[1], int):
                if rest[0] == "seats" and rest[1] < len(seats):
                    number = seats[rest[1]]
                    target, said = f"seat-{number}", _("Seat %(number)s: %(what)s", number=number, what=said)
                elif rest[0] == "marks" and rest[1] < len(marks):
                    target = f"mark-{marks[rest[1]]}"
            self.errors.append((target, said))
        return self

    def _number(self, typed: str, most: int, target: str, label: str) -> int:
        found = _whole(typed)
        if isinstance(found, int) and 1 <= found <= most:
            return found
        self.errors.append((target, _("%(label)s: give a number from 1 to %(most)s.", label=label, most=most)))
        return 1

    def _spot(self, x: str, y: str, width: int, depth: int, target: str, label: str) -> dict[str, int]:
        across, along = _whole(x), _whole(y)
        if isinstance(across, int) and isinstance(along, int) and 1 <= across <= width and 1 <= along <= depth:
            return {"x": across - 1, "y": along - 1}
        self.errors.append(
            (
                target,
                _(
                    "%(label)s: give a number from 1 to %(width)s from the left, and one from 1 to %(depth)s "
                    "from the front.",
                    label=label,
                    width=width,
                    depth=depth,
                ),
            )
        )
        return {"x": 0, "y": 0}


def code_label(made: Instrument, index: int, key: str) -> str:
    """What stands beside the box of a code: its letter, and where its meaning is fixed what it is for."""
    base = shipped().get(made.base)
    line = next((each for each in base.codes if each.key == key), None) if base else None
    if KINDS[made.kind].fixed and line:
        return _("Button for: %(what)s", what=line.text.into(language()))
    return _("Code %(letter)s", letter=letters(made.codes).get(key) or chr(ord("A") + index))


def intervals(made: Instrument, chosen: str) -> list[tuple[str, str, bool]]:
    """(Seconds, in words, whether it is chosen)."""
    least, most = KINDS[made.kind].interval_s
    offered = sorted({*(each for each in _INTERVALS if least <= each <= most), made.interval_s} - {0})
    return [(str(each), build_words.lasting(each), str(each) == chosen) for each in offered] if most else []


def _keys(keys: Sequence[str], first: str) -> list[str]:
    """Keys as they are, and new ones where there are none."""
    found, taken, number = [], set(keys), 0
    for key in keys:
        while not key:
            number += 1
            key = f"{first}{number}" if f"{first}{number}" not in taken else ""
        found.append(key)
        taken.add(key)
    return found


def _line(form: "MultiDict[str, str]", part: str, most: int = _MOST_LINES) -> list[str]:
    return [_text(each) for each in form.getlist(part)[:most]]


def _text(typed: str) -> str:
    return clean(typed[:_MOST_TYPED]).strip()


def _whole(typed: str) -> int | str:
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) <= 5 else typed
