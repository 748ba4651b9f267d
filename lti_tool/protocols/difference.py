"""What is different between two versions of a protocol, as values; words.py says them (R74).

Parts with a key (stages, steps, texts, agreements, groups, choices) are the same part in both versions when their key
is. Prompts and statements have none: they are the same when they are equal, and one became another when most of its
words stayed.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from difflib import SequenceMatcher
from typing import Any

from lti_tool.protocols.recipe import Gate, Prompt, Protocol, Stage, Words

STRUCTURE: Mapping[str, frozenset[str]] = {
    "protocol": frozenset({"key", "version", "body", "stages"}),
    "stage": frozenset({"key", "statements", "prompts", "fields", "agreements", "steps", "groups"}),
    "step": frozenset({"key", "prompts"}),
    "prompt": frozenset(),
    "statement": frozenset(),
    "field": frozenset({"key", "choices"}),
    "choice": frozenset({"key"}),
    "agreement": frozenset({"key"}),
    "group": frozenset({"key"}),
}
"""Of each part, what is no attribute of it: its key, and what is a part of its own."""
_OF_KEYS = frozenset({"shows", "recalls", "fields", "rests_on", "gates"})
"""Attributes that name texts by key: a change holds their labels."""
_STILL_THE_SAME = 0.6
"""Share of a wording that stays when it was changed; under it, one was taken out and another put in."""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is different."""

    part: str
    """A key of STRUCTURE."""
    verb: str
    """added, removed, moved or changed."""
    name: Words
    """Title, label or wording of the part: the newer one, where there are two."""
    within: tuple[Words, ...] = ()
    """Titles of what it stands in, the outermost first."""
    attribute: str = ""
    """Changed: what of it. Moved: empty within one list, `within` from one part into another."""
    old: Any = None
    """The value before; of a part that went from one part into another, the titles of where it stood."""
    new: Any = None
    """The value now; of a part that moved within its list, the name of what it stands behind, None for the first."""


def difference(old: Protocol, new: Protocol) -> tuple[Change, ...]:
    """All that is different in `new`, in the order in which it stands there; empty for two that say the same."""
    labels = _labels(old) | _labels(new)
    found = [*_attributes("protocol", new.title, (), old, new, labels)]
    found += _parts("stage", (), old.stages, new.stages)
    found += _texts(old, new, labels)
    before = {stage.key: stage for stage in old.stages}
    for stage in new.stages:
        if stage.key in before:
            found += _stage(before[stage.key], stage, labels)
    for part, holds in (("statement", _statements), ("prompt", _prompts)):
        found += _wordings(part, holds(old), holds(new))
    order = {stage.title: i for i, stage in enumerate(new.stages)}
    return tuple(sorted(found, key=lambda each: order.get((*each.within, each.name)[0], -1)))


def _stage(old: Stage, new: Stage, labels: Mapping[tuple[str, str], Words]) -> Iterator[Change]:
    yield from _attributes("stage", new.title, (), old, new, labels)
    within = (new.title,)
    for part, name, were, are in (
        ("step", "title", old.steps, new.steps),
        ("agreement", "text", old.agreements, new.agreements),
        ("group", "title", old.groups, new.groups),
    ):
        yield from _keyed(part, name, within, were, are, labels)


def _texts(old: Protocol, new: Protocol, labels: Mapping[tuple[str, str], Words]) -> Iterator[Change]:
    """Of texts: their keys are unique in a protocol, so one can go from stage to stage."""
    before = {each.key: (stage, each) for stage in old.stages for each in stage.fields}
    after = {each.key: (stage, each) for stage in new.stages for each in stage.fields}
    for stage in new.stages:
        was = old.stage(stage.key)
        mine = {each.key for each in stage.fields}
        if was is not None:
            # What came from another stage, or went there, is told below.
            here = [each for each in was.fields if each.key in mine or each.key not in after]
            come = [each for each in stage.fields if each.key not in before or before[each.key][0].key == stage.key]
            yield from _parts("field", (stage.title,), here, come, name="label")
        for each in stage.fields:
            if each.key not in before:
                continue
            came_from, before_it = before[each.key]
            if came_from.key != stage.key:
                yield Change("field", "moved", each.label, (stage.title,), "within", (came_from.title,), (stage.title,))
            yield from _attributes("field", each.label, (stage.title,), before_it, each, labels)
            within = (stage.title, each.label)
            yield from _keyed("choice", "text", within, before_it.choices, each.choices, labels)


def _keyed(
    part: str,
    name: str,
    within: tuple[Words, ...],
    old: Sequence[Any],
    new: Sequence[Any],
    labels: Mapping[tuple[str, str], Words],
) -> Iterator[Change]:
    yield from _parts(part, within, old, new, name=name)
    before = {each.key: each for each in old}
    for each in new:
        if each.key in before:
            yield from _attributes(part, getattr(each, name), within, before[each.key], each, labels)


def _parts(
    part: str, within: tuple[Words, ...], old: Sequence[Any], new: Sequence[Any], name: str = "title"
) -> Iterator[Change]:
    """What came, went and moved among parts with a key."""
    keys, keys_now = [each.key for each in old], [each.key for each in new]
    for each in old:
        if each.key not in keys_now:
            yield Change(part, "removed", getattr(each, name), within)
    moved = _moved([key for key in keys if key in keys_now], [key for key in keys_now if key in keys])
    for i, each in enumerate(new):
        behind = getattr(new[i - 1], name) if i else None
        if each.key not in keys:
            yield Change(part, "added", getattr(each, name), within, new=behind)
        elif each.key in moved:
            yield Change(part, "moved", getattr(each, name), within, new=behind)


def _moved(old: Sequence[Hashable], new: Sequence[Hashable]) -> set[Hashable]:
    """Which of the same things stand in another order."""
    stay = SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks()
    return set(new) - {new[block.b + i] for block in stay for i in range(block.size)}


def _attributes(
    part: str, name: Words, within: tuple[Words, ...], old: Any, new: Any, labels: Mapping[tuple[str, str], Words]
) -> Iterator[Change]:
    for attribute in attributes_of(part, type(new)):
        was, now = getattr(old, attribute), getattr(new, attribute)
        if was != now:
            if attribute == "opens" and old.seen != new.seen == "author":
                # That nobody else sees it any more says it all.
                continue
            if attribute in _OF_KEYS:
                was, now = _named(was, labels), _named(now, labels)
            yield Change(part, "changed", name, within, attribute, was, now)


def attributes_of(part: str, kind: type) -> Iterator[str]:
    """Names of the attributes of a part that are compared as they are."""
    return (each.name for each in fields(kind) if each.name not in STRUCTURE[part])


def _named(value: Any, labels: Mapping[tuple[str, str], Words]) -> Any:
    """Labels for keys; of a gate, what it needs and the label, or the meeting or role that it names."""
    if isinstance(value, str):
        return labels.get(("text", value), Words(value, value)) if value else None
    if isinstance(value, Gate):
        return value.needs, labels.get((value.needs, value.of), value.of)
    return tuple(_named(each, labels) for each in value)


def _labels(protocol: Protocol) -> dict[tuple[str, str], Words]:
    """(text or agreement, key) → label."""
    agreed = {("agreement", each.key): each.text for stage in protocol.stages for each in stage.agreements}
    return agreed | {("text", each.key): each.label for stage in protocol.stages for each in stage.fields}


# Prompts and statements


@dataclass(frozen=True, slots=True)
class _Place:
    """A list of wordings, and where it stands."""

    id: tuple[str, str]
    """Keys of stage and step."""
    within: tuple[Words, ...]
    holds: tuple[Any, ...]


def _statements(protocol: Protocol) -> Iterator[_Place]:
    return (_Place((stage.key, ""), (stage.title,), stage.statements) for stage in protocol.stages)


def _prompts(protocol: Protocol) -> Iterator[_Place]:
    for stage in protocol.stages:
        yield _Place((stage.key, ""), (stage.title,), stage.prompts)
        for step in stage.steps:
            yield _Place((stage.key, step.key), (stage.title, step.title), step.prompts)


def _wordings(part: str, old: Iterable[_Place], new: Iterable[_Place]) -> Iterator[Change]:
    before, after = {each.id: each for each in old}, {each.id: each for each in new}
    gone = {key: _without(place.holds, after[key].holds if key in after else ()) for key, place in before.items()}
    come = {key: _without(place.holds, before[key].holds if key in before else ()) for key, place in after.items()}
    for key, place in after.items():
        if key in before:
            yield from _in_order(part, place, before[key].holds)
    for key, place in after.items():
        for each in tuple(come[key]):
            there = [(other, one) for other, left in gone.items() for one in left if _text(one) == _text(each)]
            # In the same list something else about it was changed.
            origin, was = min(there, key=lambda one: (one[0] != key, one[1] != each), default=(key, None))
            if was is None:
                continue
            come[key].remove(each)
            gone[origin].remove(was)
            if origin != key:
                yield Change(part, "moved", _text(each), place.within, "within", before[origin].within, place.within)
            yield from _reworded(part, place.within, was, each)
    for key, place in after.items():
        for each in tuple(come[key]):
            was = max(gone.get(key, ()), key=lambda one: _alike(one, each), default=None)
            if was is not None and _alike(was, each) >= _STILL_THE_SAME:
                come[key].remove(each)
                gone[key].remove(was)
                yield from _reworded(part, place.within, was, each)
    for key, place in before.items():
        # With a stage or a step that was taken out, its prompts are: that is said once.
        if key in after:
            yield from (Change(part, "removed", _text(each), place.within) for each in gone[key])
    for key, place in after.items():
        if key in before:
            yield from (Change(part, "added", _text(each), place.within) for each in come[key])


def _without(these: Iterable[Any], those: Iterable[Any]) -> list[Any]:
    """These, each taken out as often as it is among those."""
    left, found = list(those), []
    for each in these:
        if each in left:
            left.remove(each)
        else:
            found.append(each)
    return found


def _in_order(part: str, place: _Place, before: Sequence[Any]) -> Iterator[Change]:
    old, new = _numbered(before), _numbered(place.holds)
    moved = _moved([each for each in old if each in new], [each for each in new if each in old])
    for i, each in enumerate(new):
        if each in moved:
            behind = _text(new[i - 1][0]) if i else None
            yield Change(part, "moved", _text(each[0]), place.within, new=behind)


def _numbered(these: Iterable[Any]) -> list[tuple[Any, int]]:
    """Each with how often it stood before: the same wording may stand twice."""
    seen: list[Any] = []
    found = []
    for each in these:
        found.append((each, seen.count(each)))
        seen.append(each)
    return found


def _reworded(part: str, within: tuple[Words, ...], old: Any, new: Any) -> Iterator[Change]:
    if isinstance(new, Prompt):
        yield from _attributes(part, new.text, within, old, new, {})
    elif old != new:
        yield Change(part, "changed", new, within, "text", old, new)


def _text(each: Any) -> Words:
    return each.text if isinstance(each, Prompt) else each


def _alike(one: Any, other: Any) -> float:
    """Share of the words that stayed, in the language in which most did: a translation may be mended alone."""
    return max(_shared(_text(one).en, _text(other).en), _shared(_text(one).ga, _text(other).ga))


def _shared(one: str, other: str) -> float:
    words, others = Counter(one.lower().split()), Counter(other.lower().split())
    return 2 * (words & others).total() / max(1, words.total() + others.total())
