"""When somebody is reminded, and of what: values in, values out.

Nobody is reminded who did not ask for it. Whoever did is reminded once of a thing, on school days, within the hours
that they chose, by their own clock; never in the holidays, and never of what has waited so long that it is old news.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from lti_tool.schedule.week import SchoolWeek

KINDS = ("meeting", "turn", "rhythm", "pairing")
"""A booking that comes up; one's own next step that waits; that it would be time for a next cycle; an invitation or a
proposal that waits for an answer."""
WAYS = ("off", "page", "email", "lms")
"""off: nowhere; page: on the page of reminders; email and lms: by a message, and there too."""
SENT = ("email", "lms")
"""Ways by which something leaves the tool."""
DIGESTS = ("each", "daily", "weekly")
EARLIEST, LATEST = 6, 21
"""Hours between which somebody can choose theirs."""
AHEAD = timedelta(days=7)
"""No booking is spoken of sooner."""
TURN_AFTER = timedelta(days=7)
"""A step waits so long, without anything done by anybody, before anybody is reminded of it."""
OLD_AFTER = timedelta(days=30)
"""What is due so long is not spoken of any more. Shorter than reminders are kept, so that none comes twice."""
KEPT_FOR = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class When:
    """When somebody can be reminded."""

    zone: str
    """IANA name; the hours are by its clock."""
    digest: str = "daily"
    from_hour: int = 8
    to_hour: int = 17
    last_sent_at: datetime | None = None

    def day_of(self, moment: datetime) -> date:
        """The day it is for them at a moment."""
        return moment.astimezone(ZoneInfo(self.zone)).date()


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to be reminded of, as long as it is so."""

    person_id: str
    kind: str
    about: str
    """Id of the meeting, cycle, pair, invitation or proposal."""
    stamp: str
    """What makes it another one of the same thing, 40 characters at most."""
    course_id: str
    school_id: str | None
    what: str
    """Which sentence says it: before, visit, after; turn; rhythm; invitation, proposal."""
    at: datetime
    """When the booking begins; since when a step waits; when the last cycle was finished; until when to answer."""
    due_at: datetime
    """From when on it is spoken of; of a booking see opens()."""

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What it is told apart by."""
        return self.person_id, self.kind, self.about, self.stamp


def is_school_day(week: SchoolWeek, day: date, quiet_months: Collection[int]) -> bool:
    """Whether the school of a week is open; in the quiet months it is not, whatever the week says."""
    return day.month not in quiet_months and week.is_school_day(day)


def is_within_hours(when: When, now: datetime) -> bool:
    """Whether it is an hour in which somebody wants to be reminded, on whatever day."""
    return when.from_hour <= now.astimezone(ZoneInfo(when.zone)).hour < when.to_hour


def is_time(when: When, week: SchoolWeek, quiet_months: Collection[int], now: datetime) -> bool:
    """Whether something may leave now: on a school day of this week, within the person's hours, by their clock."""
    return is_within_hours(when, now) and is_school_day(week, when.day_of(now), quiet_months)


def is_turn_of_digest(when: When, now: datetime) -> bool:
    """Whether the next message may leave, after the last one."""
    if when.last_sent_at is None or when.digest == "each":
        return True
    last, today = when.day_of(when.last_sent_at), when.day_of(now)
    return last < today if when.digest == "daily" else last.isocalendar()[:2] < today.isocalendar()[:2]


def opens(starts_at: datetime, when: When, week: SchoolWeek, quiet_months: Collection[int]) -> datetime:
    """From when on a booking is spoken of: the school day before it, or a week ahead for who hears once a week.

    After a week without school, on its own day.
    """
    if when.digest == "weekly":
        return starts_at - AHEAD
    own = when.day_of(starts_at)
    before = (own - timedelta(days=back) for back in range(1, AHEAD.days + 1))
    day = next((each for each in before if is_school_day(week, each, quiet_months)), own)
    return datetime.combine(day, time(when.from_hour), ZoneInfo(when.zone)).astimezone(UTC)


def is_due(item: Item, when: When, week: SchoolWeek, quiet_months: Collection[int], now: datetime) -> bool:
    """Whether somebody is to be reminded of something now, as far as it and the hour go; see is_turn_of_digest."""
    if not is_time(when, week, quiet_months, now):
        return False
    if item.kind == "meeting":
        return opens(item.at, when, week, quiet_months) <= now < item.at
    return item.due_at <= now < item.due_at + OLD_AFTER


def waits_for(step_waits: bool, code: str, meets_until: datetime | None, now: datetime) -> bool:
    """Whether a next step is one that its person could take: not the other's, and not behind a booking to come.

    `meets_until`: when the booking of its stage ends, None where there is none.
    """
    if step_waits or code in ("stopped", "reflected", "visit_ahead"):
        return False
    return meets_until is None or meets_until <= now


def read_hours(from_text: str, to_text: str) -> tuple[int, int] | None:
    """Hours as a form sends them; None for what is none, or where the end does not come after the beginning."""
    texts = (from_text, to_text)
    if not all(text.isascii() and text.isdigit() and len(text) <= 2 for text in texts):
        return None
    begins, ends = (int(text) for text in texts)
    return (begins, ends) if EARLIEST <= begins < ends <= LATEST else None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a message."""

    status: str
    """sent; failed (it did not leave and never will); unknown (it may have left, so it is not sent again); later (it
    certainly did not leave, and is tried again)."""
    problem: str = ""
    """A code of 20 characters at most; empty for one that was sent."""
    stops: bool = False
    """Whether no other message would leave this way now."""
