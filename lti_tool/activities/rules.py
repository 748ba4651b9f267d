"""What a trainer may write into an activity: values in, values out."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from lti_tool.rhythm.rules import read_weeks

MAX_PURPOSE = 2000
"""Characters of the purpose; as wide as its column."""
MAX_TITLE = 250
"""Characters of a title; Moodle takes 255."""
AUDIENCES = ("everyone", "schools", "chosen")
NEW_ROUND = "new"
"""The pairing round that is placed together with this activity."""


class Problem(StrEnum):
    """What is wrong with a form of settings."""

    NOT_OFFERED = "not offered"
    """The kind, or the way to coach."""
    NO_TITLE = "no title"
    LONG_TITLE = "long title"
    LONG_PURPOSE = "long purpose"
    BAD_START = "bad start"
    BAD_END = "bad end"
    ENDS_BEFORE = "ends before it starts"
    BAD_AUDIENCE = "bad audience"
    NO_SCHOOL = "no school"
    BAD_ROUND = "bad round"
    BAD_CADENCE = "bad cadence"
    NO_NEW_ROUND = "no new round"
    """The round that was to be placed together with it is not."""


@dataclass(frozen=True, slots=True)
class Offered:
    """What can be chosen where a form is filled in."""

    whats: tuple[str, ...]
    """`kind:protocol`, in the order offered; the protocol is empty for a kind without one."""
    schools: frozenset[str]
    rounds: frozenset[str]
    """Pairing rounds of the course, by activity id; with NEW_ROUND where one can be placed along."""


@dataclass(frozen=True, slots=True)
class Draft:
    """The settings of one activity as they were typed."""

    what: str
    title: str = ""
    purpose: str = ""
    starts_on: str = ""
    ends_on: str = ""
    audience: str = "everyone"
    schools: tuple[str, ...] = ()
    pairs_from: str = ""
    reports_completion: bool = False
    cadence: str = ""


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one activity, checked."""

    kind: str
    protocol: str
    title: str
    purpose: str
    starts_on: date | None
    ends_on: date | None
    audience: str
    schools: tuple[str, ...]
    pairs_from: str
    """Id of a pairing round, NEW_ROUND, or empty."""
    reports_completion: bool
    cadence_weeks: int | None = None


def check(draft: Draft, offered: Offered, *, with_title: bool = True) -> tuple[Settings, list[Problem]]:
    """The settings of a draft, and what has to be corrected before they can be used.

    `with_title`: false where the name is the LMS's to say.
    """
    found = []
    if draft.what not in offered.whats:
        found.append(Problem.NOT_OFFERED)
    if with_title and not draft.title:
        found.append(Problem.NO_TITLE)
    if len(draft.title) > MAX_TITLE:
        found.append(Problem.LONG_TITLE)
    if len(draft.purpose) > MAX_PURPOSE:
        found.append(Problem.LONG_PURPOSE)
    starts_on, ends_on, wrong = read_dates(draft.starts_on, draft.ends_on)
    found += wrong
    if draft.audience not in AUDIENCES:
        found.append(Problem.BAD_AUDIENCE)
    schools = tuple(school for school in draft.schools if school in offered.schools)
    if draft.audience == "schools" and not schools:
        found.append(Problem.NO_SCHOOL)
    kind, _, protocol = draft.what.partition(":")
    pairs_from = draft.pairs_from if kind == "cycle" else ""
    if pairs_from and pairs_from not in offered.rounds:
        found.append(Problem.BAD_ROUND)
    cadence_weeks = read_weeks(draft.cadence) if kind == "cycle" else None
    if kind == "cycle" and draft.cadence and cadence_weeks is None:
        found.append(Problem.BAD_CADENCE)
    settings = Settings(
        kind=kind,
        protocol=protocol,
        title=draft.title,
        purpose=draft.purpose,
        starts_on=starts_on,
        ends_on=ends_on,
        audience=draft.audience,
        schools=schools if draft.audience == "schools" else (),
        pairs_from=pairs_from,
        # A round of finding partners is nothing to complete.
        reports_completion=draft.reports_completion and kind != "pairing",
        cadence_weeks=cadence_weeks,
    )
    return settings, found


def problems_together(settings: Iterable[Settings]) -> list[tuple[int, Problem]]:
    """What is wrong with activities that are to be placed in one go, each with its number, from 0."""
    settings = list(settings)
    has_round = any(each.kind == "pairing" for each in settings)
    return [
        (number, Problem.NO_NEW_ROUND)
        for number, each in enumerate(settings)
        if each.pairs_from == NEW_ROUND and not has_round
    ]


def read_dates(starts: str, ends: str) -> tuple[date | None, date | None, list[Problem]]:
    """First and last day as a date field sends them (2026-12-01, or empty), and what is wrong with them."""
    found = []
    starts_on, ends_on = _date(starts), _date(ends)
    if starts and starts_on is None:
        found.append(Problem.BAD_START)
    if ends and ends_on is None:
        found.append(Problem.BAD_END)
    if starts_on and ends_on and ends_on < starts_on:
        found.append(Problem.ENDS_BEFORE)
    return starts_on, ends_on, found


def _date(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    # Further away it is a slip of the finger, and some formats of a date cannot show it.
    return found if found.isoformat() == text and 2000 <= found.year <= 2100 else None


@dataclass(frozen=True, slots=True)
class Planned:
    """An activity in the plan of its course, as far as its place needs it."""

    id: str
    position: int
    """From 1; 0 for one that nobody has arranged yet."""
    starts_on: date | None
    title: str


def in_order(planned: Iterable[Planned]) -> list[str]:
    """Ids in the order of the plan: as arranged by hand; then the others by first day and name, the dateless last."""

    def place(each: Planned) -> tuple[bool, int, date, str, str]:
        return not each.position, each.position, each.starts_on or date.max, each.title.casefold(), each.id

    return [each.id for each in sorted(planned, key=place)]


def moved(order: list[str], activity_id: str, by: int) -> list[str]:
    """The order after one activity went up (-1) or down (1); as it was where that leads out of the list."""
    where = order.index(activity_id)
    to = where + by
    if not 0 <= to < len(order):
        return order
    changed = list(order)
    changed[where], changed[to] = changed[to], changed[where]
    return changed
