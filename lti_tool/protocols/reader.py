"""Reads protocols from YAML files, and checks them before anybody works with them.

The same check reads a file of this package and a body that was stored with a cycle long ago. What is wrong in a file is
said with file, line and remedy, all of it at once.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from reprlib import Repr
from typing import Any
from unicodedata import category

import yaml

from lti_tool.protocols.recipe import (
    ALL,
    AUDIENCES,
    DEFAULT_MAX,
    FORMS,
    GUIDES,
    MEETINGS,
    MOST_PEOPLE,
    NEEDS,
    NO_WORDS,
    OPENINGS,
    OWN_GROUPS,
    PILLARS,
    PROMPT_KINDS,
    REFLECTION,
    ROLES,
    STAGE_KINDS,
    STEPS,
    TOGETHER,
    WRITERS,
    Agreement,
    Choice,
    Field,
    Gate,
    Group,
    Prompt,
    Protocol,
    Stage,
    Step,
    Words,
    gives_advice,
    reaches,
)

_FOLDER = Path(__file__).with_name("shipped")
MAX_CHARACTERS = 200_000
"""Of one file."""
_MAX_ITEMS = 100
"""Of one list, so that a page of it stays one that can be read."""
_MAX_TEXT = 4_000
"""Characters of one text."""
_SHORT = Repr()
"""Says what stands in a file, as far as a sentence has room for it."""
_SHORT.maxstring = 60

Where = Callable[[tuple[str | int, ...]], str]
"""Says where a place in the plain values stands, for people."""


class ProtocolError(Exception):
    """A protocol cannot be used. The text has one line per problem: where it is, what is wrong, what to do."""


@cache
def shipped() -> Mapping[str, Protocol]:
    """The protocols of this package by key: the shortest first, groups after pairs, and one teacher alone last."""
    found = [load(path) for path in sorted(_FOLDER.glob("*.yaml"))]
    return {
        protocol.key: protocol
        for protocol in sorted(found, key=lambda each: (each.alone, each.is_for_group, each.minutes))
    }


def load(path: Path) -> Protocol:
    """The protocol in a YAML file of ours; raises ProtocolError with file and line of each problem."""
    return _checked(*plain_file(path))


def plain_file(path: Path) -> tuple[Any, Where, list[str]]:
    """As `plain`, of a file that nobody sent: several times as fast where PyYAML comes with its library in C."""
    return plain(text_of(path), path.name, getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def text_of(path: Path) -> str:
    """The text of a file; raises ProtocolError where it is none."""
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ProtocolError(f"{path.name}: cannot be read ({error}). Save it as UTF-8 text.") from None


def read(text: str, name: str) -> Protocol:
    """The protocol in a YAML text, from wherever it comes; `name` stands before the line of each problem.

    Raises ProtocolError. No text, however odd, is an unforeseen error or takes long to refuse.
    """
    return _checked(*plain(text, name))


def plain(text: str, name: str, loader: type | None = None) -> tuple[Any, Where, list[str]]:
    """The plain values of a YAML text, a function that says where in it a place stands, and the keys that stand twice.

    Raises ProtocolError where it is no YAML.
    """
    if len(text) > MAX_CHARACTERS:
        raise ProtocolError(f"{name}: longer than {MAX_CHARACTERS} characters. Shorten it.")
    lines: dict[tuple[str | int, ...], int] = {}
    problems: list[str] = []
    try:
        root = yaml.compose(text, Loader=loader or _Loader)
        body = _plain(root, (), lines, problems, name) if root else None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ProtocolError(
            f"{name}, line {line}: not valid YAML ({error.problem}). Check indentation, colons and quotes there."
        ) from None
    except (yaml.YAMLError, ValueError, OverflowError):
        raise ProtocolError(f"{name}, line 1: has characters that are no text. Save it as UTF-8 text.") from None
    except RecursionError:
        raise ProtocolError(f"{name}, line 1: things stand in things too often. Start from a shipped file.") from None

    def where(place: tuple[str | int, ...]) -> str:
        while place and place not in lines:
            place = place[:-1]
        return f"{name}, line {lines.get(place, 1)}"

    return body, where, problems


class _Loader(yaml.SafeLoader):
    """YAML without references, with which a short text can grow without end, and of so many values at most."""

    _left = 20_000

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        self._left -= 1
        if self._left < 0:
            raise yaml.MarkedYAMLError(problem="too many values", problem_mark=self.get_mark())
        if self.check_event(yaml.AliasEvent):
            raise yaml.MarkedYAMLError(problem="references with * are not used here", problem_mark=self.get_mark())
        return super().compose_node(parent, index)


def parse(body: Any, source: str = "stored protocol") -> Protocol:
    """The protocol in plain values, as they were stored with a cycle; raises ProtocolError.

    What no stage may be called any more is not asked: it was allowed when they were stored, and its cycles go on.
    """

    def where(place: tuple[str | int, ...]) -> str:
        return f"{source}, {'.'.join(str(part) for part in place) or 'top'}"

    return _checked(body, where, [], is_stored=True)


def problems(body: Any) -> list[tuple[tuple[str | int, ...], str]]:
    """Where plain values are wrong, and how: (place, text) of each problem; empty where parse() takes them."""
    places: list[tuple[str | int, ...]] = []

    def where(place: tuple[str | int, ...]) -> str:
        places.append(place)
        return ""

    found: list[str] = []
    Reader(where, found).protocol(body)
    return [(place, text.removeprefix(": ")) for place, text in zip(places, found, strict=True)]


def _plain(
    node: yaml.Node,
    place: tuple[str | int, ...],
    lines: dict[tuple[str | int, ...], int],
    problems: list[str],
    name: str,
) -> Any:
    """Plain values of a YAML node; notes the line of each place, and keys that stand twice (YAML would drop one)."""
    lines[place] = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            if key in found:
                problems.append(
                    f"{name}, line {key_node.start_mark.line + 1}: {key!r} stands twice here. Remove one of them."
                )
            found[key] = _plain(value_node, (*place, key), lines, problems, name)
            lines[(*place, key)] = key_node.start_mark.line + 1
        return found
    if isinstance(node, yaml.SequenceNode):
        return [_plain(each, (*place, index), lines, problems, name) for index, each in enumerate(node.value)]
    # By its signs alone: what a tag makes of it can fail in many ways, and a date is nothing that a protocol knows.
    text: str = node.value
    if not isinstance(node, yaml.ScalarNode) or node.style:
        return text
    return int(text) if _NUMBER.fullmatch(text) else _PLAIN.get(text, text)


_NUMBER = re.compile("0|[1-9][0-9]{0,5}")
_PLAIN = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


def _checked(body: Any, where: Where, problems: list[str], *, is_stored: bool = False) -> Protocol:
    reader = Reader(where, problems, is_stored=is_stored)
    protocol = reader.protocol(body)
    if problems:
        raise ProtocolError("\n".join(problems))
    return protocol


class Reader:
    """Reads plain values, goes on after a problem, and so finds all of them in one run."""

    def __init__(self, where: Where, problems: list[str], *, is_stored: bool = False) -> None:
        self._where = where
        self._is_stored = is_stored
        self._problems = problems
        self._roles: tuple[str, ...] = ()

    def protocol(self, body: Any) -> Protocol:
        values = self._mapping(
            body,
            (),
            required=("key", "version", "title", "summary", "source", "stages"),
            optional=("drafts", "alone", "family", "form", "people", "roles"),
        )
        alone = self._flag(values.get("alone", False), ("alone",))
        least, most = self._people(values.get("people"), alone)
        self._roles = self._choices(values.get("roles"), ("roles",), ROLES) or _ROLES_OF_PAIR[: 1 if alone else 2]
        protocol = Protocol(
            key=self._key(values.get("key"), ("key",)),
            version=self._number(values.get("version"), ("version",), 1, 10_000),
            title=self._words(values.get("title"), ("title",)),
            summary=self._words(values.get("summary"), ("summary",)),
            source=self._words(values.get("source"), ("source",)),
            drafts=tuple(
                self._choice(each, ("drafts", index), ("en", "ga"))
                for index, each in enumerate(self._list(values.get("drafts"), ("drafts",)))
            ),
            alone=alone,
            stages=tuple(
                self._stage(each, ("stages", index))
                for index, each in enumerate(self._list(values.get("stages"), ("stages",)))
            ),
            body=values,
            family=self._words(values["family"], ("family",)) if "family" in values else NO_WORDS,
            form=self._choice(values.get("form", FORMS[0]), ("form",), FORMS),
            least=least,
            most=most,
            roles=self._roles,
        )
        self._check_whole(protocol)
        return protocol

    def _people(self, body: Any, alone: bool) -> tuple[int, int]:
        """The least and the most people of a cycle."""
        if body is None:
            return (1, 1) if alone else (2, 2)
        values = self._mapping(body, ("people",), required=("least", "most"))
        least = self._number(values.get("least"), ("people", "least"), 1, MOST_PEOPLE)
        most = self._number(values.get("most"), ("people", "most"), 1, MOST_PEOPLE)
        if least > most:
            self._say(("people",), "`least` is more than `most`. Change one of them.")
        if alone and (least, most) != (1, 1):
            self._say(("people",), "alone there is one person. Remove `people`, or leave `alone` out.")
        if not alone and least < 2:
            self._say(("people",), "a cycle of one person is `alone: true`. Say so, or set `least: 2`.")
        return least, most

    def _stage(self, body: Any, place: tuple[str | int, ...]) -> Stage:
        values = self._mapping(
            body,
            place,
            required=("key", "kind", "title", "short", "purpose"),
            optional=(
                "minutes", "first_cycle_only", "speaks_first", "first_turn", "meetings", "statements", "prompts",
                "fields", "shows", "agreements", "gates", "from_step", "purpose_at", "leads", "steps", "advice",
                "recalls", "groups",
            ),
        )  # fmt: skip
        kind = self._choice(values.get("kind"), (*place, "kind"), STAGE_KINDS)
        steps = tuple(
            self._step(each, (*place, "steps", index))
            for index, each in enumerate(self._list(values.get("steps"), (*place, "steps")))
        )
        stage = Stage(
            key=self._key(values.get("key"), (*place, "key")),
            kind=kind,
            title=self._words(values.get("title"), (*place, "title")),
            short=self._words(values.get("short"), (*place, "short")),
            purpose=self._words(values.get("purpose"), (*place, "purpose")),
            minutes=self._number(values.get("minutes", 0), (*place, "minutes"), 0, 480)
            or sum(s.minutes for s in steps),
            first_cycle_only=self._flag(values.get("first_cycle_only", False), (*place, "first_cycle_only")),
            speaks_first=self._optional_choice(values.get("speaks_first"), (*place, "speaks_first"), ROLES),
            first_turn=self._optional_choice(values.get("first_turn"), (*place, "first_turn"), ROLES),
            meetings=self._choices(values.get("meetings"), (*place, "meetings"), MEETINGS),
            statements=tuple(
                self._words(each, (*place, "statements", index))
                for index, each in enumerate(self._list(values.get("statements"), (*place, "statements")))
            ),
            prompts=tuple(
                self._prompt(each, (*place, "prompts", index))
                for index, each in enumerate(self._list(values.get("prompts"), (*place, "prompts")))
            ),
            fields=tuple(
                self._field(each, (*place, "fields", index))
                for index, each in enumerate(self._list(values.get("fields"), (*place, "fields")))
            ),
            shows=tuple(str(each) for each in self._list(values.get("shows"), (*place, "shows"))),
            agreements=tuple(
                self._agreement(each, (*place, "agreements", index))
                for index, each in enumerate(self._list(values.get("agreements"), (*place, "agreements")))
            ),
            gates=tuple(
                self._gate(each, (*place, "gates", index))
                for index, each in enumerate(self._list(values.get("gates"), (*place, "gates")))
            ),
            from_step=self._choice(values.get("from_step", STEPS[0]), (*place, "from_step"), STEPS),
            purpose_at=self._purposes(values.get("purpose_at", {}), (*place, "purpose_at")),
            leads=self._optional_choice(values.get("leads"), (*place, "leads"), ROLES) or self._leads(kind),
            steps=steps,
            advice=self._flag(values.get("advice", False), (*place, "advice")),
            recalls=tuple(str(each) for each in self._list(values.get("recalls"), (*place, "recalls"))),
            groups=tuple(
                self._group(each, (*place, "groups", index))
                for index, each in enumerate(self._list(values.get("groups"), (*place, "groups")))
            ),
        )
        if kind == "conversation" and not any(prompt.kind == "belief" for prompt in stage.all_prompts):
            self._say((*place, "prompts"), "this conversation has no prompt of kind belief (R70). Add one.")
        if kind == "conversation" and stage.speaks_first is None:
            self._say(place, "this conversation does not say who speaks first. Add `speaks_first: host`.")
        return stage

    def _leads(self, kind: str) -> str | None:
        """Who leads where the file does not say: the keeper of a group, the coach of a pair."""
        if kind not in ("conversation", "work") or len(self._roles) < 2:
            return None
        return next((role for role in ("keeper", "coach") if role in self._roles), None)

    def _step(self, body: Any, place: tuple[str | int, ...]) -> Step:
        values = self._mapping(
            body,
            place,
            required=("key", "title"),
            optional=("text", "minutes", "speaks", "quiet", "prompts", "fields", "first_turn", "advice", "from_step"),
        )
        found = Step(
            key=self._key(values.get("key"), (*place, "key")),
            title=self._words(values.get("title"), (*place, "title")),
            text=self._words(values["text"], (*place, "text")) if "text" in values else NO_WORDS,
            minutes=self._number(values.get("minutes", 0), (*place, "minutes"), 0, 480),
            speaks=self._optional_choice(values.get("speaks"), (*place, "speaks"), (*ROLES, ALL)) or "",
            quiet=self._flag(values.get("quiet", False), (*place, "quiet")),
            prompts=tuple(
                self._prompt(each, (*place, "prompts", index))
                for index, each in enumerate(self._list(values.get("prompts"), (*place, "prompts")))
            ),
            fields=tuple(str(each) for each in self._list(values.get("fields"), (*place, "fields"))),
            first_turn=self._flag(values.get("first_turn", False), (*place, "first_turn")),
            advice=self._flag(values.get("advice", False), (*place, "advice")),
            from_step=self._choice(values.get("from_step", STEPS[0]), (*place, "from_step"), STEPS),
        )
        if found.quiet and found.speaks:
            self._say(place, "nobody speaks in a quiet step. Remove `speaks`, or `quiet`.")
        if not found.quiet and not found.speaks:
            self._say(place, "this step does not say who speaks. Add `speaks: host`, `speaks: all` or `quiet: true`.")
        return found

    def _group(self, body: Any, place: tuple[str | int, ...]) -> Group:
        values = self._mapping(body, place, required=("key", "title"), optional=("text",))
        found = Group(
            self._key(values.get("key"), (*place, "key")),
            self._words(values.get("title"), (*place, "title")),
            self._words(values["text"], (*place, "text")) if "text" in values else NO_WORDS,
        )
        if found.key in OWN_GROUPS:
            self._say((*place, "key"), f"{found.key!r} has a heading of its own. Choose another key.")
        return found

    def _choices_of(self, body: Any, place: tuple[str | int, ...]) -> tuple[Choice, ...]:
        found = []
        for index, each in enumerate(self._list(body, place)):
            values = self._mapping(each, (*place, index), required=("key", "text"))
            found.append(
                Choice(
                    self._key(values.get("key"), (*place, index, "key")),
                    self._words(values.get("text"), (*place, index, "text")),
                )
            )
        self._once((each.key, (*place, index)) for index, each in enumerate(found))
        if body is not None and len(found) < 2:
            self._say(place, "there is nothing to choose between. Give at least two choices.")
        return tuple(found)

    def _purposes(self, body: Any, place: tuple[str | int, ...]) -> tuple[tuple[str, Words], ...]:
        if body == {}:
            return ()
        values = self._mapping(body, place, required=(), optional=STEPS)
        return tuple((step, self._words(text, (*place, step))) for step, text in values.items())

    def _prompt(self, body: Any, place: tuple[str | int, ...]) -> Prompt:
        values = self._mapping(body, place, required=("kind", "text"), optional=("guide", "pillar"))
        return Prompt(
            self._choice(values.get("kind"), (*place, "kind"), PROMPT_KINDS),
            self._words(values.get("text"), (*place, "text")),
            # Who would like a blank page sees no prompt at all.
            self._choice(values.get("guide", "light"), (*place, "guide"), GUIDES[:-1]),
            self._optional_choice(values.get("pillar") or None, (*place, "pillar"), PILLARS) or "",
        )

    def _field(self, body: Any, place: tuple[str | int, ...]) -> Field:
        values = self._mapping(
            body,
            place,
            required=("key", "label", "by", "seen"),
            optional=(
                "help", "opens", "max", "rows", "group", "raw", "from_step", "choices", "several", "starters",
                "rests_on",
            ),
        )  # fmt: skip
        found = Field(
            key=self._key(values.get("key"), (*place, "key")),
            label=self._words(values.get("label"), (*place, "label")),
            help=self._words(values["help"], (*place, "help")) if "help" in values else Words("", ""),
            by=self._choice(values.get("by"), (*place, "by"), WRITERS),
            seen=self._choice(values.get("seen"), (*place, "seen"), AUDIENCES),
            opens=self._optional_choice(values.get("opens"), (*place, "opens"), OPENINGS),
            max_length=self._number(values.get("max", DEFAULT_MAX), (*place, "max"), 10, 50_000),
            rows=self._number(values.get("rows", 3), (*place, "rows"), 1, 30),
            group=str(values.get("group", "")),
            raw=self._flag(values.get("raw", False), (*place, "raw")),
            from_step=self._choice(values.get("from_step", STEPS[0]), (*place, "from_step"), STEPS),
            choices=self._choices_of(values.get("choices"), (*place, "choices")),
            several=self._flag(values.get("several", False), (*place, "several")),
            starters=self._flag(values.get("starters", False), (*place, "starters")),
            rests_on=str(values.get("rests_on", "")),
        )
        if found.several and not found.choices:
            self._say(place, "`several` belongs to a field with choices. Add `choices`, or leave it out.")
        if len(",".join(choice.key for choice in found.choices)) > found.max_length:
            self._say(place, "`max` is too small for these choices. Raise it, or leave it out.")
        if found.seen == "author" and found.by == "both":
            self._say(
                place, "a text that both write cannot be seen by its author alone. Say `seen: pair` or `by: each`."
            )
        if found.opens and found.by not in ROLES:
            self._say(place, "only a text of one role can open later. Say `by: coach` or leave `opens` out.")
        # What its author alone sees opens to nobody; the body still says when it did, so that it never opens earlier.
        return replace(found, opens=None) if found.seen == "author" else found

    def _agreement(self, body: Any, place: tuple[str | int, ...]) -> Agreement:
        values = self._mapping(body, place, required=("key", "text", "button", "fields"))
        fields = tuple(str(each) for each in self._list(values.get("fields"), (*place, "fields")))
        if not fields:
            self._say(place, "an agreement needs at least one text that it is about. Add `fields: [goal]`.")
        return Agreement(
            self._key(values.get("key"), (*place, "key")),
            self._words(values.get("text"), (*place, "text")),
            self._words(values.get("button"), (*place, "button")),
            fields,
        )

    def _gate(self, body: Any, place: tuple[str | int, ...]) -> Gate:
        if not isinstance(body, dict) or len(body) != 1:
            self._say(place, f"a gate is one line such as `text: goal`; allowed: {', '.join(NEEDS)}.")
            return Gate("text", "")
        (needs, of), *_ = body.items()
        return Gate(self._choice(needs, place, NEEDS), str(of))

    def _check_whole(self, protocol: Protocol) -> None:
        """What only the whole recipe can show: keys used twice, and references to what is not there (yet)."""
        self._once((stage.key, ("stages", i, "key")) for i, stage in enumerate(protocol.stages))
        self._once(
            (found.key, ("stages", i, "fields", j, "key"))
            for i, stage in enumerate(protocol.stages)
            for j, found in enumerate(stage.fields)
        )
        self._once(
            (found.key, ("stages", i, "agreements", j, "key"))
            for i, stage in enumerate(protocol.stages)
            for j, found in enumerate(stage.agreements)
        )
        if [stage.kind for stage in protocol.stages].count("reflection") != 1 or (
            protocol.stages and protocol.stages[-1].kind != "reflection"
        ):
            self._say(("stages",), "a protocol ends with exactly one stage of kind reflection. Put it last.")
        if protocol.alone:
            self._check_alone(protocol)
        self._check_roles(protocol)
        self._check_steps(protocol)
        self._check_ladder(protocol)
        if protocol.raw_fields and protocol.debrief is None:
            self._say(("stages",), "raw observation needs a conversation after it. Add one, or leave `raw` out.")
        known: dict[str, Field] = {}
        for i, stage in enumerate(protocol.stages):
            place: tuple[str | int, ...] = ("stages", i)
            if stage.key in RESERVED and not self._is_stored:
                self._say((*place, "key"), f"{stage.key!r} is an address of its own. Choose another key.")
            for key in stage.shows:
                if key not in known:
                    self._say((*place, "shows"), f"{key!r} is not a field of an earlier stage. Correct the key.")
            known |= {found.key: found for found in stage.fields}
            for j, found in enumerate(stage.fields):
                rests_on = known.get(found.rests_on)
                if found.rests_on and (rests_on is None or rests_on.seen != "pair" or rests_on is found):
                    self._say(
                        (*place, "fields", j, "rests_on"),
                        f"{found.rests_on!r} is not a text of this or an earlier stage that both see. Correct the key.",
                    )
            for key in stage.recalls:
                recalled = protocol.field(key)
                if recalled is None or recalled.seen != "pair" or recalled.raw:
                    self._say(
                        (*place, "recalls"),
                        f"{key!r} is not a text that both see and that is kept for the next cycle. Correct the key.",
                    )
            for j, agreement in enumerate(stage.agreements):
                for key in agreement.fields:
                    if key not in known or known[key].by == "each" or known[key].seen != "pair":
                        self._say(
                            (*place, "agreements", j, "fields"),
                            f"{key!r} is not a text of this or an earlier stage that both see. Correct the key.",
                        )
            for j, gate in enumerate(stage.gates):
                choices: Mapping[str, set[str]] = {
                    "text": {found.key for found in stage.fields},
                    "agreement": {found.key for found in stage.agreements},
                    "meeting": set(MEETINGS),
                    "first_turn": {stage.first_turn or ""} - {""},
                }
                allowed = choices[gate.needs]
                if gate.of not in allowed:
                    names = ", ".join(sorted(allowed)) or "none"
                    self._say((*place, "gates", j), f"{gate.of!r} is not here. Allowed for {gate.needs}: {names}.")
            if stage.kind == "reflection":
                if stage.key != REFLECTION:
                    self._say((*place, "key"), f"the stage of the reflection is called {REFLECTION}. Rename it.")
                for j, found in enumerate(stage.fields):
                    if found.seen != "author":
                        self._say(
                            (*place, "fields", j), "a reflection is seen by its author alone. Say `seen: author`."
                        )

    def _check_roles(self, protocol: Protocol) -> None:
        """Everybody has a role, somebody leads a group, and no role is spoken of that nobody has."""
        roles = protocol.roles
        self._once((role, ("roles", i)) for i, role in enumerate(roles))
        if "host" not in roles:
            self._say(("roles",), "somebody invites or presents. Add `host`.")
        if "member" in roles and "keeper" not in roles:
            self._say(("roles",), "a group needs somebody who leads it and keeps the time. Add `keeper`.")
        elif protocol.most > 1 and not {"coach", "keeper"} & set(roles):
            self._say(("roles",), "nobody leads the conversation. Add `coach`, or `keeper` for a group.")
        if protocol.most > len(roles) and "member" not in roles:
            self._say(("roles",), f"there can be {protocol.most} people and they have no role. Add `member`.")
        if protocol.least < len(set(roles) - {"member"}):
            self._say(("roles",), f"{protocol.least} people cannot fill these roles. Raise `least`, or remove a role.")
        for i, stage in enumerate(protocol.stages):
            place: tuple[str | int, ...] = ("stages", i)
            named: list[tuple[str | None, tuple[str | int, ...]]] = [
                (stage.leads, (*place, "leads")),
                (stage.speaks_first, (*place, "speaks_first")),
                (stage.first_turn, (*place, "first_turn")),
                *((found.by, (*place, "fields", j, "by")) for j, found in enumerate(stage.fields)),
                *((step.speaks, (*place, "steps", j, "speaks")) for j, step in enumerate(stage.steps)),
            ]
            for role, where in named:
                if role in ROLES and role not in roles:
                    self._say(where, f"nobody is {role} here. Roles of this protocol: {', '.join(roles)}.")

    def _check_steps(self, protocol: Protocol) -> None:
        """What steps, groups and advice ask of their stage."""
        for i, stage in enumerate(protocol.stages):
            place: tuple[str | int, ...] = ("stages", i)
            keys = {found.key for found in stage.fields}
            self._once((step.key, (*place, "steps", j, "key")) for j, step in enumerate(stage.steps))
            self._once(
                (key, (*place, "steps", j, "fields")) for j, step in enumerate(stage.steps) for key in step.fields
            )
            if stage.steps and stage.kind in ("visit", "reflection"):
                self._say((*place, "steps"), f"a stage of kind {stage.kind} has no steps. Remove them.")
            if stage.advice and stage.kind not in ("conversation", "work"):
                self._say((*place, "advice"), "advice is given in a conversation. Remove `advice`.")
            if stage.advice and not gives_advice(stage.fields, stage.steps):
                self._say((*place, "advice"), "nothing here is advice. Add a step with `advice: true`, or remove it.")
            if stage.steps and not any(
                not step.advice and reaches(stage.from_step, step.from_step) for step in stage.steps
            ):
                self._say(
                    (*place, "steps"),
                    "there is nothing to talk about before the host asks for advice. Add a step without `advice` and "
                    "without a `from_step` of its own.",
                )
            if stage.advice and not {"host", "coach"} <= set(protocol.roles):
                self._say((*place, "advice"), "advice is what a host asks of a coach. Remove `advice`.")
            takes = sum(step.minutes for step in stage.steps)
            if takes > stage.minutes:
                self._say(
                    (*place, "minutes"),
                    f"the steps take {takes} minutes, the stage {stage.minutes}. Raise `minutes`, or shorten a step.",
                )
            first = [j for j, step in enumerate(stage.steps) if step.first_turn]
            if first and not stage.first_turn:
                self._say((*place, "steps", first[0]), "this stage has no first turn. Add `first_turn: host` to it.")
            if stage.steps and stage.first_turn and len(first) != 1:
                self._say((*place, "steps"), "one step is the first turn. Say `first_turn: true` in exactly one.")
            if any(not reaches(stage.from_step, stage.steps[j].from_step) for j in first):
                self._say((*place, "steps", first[0]), "the first turn is there at every step. Remove its `from_step`.")
            for j, step in enumerate(stage.steps):
                for key in step.fields:
                    if key not in keys:
                        names = ", ".join(sorted(keys)) or "none"
                        self._say(
                            (*place, "steps", j, "fields"),
                            f"{key!r} is not a field of this stage. Its fields: {names}.",
                        )
                if step.advice and not stage.advice:
                    self._say((*place, "steps", j), "this stage has no advice on request. Add `advice: true` to it.")
            self._once((group.key, (*place, "groups", j, "key")) for j, group in enumerate(stage.groups))
            allowed = {"", *OWN_GROUPS, *(group.key for group in stage.groups)}
            for j, found in enumerate(stage.fields):
                if found.group not in allowed:
                    self._say(
                        (*place, "fields", j, "group"),
                        f"{found.group!r} is not a group of this stage. Add it to `groups`, or correct the key.",
                    )
                if found.opens == "advice_asked" and not stage.advice:
                    self._say(
                        (*place, "fields", j, "opens"),
                        "this stage has no advice on request. Add `advice: true` to it, or leave `opens` out.",
                    )
            for j, group in enumerate(stage.groups):
                if all(found.group != group.key for found in stage.fields):
                    self._say((*place, "groups", j), f"no field is in {group.key!r}. Add `group: {group.key}` to one.")

    def _check_alone(self, protocol: Protocol) -> None:
        """What one teacher follows by themselves asks for nobody else."""
        for i, stage in enumerate(protocol.stages):
            place: tuple[str | int, ...] = ("stages", i)
            if stage.kind != "reflection":
                self._say(
                    place, "alone there is a reflection and no other stage. Remove this one, or leave `alone` out."
                )
            for j, found in enumerate(stage.fields):
                if found.by != "each":
                    self._say((*place, "fields", j), "alone there are no roles. Say `by: each`.")
            for j, gate in enumerate(stage.gates):
                if gate.needs != "text":
                    self._say((*place, "gates", j), "alone only a text can be asked for. Say `text: …`.")

    def _check_ladder(self, protocol: Protocol) -> None:
        """What a cycle at the lowest step still needs, and what keeps a trainer from seeing at which step a pair is."""
        if not protocol.has_ladder:
            return
        if protocol.alone:
            self._say(("stages",), "alone nobody agrees on a step. Remove `from_step`.")
        if protocol.stages and reaches(STEPS[0], protocol.stages[-1].from_step) is False:
            self._say(("stages",), "the reflection is there at every step. Remove its `from_step`.")
        between = [stage for stage in protocol.stages if protocol.place(stage.key) == TOGETHER]
        if between and not any(stage.from_step == STEPS[0] for stage in between):
            self._say(
                ("stages",),
                "a pair at the lowest step would be seen to pass over what others do. Between the first and the last "
                "stage with `from_step`, keep one stage without it.",
            )

    def _once(self, keys: Iterable[tuple[str, tuple[str | int, ...]]]) -> None:
        seen: set[str] = set()
        for key, place in keys:
            if key in seen:
                self._say(place, f"the key {key!r} is used twice. Choose another one.")
            seen.add(key)

    def _say(self, place: tuple[str | int, ...], problem: str) -> None:
        self._problems.append(f"{self._where(place)}: {problem}")

    def _mapping(
        self, body: Any, place: tuple[str | int, ...], required: tuple[str, ...], optional: tuple[str, ...] = ()
    ) -> dict[str, Any]:
        if not isinstance(body, dict):
            self._say(place, f"expected lines such as `{(required + optional)[0]}: …`.")
            return {}
        for key in body:
            if key not in required + optional:
                self._say((*place, key), f"{key!r} is not known here. Allowed: {', '.join(required + optional)}.")
        for key in required:
            if key not in body:
                self._say(place, f"{key!r} is missing. Add it.")
        return body

    def _list(self, value: Any, place: tuple[str | int, ...]) -> list[Any]:
        if value is None:
            return []
        if not isinstance(value, list):
            self._say(place, "expected a list, each item on its own line after a dash.")
            return []
        if len(value) > _MAX_ITEMS:
            self._say(place, f"more than {_MAX_ITEMS} of them. Remove some.")
        return value[:_MAX_ITEMS]

    def _words(self, value: Any, place: tuple[str | int, ...]) -> Words:
        texts = {}
        for key in value if isinstance(value, dict) else ():
            if key not in ("en", "ga"):
                self._say(place, f"{key!r} is not a language. A text with a comma in it needs quotes around it.")
        for language in ("en", "ga"):
            text = value.get(language) if isinstance(value, dict) else None
            if text is not None and not isinstance(text, str):
                self._say(place, f"{_SHORT.repr(text)} is read as something else than a text. Put quotes around it.")
                text = ""
            elif not text or not text.strip():
                self._say(place, f"the text in {language} is missing. Add `{language}: …`.")
                text = ""
            elif len(text) > _MAX_TEXT:
                self._say(place, f"the text in {language} is longer than {_MAX_TEXT} characters. Shorten it.")
            elif any(category(sign) in ("Cc", "Cs") and not sign.isspace() for sign in text):
                self._say(place, f"the text in {language} has signs that cannot be shown. Type it again.")
            texts[language] = " ".join(text.split())
        return Words(**texts)

    def _key(self, value: Any, place: tuple[str | int, ...]) -> str:
        if not isinstance(value, str) or not value.isidentifier() or not value.islower() or len(value) > 40:
            self._say(place, f"{_SHORT.repr(value)} is not a key. Use small letters, digits and _, at most 40.")
            return ""
        return value

    def _number(self, value: Any, place: tuple[str | int, ...], least: int, most: int) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            self._say(place, f"{_SHORT.repr(value)} is not a whole number from {least} to {most}.")
            return least
        return value

    def _flag(self, value: Any, place: tuple[str | int, ...]) -> bool:
        if not isinstance(value, bool):
            self._say(place, f"{_SHORT.repr(value)} is neither true nor false.")
            return False
        return value

    def _choice(self, value: Any, place: tuple[str | int, ...], allowed: tuple[str, ...]) -> str:
        if value not in allowed:
            self._say(place, f"{_SHORT.repr(value)} is not allowed. Choose one of: {', '.join(allowed)}.")
            return allowed[0]
        return str(value)

    def _optional_choice(self, value: Any, place: tuple[str | int, ...], allowed: tuple[str, ...]) -> str | None:
        return None if value is None else self._choice(value, place, allowed)

    def _choices(self, value: Any, place: tuple[str | int, ...], allowed: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(
            self._choice(each, (*place, index), allowed) for index, each in enumerate(self._list(value, place))
        )


_ROLES_OF_PAIR = ("host", "coach")
RESERVED = ("texts", "end", "next", "meetings", "agreements", "visit_confirmed", TOGETHER)
"""What no stage is called: addresses of a cycle that are not those of its stages, and places of it. New addresses have
a hyphen, which no key has: a protocol that is used already may call its stages as it likes."""
