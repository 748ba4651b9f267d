"""Frames of a reflection: other headings under which a teacher may write it, as they choose (frames.yaml).

Pure values, like a protocol: a reflection is written in the protocol's own fields, or in those of a frame.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from lti_tool.protocols import reader
from lti_tool.protocols.reader import ProtocolError
from lti_tool.protocols.recipe import DEFAULT_MAX, REFLECTION, Field, Gate, Protocol, Stage, Words

OWN_LEARNING = "own_learning"
"""Key of the heading that every frame has, and that is required (R47). It is the protocol's own field of that key."""
ASKED = ("host", "coach", "observer", "group", "alone")
"""Whom a prompt under a heading can be for. A group's members, whoever leads it, are asked the same."""
_STANDS_IN = {"observer": "coach", "group": "alone", "keeper": "group", "member": "group"}
_FILE = Path(__file__).with_name("frames.yaml")


@dataclass(frozen=True, slots=True)
class Heading:
    """One heading of a frame, with a prompt for each role."""

    key: str
    """Of the field: `frame.heading`, or OWN_LEARNING. With its dot it can be the key of no field of a protocol."""
    label: Words
    ask: Mapping[str, Words]
    """One of ASKED → the prompt."""
    rows: int

    def ask_of(self, role: str) -> Words:
        """The prompt for a role of a cycle, or for `alone`."""
        while role not in self.ask:
            role = _STANDS_IN[role]
        return self.ask[role]


@dataclass(frozen=True, slots=True)
class Frame:
    """Headings to write a reflection under."""

    key: str
    title: Words
    summary: Words
    source: Words
    headings: tuple[Heading, ...]

    def fields(self, role: str) -> tuple[Field, ...]:
        """What is written in it by somebody in this role (or `alone`): everybody their own, seen by its author."""
        return tuple(
            Field(
                key=heading.key,
                label=heading.label,
                help=heading.ask_of(role),
                by="each",
                seen="author",
                opens=None,
                max_length=DEFAULT_MAX,
                rows=heading.rows,
                group="",
            )
            for heading in self.headings
        )


@cache
def frames() -> Mapping[str, Frame]:
    """The frames by key, in the order in which they are offered."""
    return load(_FILE)


def fits(protocol: Protocol) -> bool:
    """Whether the reflection of a protocol can be written in a frame; one that asks for something of its own cannot."""
    return OWN_LEARNING in {each.key for each in protocol.stages[-1].fields}


def written_in(protocol: Protocol, key: str, role: str) -> Protocol:
    """The protocol as somebody in this role (or `alone`) meets it who writes their reflection in the frame of that key.

    Empty, or not known here: in the protocol's own fields.
    """
    frame = frames().get(key)
    if frame is None or not fits(protocol):
        return protocol
    return _with(protocol, frame.fields(role), (Gate("text", OWN_LEARNING),))


def with_all(protocol: Protocol, role: str) -> Protocol:
    """The protocol with the headings of all frames beside its own fields: nothing written in one of them is lost."""
    if not fits(protocol):
        return protocol
    own = protocol.stages[-1]
    others = [field for frame in frames().values() for field in frame.fields(role) if field.key != OWN_LEARNING]
    return _with(protocol, (*own.fields, *others), own.gates)


def label_of(key: str) -> Words | None:
    """The heading of a field of a frame, or None: as it is called now."""
    return next(
        (each.label for frame in frames().values() for each in frame.headings if each.key == key != OWN_LEARNING), None
    )


def _with(protocol: Protocol, fields: tuple[Field, ...], gates: tuple[Gate, ...]) -> Protocol:
    *before, last = protocol.stages
    assert last.key == REFLECTION
    stage: Stage = replace(last, fields=fields, gates=gates)
    return replace(protocol, stages=(*before, stage))


# The file


def load(path: Path) -> Mapping[str, Frame]:
    """The frames in a YAML file; raises ProtocolError with file and line of each problem."""
    body, where, problems = reader.plain(reader.text_of(path), path.name)
    found = _Reader(where, problems).frames(body)
    if problems:
        raise ProtocolError("\n".join(problems))
    return found


class _Reader(reader.Reader):
    """Reads plain values, goes on after a problem, and so finds all of them in one run."""

    def frames(self, body: Any) -> Mapping[str, Frame]:
        values = self._mapping(body, (), required=("frames",), optional=("drafts",))
        for index, each in enumerate(self._list(values.get("drafts"), ("drafts",))):
            self._choice(each, ("drafts", index), ("en", "ga"))
        found = [
            self._frame(each, ("frames", i)) for i, each in enumerate(self._list(values.get("frames"), ("frames",)))
        ]
        self._once((frame.key, ("frames", i, "key")) for i, frame in enumerate(found))
        return {frame.key: frame for frame in found}

    def _frame(self, body: Any, place: tuple[str | int, ...]) -> Frame:
        values = self._mapping(body, place, required=("key", "title", "summary", "source", "headings"))
        key = self._key(values.get("key"), (*place, "key"))
        headings = tuple(
            self._heading(each, key, (*place, "headings", i))
            for i, each in enumerate(self._list(values.get("headings"), (*place, "headings")))
        )
        self._once((each.key, (*place, "headings", i, "key")) for i, each in enumerate(headings))
        if OWN_LEARNING not in {each.key for each in headings}:
            self._say((*place, "headings"), f"one's own learning is in every frame (R47). Add `key: {OWN_LEARNING}`.")
        return Frame(
            key,
            self._words(values.get("title"), (*place, "title")),
            self._words(values.get("summary"), (*place, "summary")),
            self._words(values.get("source"), (*place, "source")),
            headings,
        )

    def _heading(self, body: Any, frame: str, place: tuple[str | int, ...]) -> Heading:
        values = self._mapping(body, place, required=("key", "label", "ask"), optional=("rows",))
        key = self._key(values.get("key"), (*place, "key"))
        asked = self._mapping(
            values.get("ask"), (*place, "ask"), required=("host", "coach", "alone"), optional=("observer", "group")
        )
        found = f"{frame}.{key}"
        if len(found) > 40:
            self._say((*place, "key"), f"{found!r} is longer than 40 characters. Shorten one of the two keys.")
        return Heading(
            key if key == OWN_LEARNING else found,
            self._words(values.get("label"), (*place, "label")),
            {role: self._words(text, (*place, "ask", role)) for role, text in asked.items()},
            self._number(values.get("rows", 4), (*place, "rows"), 1, 40),
        )
