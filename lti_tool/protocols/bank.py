"""The prompt bank: prompts to choose from when a protocol is changed, and small strategies to begin from."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from lti_tool.protocols import reader
from lti_tool.protocols.reader import ProtocolError
from lti_tool.protocols.recipe import Prompt, Protocol, Stage, Words

STAGES = ("start", "before", "visit", "after", "reflect")
"""Where in a cycle a prompt helps."""
_FILE = Path(__file__).with_name("bank.yaml")


@dataclass(frozen=True, slots=True)
class BankPrompt:
    """A prompt, and where in a cycle it helps."""

    stage: str
    """One of STAGES."""
    prompt: Prompt


@dataclass(frozen=True, slots=True)
class Strategy:
    """A small way to teach, to try on the way to a goal."""

    key: str
    title: Words
    text: Words


@dataclass(frozen=True, slots=True)
class Outcome:
    """What strategies are meant to bring about, and the strategies (R62)."""

    key: str
    title: Words
    ways: tuple[Strategy, ...]


@dataclass(frozen=True, slots=True)
class Bank:
    """All that can be chosen from."""

    prompts: tuple[BankPrompt, ...]
    strategies: tuple[Outcome, ...]


@cache
def bank() -> Bank:
    """The bank of this package."""
    return load(_FILE)


def chosen(
    prompts: Iterable[BankPrompt], *, stage: str = "", kind: str = "", guide: str = "", pillar: str = ""
) -> tuple[BankPrompt, ...]:
    """The prompts with all of these tags, in their order; an empty tag is no condition."""
    return tuple(
        each
        for each in prompts
        if stage in ("", each.stage)
        and kind in ("", each.prompt.kind)
        and guide in ("", each.prompt.guide)
        and pillar in ("", each.prompt.pillar)
    )


def by_kind(prompts: Iterable[BankPrompt]) -> Mapping[str, tuple[BankPrompt, ...]]:
    """Kind → prompts of it, for a list with headings."""
    found: dict[str, tuple[BankPrompt, ...]] = {}
    for each in prompts:
        found[each.prompt.kind] = (*found.get(each.prompt.kind, ()), each)
    return found


def place_of(protocol: Protocol, stage: Stage) -> str:
    """Which of STAGES a stage of a protocol is like."""
    if stage.kind in ("start", "visit"):
        return stage.kind
    if stage.kind == "reflection":
        return "reflect"
    before = protocol.stages[: protocol.stages.index(stage)]
    looks_back = "after" in stage.meetings or any(each.kind in ("visit", "work") for each in before)
    return "after" if looks_back else "before"


def load(path: Path) -> Bank:
    """The bank in a YAML file; raises ProtocolError with file and line of each problem."""
    body, where, problems = reader.plain_file(path)
    found = _Reader(where, problems).bank(body)
    if problems:
        raise ProtocolError("\n".join(problems))
    return found


class _Reader(reader.Reader):
    """Reads plain values, goes on after a problem, and so finds all of them in one run."""

    def bank(self, body: Any) -> Bank:
        values = self._mapping(body, (), required=("prompts", "strategies"), optional=("drafts",))
        for index, each in enumerate(self._list(values.get("drafts"), ("drafts",))):
            self._choice(each, ("drafts", index), ("en", "ga"))
        prompts = tuple(
            self._bank_prompt(each, ("prompts", i))
            for i, each in enumerate(self._list(values.get("prompts"), ("prompts",)))
        )
        self._once((each.prompt.text.en, ("prompts", i, "text")) for i, each in enumerate(prompts))
        outcomes = tuple(
            self._outcome(each, ("strategies", i))
            for i, each in enumerate(self._list(values.get("strategies"), ("strategies",)))
        )
        self._once((each.key, ("strategies", i, "key")) for i, each in enumerate(outcomes))
        self._once(
            (way.key, ("strategies", i, "ways", j, "key"))
            for i, each in enumerate(outcomes)
            for j, way in enumerate(each.ways)
        )
        return Bank(prompts, outcomes)

    def _bank_prompt(self, body: Any, place: tuple[str | int, ...]) -> BankPrompt:
        values = dict(body) if isinstance(body, dict) else body
        stage = values.pop("stage", None) if isinstance(values, dict) else None
        return BankPrompt(self._choice(stage, (*place, "stage"), STAGES), self._prompt(values, place))

    def _outcome(self, body: Any, place: tuple[str | int, ...]) -> Outcome:
        values = self._mapping(body, place, required=("key", "outcome", "ways"))
        return Outcome(
            self._key(values.get("key"), (*place, "key")),
            self._words(values.get("outcome"), (*place, "outcome")),
            tuple(
                self._strategy(each, (*place, "ways", i))
                for i, each in enumerate(self._list(values.get("ways"), (*place, "ways")))
            ),
        )

    def _strategy(self, body: Any, place: tuple[str | int, ...]) -> Strategy:
        values = self._mapping(body, place, required=("key", "title", "text"))
        return Strategy(
            self._key(values.get("key"), (*place, "key")),
            self._words(values.get("title"), (*place, "title")),
            self._words(values.get("text"), (*place, "text")),
        )
