"""Decisions about pairing rounds: values in, values out."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal, Self

DAYS = 5
"""Days of a school week, Monday first."""
MAX_TOPICS = 40
TOPICS = (
    *("questions", "waiting", "pupils_talk", "engagement", "groups", "feedback", "assessment", "differentiation"),
    *("inclusion", "literacy", "numeracy", "digital", "routines", "irish", "play", "transitions"),
)
"""Keys of the topics that ship, as words.topic says them. None is ever used for another topic."""
MAX_CHOSEN = 5
"""Topics that one teacher may want, and may offer."""
MAX_NOT_WITH = 3
"""Colleagues with whom somebody would rather not be paired; the reason is never asked."""
MAX_PERIODS = 12
MAX_WORDS = 60
"""Characters of a subject, and of a class or year."""
MAX_ROUNDS = 8
"""Rounds that are planned for together, this one included."""
HELPS = ("triad", "other_school", "period", "joins", "")
"""The smallest change that would help a teacher without a partner, the first that does: if three could go together, if
they would go to another school, if they had one more free period, if one more colleague took part; none of these."""

NEW, TRIAD, AGAIN, LITTLE, MOVED = 16, 8, 4, 2, 1
"""Why a trainer should look at a proposal; Proposal.attention is the sum of those that hold, so that the lists, which
begin with the greatest, begin with what matters most: three go together, two have met before, little in common by what
they said, put together by hand. New around those who were put together by hand: comes after all of them."""

Subjects = Literal["ignore", "same", "different"]
Again = Literal["if_best", "if_needed"]


@dataclass(frozen=True, slots=True)
class Topic:
    """Something to coach each other on, as the trainer's list has it."""

    key: str
    """Never changes, so that what was chosen stays."""
    text: str
    """As teachers read it; of a shipped topic empty, and said by words.topic in the reader's language."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How a trainer has a round calculated."""

    topics: tuple[Topic, ...] = ()
    """Empty: the shipped ones."""
    periods: tuple[str, ...] = ("1", "2", "3", "4", "5", "6", "7", "8", "9")
    """Names of the periods of a day, in order; at most MAX_PERIODS."""
    subjects: Subjects = "ignore"
    again: Again = "if_needed"
    """Whether former partners meet again if that is best by what they said, or only if else somebody is left out."""
    triads: bool = True
    """Whether three may go together where somebody would be left out."""
    between_schools: bool = False
    """Whether pairs of two schools are allowed at all; then still both have to be willing."""
    rounds: int = 1
    days: int = 14
    """How long teachers have to answer: 3 to 14 days."""

    def to_json(self) -> dict[str, Any]:
        """As `of` takes it."""
        return asdict(self)

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Self:
        """The settings that to_json() gave; what is unknown by now is left out."""
        topics = tuple(Topic(each["key"], each["text"]) for each in body.get("topics", ()))
        return cls(**_known(cls, {**body, "topics": topics}))


@dataclass(frozen=True, slots=True)
class Wish:
    """What a teacher said for a round; all of it may be empty. How far they go is kept apart (cycles.StepWish)."""

    is_in: bool = False
    """Whether they would like a partner in this round."""
    wants: tuple[str, ...] = ()
    """Keys of topics they would like to work on."""
    offers: tuple[str, ...] = ()
    """Keys of topics in which they can be of use."""
    focus: str = ""
    """Key of the one topic that matters most now."""
    languages: tuple[str, ...] = ()
    """Of the conversations: en, ga; empty: not said, any."""
    subject: str = ""
    level: str = ""
    free: tuple[str, ...] = ()
    """Cells of the week in which they are in school and do not teach: `day-period`, both from 0."""
    teaching: tuple[str, ...] = ()
    """Cells in which they teach and can be visited; in all others they are away. Both empty: not said, any time."""
    same_step: bool = False
    """Whether only a partner who goes exactly as far will do; else the two go as far as the lower of both."""
    other_school: bool = False
    """Whether they are willing to work with a colleague of another school."""
    not_with: tuple[str, ...] = ()
    """Membership ids; at most MAX_NOT_WITH. Shown to nobody."""

    def to_json(self) -> dict[str, Any]:
        """As `of` takes it."""
        return asdict(self)

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Self:
        """The wish that to_json() gave; what is unknown by now is left out."""
        return cls(**_known(cls, body))


@dataclass(frozen=True, slots=True)
class Why:
    """What the members of a proposal share, each part only from what both said, or one wants and another offers."""

    wanted: tuple[tuple[str, str, str], ...] = ()
    """(membership id of who wants it, membership id of who offers it, key of the topic)"""
    focus: str = ""
    """Key of the topic that all of them named first."""
    both_want: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    subject: str = ""
    level: str = ""
    talks: int = 0
    """Periods of the week in which all of them are free."""

    def to_json(self) -> dict[str, Any]:
        """As `of` takes it."""
        return asdict(self)

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Self:
        """What to_json() gave."""
        return cls(**_known(cls, body))


@dataclass(frozen=True, slots=True)
class Summary:
    """What a run came to, in numbers."""

    people: int = 0
    pairs: int = 0
    triads: int = 0
    left: int = 0
    worst: int | None = None
    """Fit of the least fitting pair; None where there is no pair."""
    total: int = 0
    """Of all, as matching.Solution counts it."""
    again: int = 0
    """Pairs who have worked together before."""
    gap: int = 0
    """How much better the total could be at most; 0: proven best."""
    seconds: float = 0.0
    kept: int = 0
    """People in pairs that were accepted or are open already, and stay."""
    candidates: int = 0
    """Pairs that are possible by all rules."""
    nearest: int = 0
    """In a very large round, how many of the best fitting colleagues of each person were looked at; 0: all."""
    later: tuple[int, ...] = field(default=())
    """Where further rounds are planned for: how many would be without a partner in each of them."""
    unplanned: bool = False
    """Whether further rounds were asked for, and are too large to be planned for."""

    def to_json(self) -> dict[str, Any]:
        """As `of` takes it."""
        return asdict(self)

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Self:
        """What to_json() gave."""
        return cls(**_known(cls, body))


def attention_of(*, members: int, again: bool, little: bool, moved: bool, new: bool = False) -> int:
    """How much a trainer should look at a proposal, as Proposal.attention keeps it."""
    return TRIAD * (members > 2) + AGAIN * again + LITTLE * little + MOVED * moved + NEW * new


def is_managed(schools: Mapping[str, str], managers: Iterable[tuple[str, str | None]]) -> bool:
    """Whether of a group one is line manager of another, as fit.build has it.

    `schools`: membership id of each of the group → id of their school, empty where it is not known; `managers`:
    (manager, report), None for everybody of the manager's school.
    """
    return any(
        manager in schools
        and any(
            other != manager and (other == report if report else schools[manager] in ("", schools[other]))
            for other in schools
        )
        for manager, report in managers
    )


def tidy(wish: Wish, topics: Collection[str], periods: int, people: Collection[str]) -> Wish:
    """What of a wish still holds: without topics that the list of the round has no more, cells outside of its week of
    `periods` a day, and people (membership ids) who are not there any more. Where a shorter week leaves them
    never free, or never teaching, their times count as not said: else they could be paired with nobody."""
    week = {cell(day, period) for day in range(DAYS) for period in range(periods)}
    free = _within(wish.free, week)
    teaching = _within(wish.teaching, week - set(free))
    if not (free and teaching):
        free = teaching = ()
    return replace(
        wish,
        wants=_within(wish.wants, topics)[:MAX_CHOSEN],
        offers=_within(wish.offers, topics)[:MAX_CHOSEN],
        focus=wish.focus if wish.focus in topics else "",
        free=free,
        teaching=teaching,
        not_with=_within(wish.not_with, people)[:MAX_NOT_WITH],
    )


def cell(day: int, period: int) -> str:
    """A cell of the week as Wish has it; both from 0."""
    return f"{day}-{period}"


def _within(chosen: Collection[str], known: Collection[str]) -> tuple[str, ...]:
    """Those of `chosen` that are known, each once."""
    return tuple(dict.fromkeys(each for each in chosen if each in known))


def _known(cls: type, body: Mapping[str, Any]) -> dict[str, Any]:
    names = {each.name for each in fields(cls)}
    return {name: _frozen(value) for name, value in body.items() if name in names}


def _frozen(value: Any) -> Any:
    return tuple(_frozen(each) for each in value) if isinstance(value, list) else value
