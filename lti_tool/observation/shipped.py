"""The instruments that ship, from which a pair begins (instruments.yaml, domain 2.3). Pure values."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from lti_tool.observation import instrument
from lti_tool.observation.instrument import KINDS, Code, Instrument, Row
from lti_tool.observation.reading import MAX_LABEL, MAX_NAME, MAX_TEXT
from lti_tool.observation.said import RefusedError
from lti_tool.protocols import reader
from lti_tool.protocols.reader import ProtocolError
from lti_tool.protocols.recipe import Words

_FILE = Path(__file__).with_name("instruments.yaml")


@dataclass(frozen=True, slots=True)
class Line:
    """A code or a row to begin with."""

    key: str
    text: Words


@dataclass(frozen=True, slots=True)
class Base:
    """An instrument to begin from."""

    key: str
    kind: str
    title: Words
    captures: Words
    """What is noted with it."""
    picture: Words
    """What is seen of it afterwards."""
    decide_first: Words
    """What the two decide before the lesson."""
    limits: Words
    """What it cannot tell."""
    optional: bool
    """Whether it is offered only where the two ask for it."""
    codes: tuple[Line, ...]
    rows: tuple[Line, ...]
    interval_s: int

    def begin(self, language: str) -> Instrument:
        """An instrument of this kind, in the language of who begins it, for the pair to change."""
        return Instrument(
            base=self.key,
            kind=self.kind,
            name=self.title.into(language),
            codes=tuple(Code(each.key, each.text.into(language)) for each in self.codes),
            rows=tuple(Row(each.key, each.text.into(language)) for each in self.rows),
            interval_s=self.interval_s,
        )


@cache
def shipped() -> Mapping[str, Base]:
    """The instruments of this package by key, in the order in which they are offered."""
    return load(_FILE)


def load(path: Path) -> Mapping[str, Base]:
    """The instruments in a YAML file; raises ProtocolError with file and line of each problem."""
    body, where, problems = reader.plain_file(path)
    found = _Reader(where, problems).bases(body)
    if problems:
        raise ProtocolError("\n".join(problems))
    return found


class _Reader(reader.Reader):
    """Reads plain values, goes on after a problem, and so finds all of them in one run."""

    def bases(self, body: Any) -> Mapping[str, Base]:
        values = self._mapping(body, (), required=("instruments",), optional=("drafts",))
        for index, each in enumerate(self._list(values.get("drafts"), ("drafts",))):
            self._choice(each, ("drafts", index), ("en", "ga"))
        found = [
            self._base(each, ("instruments", i))
            for i, each in enumerate(self._list(values.get("instruments"), ("instruments",)))
        ]
        self._once((each.key, ("instruments", i, "key")) for i, each in enumerate(found))
        return {each.key: each for each in found}

    def _base(self, body: Any, place: tuple[str | int, ...]) -> Base:
        texts = ("title", "captures", "picture", "decide_first", "limits")
        values = self._mapping(
            body, place, required=("key", "kind", *texts), optional=("optional", "codes", "rows", "interval_s")
        )
        found = Base(
            key=self._key(values.get("key"), (*place, "key")),
            kind=self._choice(values.get("kind"), (*place, "kind"), tuple(KINDS)),
            **{key: self._words(values.get(key), (*place, key)) for key in texts},
            optional=self._flag(values.get("optional", False), (*place, "optional")),
            codes=self._lines(values.get("codes"), (*place, "codes"), MAX_LABEL),
            rows=self._lines(values.get("rows"), (*place, "rows"), MAX_TEXT),
            interval_s=self._number(values.get("interval_s", 0), (*place, "interval_s"), 0, 3600),
        )
        if max(len(found.title.en), len(found.title.ga)) > MAX_NAME:
            self._say((*place, "title"), f"longer than {MAX_NAME} characters. Shorten it.")
        for language in () if self._problems else ("en", "ga"):
            self._begins(found, language, place)
        return found

    def _lines(self, body: Any, place: tuple[str | int, ...], most: int) -> tuple[Line, ...]:
        found = []
        for index, each in enumerate(self._list(body, place)):
            values = self._mapping(each, (*place, index), required=("key", "text"))
            line = Line(
                self._key(values.get("key"), (*place, index, "key")),
                self._words(values.get("text"), (*place, index, "text")),
            )
            if max(len(line.text.en), len(line.text.ga)) > most:
                self._say((*place, index, "text"), f"longer than {most} characters. Shorten it.")
            found.append(line)
        return tuple(found)

    def _begins(self, base: Base, language: str, place: tuple[str | int, ...]) -> None:
        """Says what the two would be told who begin from it."""
        try:
            instrument.read(base.begin(language).to_json())
        except RefusedError as error:
            for problem in error.problems:
                self._say((*place, *problem.place), f"no pair could begin in {language}: {problem}. Correct it.")
