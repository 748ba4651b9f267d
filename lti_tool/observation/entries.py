"""Entries: one tap or line of an observation each. Pure values; a pupil is the number of a seat, and nothing else."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lti_tool.observation.instrument import CLASS, KINDS, TEACHER, Instrument, Seat
from lti_tool.observation.reading import Reader

MAX_MS = 6 * 3600 * 1000
"""From the start of a visit. A lesson is shorter; a device that was forgotten is not refused."""
MAX_NUMBER = 100_000
"""Of the entries of one device."""
COLUMNS = ("seen", "question", "mine")
"""seen: seen and heard. question: what the coach wants to ask. mine: what the coach takes to their own class (R47)."""
_DEVICE = re.compile(r"[A-Za-z0-9_-]{1,40}")
_BESIDE_SEATS = {("flow", "seat"): (TEACHER,), ("flow", "to_seat"): (TEACHER, CLASS), ("turns", "seat"): (TEACHER,)}
"""What can stand where a kind asks for a seat."""

Id = tuple[str, int]
"""Device and number: no two entries of a visit have the same."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One tap, or one line. What its instrument does not ask for is empty or None."""

    device: str
    number: int
    """From 1, counted by each device for itself."""
    at_ms: int
    """Thousandths of a second since the visit began, by a steady clock."""
    column: str = "seen"
    """One of COLUMNS. A line in another one than `seen` is a note, whatever the instrument."""
    code: str = ""
    row: str = ""
    seat: int | None = None
    """Its number, or TEACHER."""
    to_seat: int | None = None
    """Its number, TEACHER or CLASS."""
    x: float | None = None
    """Places from the left edge of the plan."""
    y: float | None = None
    """Places from the front."""
    text: str = ""
    undoes: int = 0
    """Number of the entry of the same device that this one takes back; it says nothing else."""
    undone: bool = False
    """Whether it was taken back, where that is known already."""

    @property
    def id(self) -> Id:
        return self.device, self.number

    def to_json(self) -> dict[str, Any]:
        """Plain values from which `read` makes the same entry, without what is empty."""
        found: dict[str, Any] = {"device": self.device, "number": self.number, "at_ms": self.at_ms}
        for key in ("code", "row", "text", "undoes", "undone"):
            if value := getattr(self, key):
                found[key] = value
        for key in ("seat", "to_seat", "x", "y"):
            if (value := getattr(self, key)) is not None:
                found[key] = value
        return found if self.column == "seen" else found | {"column": self.column}


def read(body: Any, instrument: Instrument) -> Entry:
    """The entry in plain values, as the instrument asks for it. Raises RefusedError, with all problems."""
    reader = _Reader()
    found = reader.entry(body, instrument)
    reader.done()
    return found


def standing(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """The entries that were not taken back, of all devices by their time; one that came twice is there once."""
    found: Mapping[Id, Entry] = {each.id: each for each in entries}
    away = {(each.device, each.undoes) for each in found.values() if each.undoes}
    return tuple(
        sorted(
            (each for each in found.values() if not each.undoes and not each.undone and each.id not in away),
            key=lambda each: (each.at_ms, each.device, each.number),
        )
    )


def _seats(instrument: Instrument) -> tuple[Seat, ...]:
    return instrument.plan.seats if instrument.plan else ()


class _Reader(Reader):
    def entry(self, body: Any, instrument: Instrument) -> Entry:
        kind = KINDS[instrument.kind]
        known = ("device", "number", "at_ms", "column", "undoes", "undone")
        says = ("code", "row", "seat", "to_seat", "x", "y", "text")
        values = self.mapping(body, (), known[:3], (*known[3:], *says))
        column = self.choice(values.get("column", "seen"), ("column",), COLUMNS)
        undoes = "undoes" in values
        needs, may = ((), ()) if undoes else (kind.needs, kind.may) if column == "seen" else (("text",), ())
        if instrument.kind == "turns" and column == "seen" and values.get("seat") != TEACHER and not undoes:
            needs = (*needs, "code")
        for key in needs:
            if key not in values:
                self.say((key,), "missing")
        for key in says:
            if key in values and key not in needs and key not in may:
                self.say((key,), "leave_out")
        return Entry(
            device=self._device(values.get("device")),
            number=self.whole(values.get("number"), ("number",), 1, MAX_NUMBER),
            at_ms=self.whole(values.get("at_ms"), ("at_ms",), 0, MAX_MS),
            column=column,
            undoes=self.whole(values["undoes"], ("undoes",), 1, MAX_NUMBER) if undoes else 0,
            undone=self._flag(values.get("undone", False)),
            **self._says({key: values[key] for key in (*needs, *may) if key in values}, instrument, needs),
        )

    def _says(self, values: dict[str, Any], instrument: Instrument, needs: tuple[str, ...]) -> dict[str, Any]:
        """What it says, beside who said when; only what its instrument asks for."""
        found: dict[str, Any] = {}
        for key, value in values.items():
            place = (key,)
            if key == "code":
                found[key] = self.choice(value, place, [each.key for each in instrument.codes])
            elif key == "row":
                found[key] = self.choice(value, place, [each.key for each in instrument.rows])
            elif key == "text":
                found[key] = self.text(value, place, empty=key not in needs)
            elif key in ("x", "y"):
                plan = instrument.plan
                found[key] = self.part(value, place, (plan.width if key == "x" else plan.depth) if plan else 0)
            else:
                found[key] = self._seat(value, key, instrument)
        if instrument.kind == "flow" and "seat" in found and found["seat"] == found.get("to_seat"):
            self.say(("to_seat",), "same_seat")
        return found

    def _seat(self, value: Any, key: str, instrument: Instrument) -> int:
        allowed = _BESIDE_SEATS.get((instrument.kind, key), ())
        # Where no plan is drawn, as in scripting, a seat is any number that one could have.
        seats = range(1, 100) if not KINDS[instrument.kind].plan else [each.number for each in _seats(instrument)]
        if type(value) is not int or value not in (*allowed, *seats):
            self.say((key,), "no_seat")
            return TEACHER
        return value

    def _device(self, value: Any) -> str:
        if not isinstance(value, str) or not _DEVICE.fullmatch(value):
            self.say(("device",), "no_device")
            return ""
        return value

    def _flag(self, value: Any) -> bool:
        if not isinstance(value, bool):
            self.say(("undone",), "no_flag")
            return False
        return value
