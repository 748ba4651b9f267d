"""A rehearsal (R10): a lesson that never was, what its author noted in it, and where that and one's own notes differ.

Pure. Nothing of a rehearsal is ever kept, and there is no score in it: the author's is one way to note it, not the key.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from math import hypot
from pathlib import Path
from typing import Any

from lti_tool.observation.entries import Entry, standing
from lti_tool.observation.instrument import CLASS, TEACHER, Instrument, Mark, Plan, Seat
from lti_tool.observation.shipped import shipped
from lti_tool.protocols import reader
from lti_tool.protocols.recipe import Words

_FOLDER = Path(__file__).with_name("lessons")
OFFERED = (
    *("question_level", "tally", "wait_time", "verbal_flow", "participation_spread", "at_task_sweep"),
    *("class_traffic", "interval_codes", "selective_verbatim", "scripting"),
)
"""Instruments that can be rehearsed, in the order in which they are offered: the easiest first."""
_INTERVALS = {"at_task_sweep": 150, "interval_codes": 120}
"""Seconds from one round or stretch to the next; of rounds there are more than in a whole lesson."""
_MARKS = {"B_": "board", "K_": "desk", "D_": "door", "W_": "window", "S_": "screen"}
_AUTHOR = "author"
_NEAR = 1.6
"""Places between two points that are one place of the teacher."""
_WORDS_A_SECOND = 2.6


@dataclass(frozen=True, slots=True)
class Line:
    """Something that is said or seen, and what the author noted of it; see lessons/ice.yaml."""

    at_s: int
    lasts_s: int
    text: Words
    who: int | None = None
    """TEACHER, a seat, or None for what is seen."""
    to: int = CLASS
    q: str = ""
    how: str = ""
    does: str = ""
    tally: tuple[str, ...] = ()
    verbatim: str = ""
    go: tuple[float, float] | None = None
    on: tuple[str, ...] | None = None
    doing: tuple[tuple[str, int], ...] = ()
    """(code, seat)."""

    @property
    def end_s(self) -> int:
        return self.at_s + self.lasts_s


@dataclass(frozen=True, slots=True)
class Lesson:
    """A lesson as it goes on."""

    key: str
    level: str
    """primary or post_primary."""
    title: Words
    about: Words
    minutes: int
    plan: Plan
    lines: tuple[Line, ...]

    def instrument(self, base: str, language: str) -> Instrument:
        """The shipped instrument as this lesson is captured with it."""
        found = shipped()[base].begin(language)
        has_plan = base in ("at_task_sweep", "verbal_flow", "class_traffic", "participation_spread")
        return replace(found, plan=self.plan if has_plan else None, interval_s=_INTERVALS.get(base, found.interval_s))

    def noted(self, base: str, language: str, until_ms: int) -> tuple[Entry, ...]:
        """What the author noted with an instrument in the first so many ms."""
        found = [each for each in _NOTED[base](self, language) if each.at_ms <= until_ms]
        found.sort(key=lambda each: each.at_ms)
        return tuple(replace(each, device=_AUTHOR, number=number) for number, each in enumerate(found, 1))

    def line_at(self, at_ms: int) -> Line | None:
        """What was said or seen last at a moment."""
        return next((each for each in reversed(self.lines) if 1000 * each.at_s <= at_ms), None)


@dataclass(frozen=True, slots=True)
class Difference:
    """One moment at which the two noted something else, or only one of them something."""

    at_ms: int
    line: Line | None
    """What was said or seen last; None for a stretch of the lesson."""
    mine: tuple[Entry, ...]
    theirs: tuple[Entry, ...]


@cache
def lessons() -> Mapping[str, Lesson]:
    """The lessons of this package, primary first."""
    found = [_read(path) for path in sorted(_FOLDER.glob("*.yaml"))]
    return {each.key: each for each in sorted(found, key=lambda each: (each.level == "post_primary", each.key))}


def differences(
    lesson: Lesson, instrument: Instrument, mine: Iterable[Entry], theirs: Iterable[Entry]
) -> tuple[Difference, ...] | None:
    """Where the two differ, in the order of the lesson. None for a script, of which nobody writes the same."""
    if instrument.kind == "lines":
        return None
    seen = [each for each in standing(mine) if each.column == "seen"]
    known = list(standing(theirs))
    if instrument.kind == "intervals":
        return _by_stretch(instrument, seen, known)
    if instrument.kind == "sweep":
        # What counts is the last that was noted of a seat in a round.
        seen, known = (list({_seat_of_round(instrument, e): e for e in each}.values()) for each in (seen, known))
    alike, akin = _same(instrument)
    found = []
    for one, other in _pairs(seen, known, alike, akin):
        if one and other and alike(one, other):
            continue
        moment = other or one
        assert moment
        # Who taps does so a moment after it was said.
        heard = lesson.line_at(other.at_ms if other else max(0, moment.at_ms - 1500))
        if instrument.kind != "waits" or moment.code != "speech":
            found.append(Difference(moment.at_ms, heard, (one,) if one else (), (other,) if other else ()))
    return tuple(sorted(found, key=lambda each: each.at_ms))


# What the author noted, by what is said of the lines

_Noted = Callable[[Lesson, str], Iterable[Entry]]


def _at(seconds: float, **values: Any) -> Entry:
    return Entry(_AUTHOR, 1, round(1000 * seconds), **values)


def _speaking(lesson: Lesson) -> list[Line]:
    return [each for each in lesson.lines if each.who is not None]


def _waits(lesson: Lesson, _language: str) -> Iterable[Entry]:
    said = _speaking(lesson)
    for line, following in pairwise(said):
        if line.q or (line.who != TEACHER and line.does == "answers"):
            yield _at(line.end_s, code="question" if line.q else "answer")
            yield _at(max(following.at_s, line.end_s) + 0.3, code="speech")


def _path(lesson: Lesson, _language: str) -> Iterable[Entry]:
    return (_at(each.at_s, x=each.go[0], y=each.go[1]) for each in lesson.lines if each.go)


def _intervals(lesson: Lesson, _language: str) -> Iterable[Entry]:
    length = _INTERVALS["interval_codes"]
    changes = [each for each in lesson.lines if each.on is not None]
    ends = [*(each.at_s for each in changes[1:]), 60 * lesson.minutes]
    noted = set()
    for line, end in zip(changes, ends, strict=True):
        for stretch in range(line.at_s // length, (end - 1) // length + 1):
            for code in line.on or ():
                if (stretch, code) not in noted:
                    noted.add((stretch, code))
                    yield _at(max(line.at_s, stretch * length), code=code)


def _quotes(lesson: Lesson, language: str) -> Iterable[Entry]:
    for line in lesson.lines:
        for code in filter(None, ("question" if line.q else "", line.verbatim)):
            yield _at(line.end_s, code=code, text=line.text.into(language)[:300])


def _script(lesson: Lesson, language: str) -> Iterable[Entry]:
    for line in lesson.lines:
        code = "action" if line.who is None else "teacher" if line.who == TEACHER else "pupil"
        yield _at(line.at_s, code=code, text=line.text.into(language)[:300], seat=line.who or None)


_NOTED: Mapping[str, _Noted] = {
    "question_level": lambda lesson, _: (_at(each.end_s, code=each.q) for each in lesson.lines if each.q),
    "tally": lambda lesson, _: (_at(each.end_s, code=code) for each in lesson.lines for code in each.tally),
    "wait_time": _waits,
    "verbal_flow": lambda lesson, _: (
        _at(each.end_s, seat=each.who, to_seat=each.to, code=each.does) for each in _speaking(lesson)
    ),
    "participation_spread": lambda lesson, _: (
        _at(each.at_s, seat=each.who, code=each.how) for each in _speaking(lesson)
    ),
    "at_task_sweep": lambda lesson, _: (
        _at(each.at_s + index, seat=seat, code=code)
        for each in lesson.lines
        for index, (code, seat) in enumerate(each.doing)
    ),
    "class_traffic": _path,
    "interval_codes": _intervals,
    "selective_verbatim": _quotes,
    "scripting": _script,
}


# Where two differ

_Same = Callable[[Entry, Entry], bool]


def _same(instrument: Instrument) -> tuple[_Same, _Same]:
    """Whether two entries say the same, and whether they are about the same and say it otherwise."""

    def near(ms: int) -> _Same:
        return lambda one, other: abs(one.at_ms - other.at_ms) <= ms

    def says(*keys: str) -> _Same:
        return lambda one, other: all(getattr(one, key) == getattr(other, key) for key in keys)

    def both(one: _Same, other: _Same) -> _Same:
        return lambda a, b: one(a, b) and other(a, b)

    if instrument.kind == "sweep":
        about = lambda one, other: _seat_of_round(instrument, one) == _seat_of_round(instrument, other)  # noqa: E731
        return both(about, says("code")), about
    if instrument.kind == "path":
        return both(near(15_000), _is_near), near(10_000)
    if instrument.kind == "flow":
        return both(near(10_000), says("seat", "to_seat", "code")), both(near(6_000), says("seat"))
    if instrument.kind == "turns":
        return both(near(10_000), says("seat", "code")), both(near(6_000), says("seat"))
    if instrument.kind == "waits":
        return both(near(5_000), says("code")), lambda _one, _other: False
    return both(near(15_000), says("code")), near(8_000)


def _is_near(one: Entry, other: Entry) -> bool:
    return hypot((one.x or 0) - (other.x or 0), (one.y or 0) - (other.y or 0)) <= _NEAR


def _seat_of_round(instrument: Instrument, entry: Entry) -> tuple[int, int | None]:
    return entry.at_ms // (1000 * instrument.interval_s), entry.seat


def _pairs(mine: Sequence[Entry], theirs: Sequence[Entry], *ways: _Same) -> list[tuple[Entry | None, Entry | None]]:
    """Each entry in one pair: with the nearest that is the same by the first way, then by the next, else alone."""
    left, right = dict(enumerate(mine)), dict(enumerate(theirs))
    found: list[tuple[Entry | None, Entry | None]] = []
    for way in ways:
        near = sorted(
            (abs(one.at_ms - other.at_ms), i, j)
            for i, one in left.items()
            for j, other in right.items()
            if way(one, other)
        )
        for _gap, i, j in near:
            if i in left and j in right:
                found.append((left.pop(i), right.pop(j)))
    return [*found, *((each, None) for each in left.values()), *((None, each) for each in right.values())]


def _by_stretch(instrument: Instrument, mine: Sequence[Entry], theirs: Sequence[Entry]) -> tuple[Difference, ...]:
    length = 1000 * instrument.interval_s

    def stretches(entries: Sequence[Entry]) -> dict[int, dict[str, Entry]]:
        found: dict[int, dict[str, Entry]] = {}
        for each in entries:
            found.setdefault(each.at_ms // length, {})[each.code] = each
        return found

    one, other = stretches(mine), stretches(theirs)
    found = []
    for at in sorted({*one, *other}):
        here, there = one.get(at, {}), other.get(at, {})
        only = [tuple(a[key] for key in a if key not in b) for a, b in ((here, there), (there, here))]
        if only[0] or only[1]:
            found.append(Difference(at * length, None, only[0], only[1]))
    return tuple(found)


# Reading


def _read(path: Path) -> Lesson:
    body, _where, problems = reader.plain_file(path)
    assert not problems, problems
    return Lesson(
        key=body["key"],
        level=body["level"],
        title=Words(**body["title"]),
        about=Words(**body["about"]),
        minutes=body["minutes"],
        plan=_plan([row.split() for row in body["room"]]),
        lines=tuple(_line(each) for each in body["lines"]),
    )


def _plan(rows: Sequence[Sequence[str]]) -> Plan:
    spots = [(text, x, y) for y, row in enumerate(rows) for x, text in enumerate(row)]
    return Plan(
        width=len(rows[0]),
        depth=len(rows),
        seats=tuple(Seat(int(text), x, y) for text, x, y in spots if text.isdigit()),
        marks=tuple(Mark(_MARKS[text], x, y) for text, x, y in spots if text in _MARKS),
    )


def _line(body: Mapping[str, Any]) -> Line:
    minutes, seconds = re.split(":", body["at"])
    who = body.get("who")
    q = body.get("q", "")
    does = "" if who is None else "adds" if who == TEACHER else "answers"
    go = body.get("go")
    return Line(
        at_s=60 * int(minutes) + int(seconds),
        lasts_s=0 if who is None else body.get("s") or max(1, round(len(body["en"].split()) / _WORDS_A_SECOND)),
        text=Words(body["en"], body["ga"]),
        who=who,
        to=int(body.get("to", CLASS if who in (None, TEACHER) else TEACHER)),
        q=q,
        how=body.get("how", ""),
        does=body.get("does") or ("asks" if q else does),
        tally=tuple(body.get("tally", ())),
        verbatim=body.get("verbatim", ""),
        go=(float(go[0]), float(go[1])) if go else None,
        on=tuple(body["on"]) if "on" in body else None,
        doing=tuple((code, seat) for code, seats in body.get("doing", {}).items() for seat in seats),
    )
