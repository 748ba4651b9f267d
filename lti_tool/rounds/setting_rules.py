"""What a trainer typed on the page of a round's settings, and what it comes to: values in, values out."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from lti_tool.people.rules import fold
from lti_tool.rounds.rules import MAX_PERIODS, MAX_ROUNDS, MAX_TOPICS, TOPICS, Again, Settings, Subjects, Topic

MAX_TOPIC = 80
MAX_PERIOD = 20
LEAST_DAYS, MOST_DAYS = 3, 14
_SUBJECTS: dict[str, Subjects] = {"ignore": "ignore", "same": "same", "different": "different"}
_AGAIN: dict[str, Again] = {"if_needed": "if_needed", "if_best": "if_best"}


class Problem(StrEnum):
    """What is wrong with what was typed."""

    LONG_TOPIC = "long topic"
    SAME_TOPIC = "same topic"
    MANY_TOPICS = "many topics"
    NO_TOPIC = "no topic"
    NO_PERIOD = "no period"
    MANY_PERIODS = "many periods"
    LONG_PERIOD = "long period"
    SAME_PERIOD = "same period"
    BAD_ROUNDS = "bad rounds"
    BAD_DAYS = "bad days"


@dataclass(frozen=True, slots=True)
class Typed:
    """The page as it was typed."""

    topics: tuple[Topic, ...]
    """As they are read on the page, also those that ship."""
    new_topic: str = ""
    periods: str = ""
    """Names with commas between them."""
    subjects: str = ""
    again: str = ""
    triads: bool = False
    between_schools: bool = False
    rounds: str = ""
    days: str = ""


def typed_of(chosen: Settings, topics: tuple[Topic, ...]) -> Typed:
    """The page of settings that are kept. `topics`: theirs, as they are read."""
    return Typed(
        topics,
        periods=", ".join(chosen.periods),
        subjects=chosen.subjects,
        again=chosen.again,
        triads=chosen.triads,
        between_schools=chosen.between_schools,
        rounds=str(chosen.rounds),
        days=str(chosen.days),
    )


def check(typed: Typed, shipped: Mapping[str, str], new_key: str) -> tuple[Settings, list[tuple[str, Problem, str]]]:
    """The settings that were typed, and what is wrong with them: (id of the box, problem, what it is about), in the
    order of the page.

    `shipped`: key → text of the topics that ship, as the reader reads them; `new_key`: of a topic that is added.
    """
    wrong: list[tuple[str, Problem, str]] = []
    topics = _topics(typed, new_key, wrong)
    # What reads as it ships stays in the language of whoever reads it.
    kept = tuple(replace(each, text="") if shipped.get(each.key) == each.text else each for each in topics)
    if [(each.key, each.text) for each in kept] == [(key, "") for key in TOPICS]:
        kept = ()
    periods = _periods(typed.periods, wrong)
    rounds = _number(typed.rounds, 1, MAX_ROUNDS)
    if rounds is None:
        wrong.append(("rounds", Problem.BAD_ROUNDS, ""))
    days = _number(typed.days, LEAST_DAYS, MOST_DAYS)
    if days is None:
        wrong.append(("days", Problem.BAD_DAYS, ""))
    chosen = Settings(
        topics=kept,
        periods=periods,
        subjects=_SUBJECTS.get(typed.subjects, "ignore"),
        again=_AGAIN.get(typed.again, "if_needed"),
        triads=typed.triads,
        between_schools=typed.between_schools,
        rounds=rounds or 1,
        days=days or MOST_DAYS,
    )
    return chosen, wrong


def arrange(topics: tuple[Topic, ...], do: str) -> tuple[Topic, ...]:
    """The topics after one of them was moved or removed (`up <key>`, `down <key>`, `remove <key>`), or those that ship
    were put back at the end (`shipped`). The last one cannot be removed; anything else changes nothing."""
    if do == "shipped":
        here = {each.key for each in topics}
        return (*topics, *(Topic(key, "") for key in TOPICS if key not in here))[:MAX_TOPICS]
    way, _space, key = do.partition(" ")
    at = next((place for place, each in enumerate(topics) if each.key == key), None)
    if at is None or way not in ("up", "down", "remove"):
        return topics
    rest = [*topics[:at], *topics[at + 1 :]]
    if way == "remove":
        return tuple(rest) or topics
    rest.insert(max(0, at - 1) if way == "up" else at + 1, topics[at])
    return tuple(rest)


def _topics(typed: Typed, new_key: str, wrong: list[tuple[str, Problem, str]]) -> tuple[Topic, ...]:
    added = [Topic(new_key, typed.new_topic)] if typed.new_topic else []
    found = [each for each in (*typed.topics, *added) if each.text]
    seen: set[str] = set()
    for each in found:
        box = "new-topic" if each.key == new_key else f"topic-{each.key}"
        if len(each.text) > MAX_TOPIC:
            wrong.append((box, Problem.LONG_TOPIC, str(len(each.text))))
        if fold(each.text) in seen:
            wrong.append((box, Problem.SAME_TOPIC, each.text))
        seen.add(fold(each.text))
    if len(found) > MAX_TOPICS:
        wrong.append(("new-topic", Problem.MANY_TOPICS, ""))
    if not found:
        wrong.append(("new-topic", Problem.NO_TOPIC, ""))
    return tuple(found)


def _periods(text: str, wrong: list[tuple[str, Problem, str]]) -> tuple[str, ...]:
    names = [name for name in (" ".join(part.split()) for part in text.split(",")) if name]
    if not names:
        wrong.append(("periods", Problem.NO_PERIOD, ""))
    if len(names) > MAX_PERIODS:
        wrong.append(("periods", Problem.MANY_PERIODS, str(len(names))))
    for place, name in enumerate(names[:MAX_PERIODS]):
        if len(name) > MAX_PERIOD:
            wrong.append(("periods", Problem.LONG_PERIOD, name))
        if fold(name) in {fold(each) for each in names[:place]}:
            wrong.append(("periods", Problem.SAME_PERIOD, name))
    return tuple(names) or Settings().periods


def _number(text: str, least: int, most: int) -> int | None:
    text = text.strip()
    if not (text.isascii() and text.isdigit() and len(text) <= 3):
        return None
    return number if least <= (number := int(text)) <= most else None
