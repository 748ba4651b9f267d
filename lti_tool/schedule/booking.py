"""Use cases of booking the three meetings of a cycle together: what is proposed, what is chosen, and the way back.

Who may is asked before (privacy/rules.py, by the views). Of a timetable nothing leaves here but the proposed times,
and, to its owner, what of it is in the way.
"""

import hashlib
import hmac
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import chain, pairwise

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from lti_tool.cycles import rules, service
from lti_tool.cycles.rules import Cycle, Member
from lti_tool.pairing.models import PairMember
from lti_tool.people.models import Membership
from lti_tool.privacy.keyring import Keyring, ScopeKeys
from lti_tool.protocols.recipe import Stage
from lti_tool.schedule import taken, times, triples
from lti_tool.schedule.models import ReturnMeeting
from lti_tool.schedule.timetable import Availability, Slot, Span, together
from lti_tool.schedule.triples import Triple, Wanted
from lti_tool.store.base import new_id

KINDS = ("before", "visit", "after")
NOTICE = timedelta(hours=2)
"""Nothing is proposed that begins sooner."""
AHEAD = timedelta(weeks=4)
MOST = 6
SHORT_MIN = 10
"""Minutes of a conversation where the two ask for short ones."""
_ORDER = ("before_after_visit", "before_early", "after_before_visit", "after_late")
"""What does not fit whatever anybody's timetable says."""


class NotOfferedError(Exception):
    """What was chosen was never proposed to this person, or does not suit any more."""


@dataclass(frozen=True, slots=True)
class Way:
    """What is looked for: times for the visit alone, or for the way back too; with short conversations."""

    both: bool = False
    short: bool = False


@dataclass(frozen=True, slots=True)
class Offer:
    """What a page shows of two timetables."""

    lacking: tuple[Member, ...] = ()
    """Who has said no timetable from which times can be proposed."""
    found: tuple[tuple[Triple, ...], ...] = ()
    """One triple each, or there and back; best first."""
    doubts: tuple[str, ...] = ()
    """What does not fit in the three that are booked: triples.Code, of one's own timetable and of their order alone."""


@dataclass(frozen=True, slots=True)
class _Known:
    """When the two can meet, and what they have booked."""

    host: Availability
    others: Availability
    mine: bool
    """Whether what is said of the others is said of the viewing member alone, or they are the host."""
    taken_host: Sequence[Span] = ()
    taken_others: Sequence[Span] = ()
    lacking: tuple[Member, ...] = field(default=())


def has_all(cycle: Cycle) -> bool:
    """Whether there are a visit and a conversation before and after it in a cycle."""
    return not cycle.is_alone and all(_stage(cycle, kind) for kind in KINDS)


def open_kinds(cycle: Cycle) -> tuple[str, ...]:
    """The meetings that can be booked together by now; none once the visit has taken place."""
    kinds = tuple(kind for kind in KINDS if (stage := _stage(cycle, kind)) and not rules.is_done(cycle, stage))
    return kinds if has_all(cycle) and {"visit", "after"} <= set(kinds) else ()


def offer(
    session: Session, keyring: Keyring, cycle: Cycle, way: Way, *, course_id: str, zone: str, now: datetime
) -> Offer:
    """What can be proposed to the viewing member; six statements, one of them to the keyring."""
    if not open_kinds(cycle) or len(_people(cycle)) < 2:
        return Offer()
    way = replace(way, both=way.both and may_go_back(cycle))
    wanted = _wanted(cycle, way, now)
    known = _known(session, keyring, cycle, way, wanted, course_id=course_id, zone=zone, now=now)
    if known.lacking:
        return Offer(known.lacking)
    given = (known.host, known.others, wanted, known.taken_host, known.taken_others)
    if way.both:
        found: list[tuple[Triple, ...]] = list(triples.both_ways(*given, most=MOST))
    else:
        found = [(each,) for each in triples.propose(*given, most=MOST)]
    return Offer(found=tuple(found), doubts=_doubts(cycle, known, wanted))


def may_go_back(cycle: Cycle) -> bool:
    """Whether a way back can be agreed: the two swap roles after this cycle, if they would like to."""
    return not cycle.is_group and not cycle.is_alone and "before" in open_kinds(cycle)


def choose(
    session: Session,
    keyring: Keyring,
    keys: ScopeKeys,
    cycle: Cycle,
    found: tuple[Triple, ...],
    revs: tuple[int, ...],
    way: Way,
    *,
    course_id: str,
    zone: str,
    now: datetime,
) -> None:
    """Books what was proposed, for all members of the cycle (it is locked, and the viewing member may book its visit).

    `found` and `revs` as read() gave them; twice is once. Raises NotOfferedError where it does not suit any more, and
    NotPossible where the purpose of the visit is missing; then nothing is booked.
    """
    kinds = open_kinds(cycle)
    there = found[0]
    spans = dict(zip(KINDS, spans_of(there), strict=True))
    if kinds and all(_is_booked(cycle, kind, spans[kind]) for kind in kinds) and _is_agreed(session, cycle, found[1:]):
        return
    if revs != _revs(cycle):
        raise NotOfferedError
    visit_stage = next(each for each in cycle.stages if "visit" in each.meetings)
    if missing := rules.missing_to_book_visit(cycle, visit_stage, cycle.me):
        raise service.NotPossible(missing)
    taken.lock(session, [each.person_id for each in _people(cycle)])
    way = replace(way, both=len(found) > 1)
    wanted = _wanted(cycle, way, now)
    known = _known(session, keyring, cycle, way, wanted, course_id=course_id, zone=zone, now=now)
    if known.lacking or not kinds or (len(found) > 1 and not may_go_back(cycle)):
        raise NotOfferedError
    if not _still_suits(there, known, wanted, kinds):
        raise NotOfferedError
    if len(found) > 1:
        turned = replace(known, host=known.others, others=known.host,
                         taken_host=known.taken_others, taken_others=known.taken_host)  # fmt: skip
        if not _still_suits(found[1], turned, wanted, KINDS):
            raise NotOfferedError
    if len(found) > 1:
        # What was agreed before is in nobody's way any more.
        drop_way_back(session, cycle)
    places = service.read_places(session, keys, cycle.id)
    for kind in kinds:
        if _is_booked(cycle, kind, spans[kind]):
            continue
        there_now = cycle.meeting(kind)
        service.set_meeting(
            session,
            keys,
            cycle,
            kind,
            starts_at=spans[kind].start,
            minutes=_minutes(spans[kind]),
            place=places.get(kind, ""),
            seen_rev=there_now.rev if there_now else 0,
            now=now,
        )
    if len(found) > 1:
        _keep_way_back(session, cycle, found[1], now)


def way_back(session: Session, cycle: Cycle) -> dict[str, tuple[datetime, int]]:
    """Kind → (start, minutes) of what is agreed for the way back."""
    rows = session.execute(
        select(ReturnMeeting.kind, ReturnMeeting.starts_at, ReturnMeeting.minutes).where(
            ReturnMeeting.pair_id == cycle.pair_id
        )
    )
    found = {row.kind: (row.starts_at, row.minutes) for row in rows}
    return {kind: found[kind] for kind in KINDS if kind in found}


def drop_way_back(session: Session, cycle: Cycle) -> None:
    """Either of the two takes the way back out again. The cycle is locked."""
    session.execute(delete(ReturnMeeting).where(ReturnMeeting.pair_id == cycle.pair_id))


def of_person(session: Session, person_id: str) -> list[dict[str, object]]:
    """What is agreed for the way back in pairs of a person, for their own copy of what is theirs."""
    rows = session.execute(
        select(ReturnMeeting.kind, ReturnMeeting.starts_at, ReturnMeeting.minutes, ReturnMeeting.host_id, Membership.id)
        .join(PairMember, PairMember.pair_id == ReturnMeeting.pair_id)
        .join(Membership, Membership.id == PairMember.membership_id)
        .where(Membership.person_id == person_id)
        .order_by(ReturnMeeting.starts_at)
    )
    return [
        {
            "for": row.kind,
            "starts_at": row.starts_at,
            "minutes": row.minutes,
            "your_role": "host" if row.host_id == row.id else "coach",
        }
        for row in rows
    ]


# A choice, as a button sends it


def written(found: Sequence[Triple], cycle: Cycle, secret: bytes) -> str:
    """A proposal as one word that only whom it was shown to can send back, and only as it was.

    Whoever could send any times would learn from the answers when a colleague is free.
    """
    moments = chain.from_iterable((span.start, span.end) for each in found for span in spans_of(each))
    body = ".".join(map(str, (*_revs(cycle), *(int(moment.timestamp()) for moment in moments))))
    return f"{body}.{_sign(body, cycle, secret)}"


def read(text: str, cycle: Cycle, secret: bytes) -> tuple[tuple[Triple, ...], tuple[int, ...]]:
    """What written() wrote for this member of this cycle: the triples, and the state of the bookings that was on the
    page. Raises NotOfferedError."""
    body, _dot, mac = text.rpartition(".")
    if not text.isascii() or not hmac.compare_digest(_sign(body, cycle, secret), mac):
        raise NotOfferedError
    numbers = [int(part) for part in body.split(".")]
    moments = [datetime.fromtimestamp(number, UTC) for number in numbers[len(KINDS) :]]
    spans = [Span(start, end) for start, end in list(pairwise(moments))[::2]]
    found = tuple(
        Triple(before, Slot(visit.start, visit.end, ""), after)
        for before, visit, after in zip(spans[::3], spans[1::3], spans[2::3], strict=True)
    )
    return found, tuple(numbers[: len(KINDS)])


def _sign(body: str, cycle: Cycle, secret: bytes) -> str:
    return hmac.new(secret, f"times/{cycle.id}/{cycle.viewer_id}/{body}".encode(), hashlib.sha256).hexdigest()


def _revs(cycle: Cycle) -> tuple[int, ...]:
    return tuple(meeting.rev if (meeting := cycle.meeting(kind)) else 0 for kind in KINDS)


def spans_of(triple: Triple) -> tuple[Span, Span, Span]:
    """When its meetings are, in the order of KINDS."""
    return triple.before, Span(triple.visit.start, triple.visit.end), triple.after


# What is looked for, and in what


def _stage(cycle: Cycle, kind: str) -> Stage | None:
    """The last stage in which a meeting can be booked."""
    return next((each for each in reversed(cycle.stages) if kind in each.meetings), None)


def _people(cycle: Cycle) -> tuple[Member, ...]:
    """Who meets: the host first."""
    return (cycle.host, *(each for each in cycle.needed if each is not cycle.host))


def _wanted(cycle: Cycle, way: Way, now: datetime) -> Wanted:
    def minutes(kind: str) -> int:
        stage = _stage(cycle, kind)
        return SHORT_MIN if way.short else (stage.minutes if stage and stage.minutes else SHORT_MIN)

    # To the minute, and never sooner than the notice.
    earliest = (now + NOTICE + timedelta(minutes=1)).replace(second=0, microsecond=0)
    # Where the two have talked already, any time before the visit will do: it is not booked.
    before = minutes("before") if "before" in open_kinds(cycle) else triples.STEP_MIN
    return Wanted(now.date(), (now + AHEAD).date(), earliest, before_min=before, after_min=minutes("after"))


def _known(
    session: Session,
    keyring: Keyring,
    cycle: Cycle,
    way: Way,
    wanted: Wanted,
    *,
    course_id: str,
    zone: str,
    now: datetime,
) -> _Known:
    people = _people(cycle)
    ids = [each.person_id for each in people]
    if len(ids) < 2:
        # All the others of a group pause.
        return _Known(Availability(), Availability(), False)
    # School days before the first one say how early a conversation can be.
    found = times.of(session, keyring, ids, course_id, wanted.first - triples.BEFORE_SPAN, wanted.last, now, zone=zone)
    lacking = tuple(each for each in people if each.person_id not in found)
    if lacking:
        return _Known(Availability(), Availability(), False, lacking=lacking)
    booked = times.taken(
        session, ids, wanted.first - triples.BEFORE_SPAN, wanted.last,
        but_cycle=cycle.id, but_pair=cycle.pair_id if way.both else "",
    )  # fmt: skip
    host, *others = ids
    return _Known(
        found[host],
        together([found[each] for each in others]) if len(others) > 1 else found[others[0]],
        cycle.viewer_id == host or others == [cycle.viewer_id],
        booked.get(host, []),
        [span for each in others for span in booked.get(each, [])],
    )


def _still_suits(triple: Triple, known: _Known, wanted: Wanted, kinds: Collection[str]) -> bool:
    given = (known.host, known.others, wanted, known.taken_host, known.taken_others)
    codes = triples.still_fits(triple, *given)
    begins = min(span.start for kind, span in zip(KINDS, spans_of(triple), strict=True) if kind in kinds)
    return begins > wanted.earliest - NOTICE and not [code for code in codes if code.partition("_")[0] in kinds]


def _doubts(cycle: Cycle, known: _Known, wanted: Wanted) -> tuple[str, ...]:
    """What does not fit in what is booked, as far as it is the viewing member's to know."""
    meetings = [cycle.meeting(kind) for kind in KINDS]
    booked = [Span(each.starts_at, each.ends_at) for each in meetings if each]
    if len(booked) < len(KINDS) or min(each.start for each in booked) < wanted.earliest - NOTICE:
        return ()
    before, visit, after = booked
    triple = Triple(before, Slot(visit.start, visit.end, ""), after)
    codes = triples.still_fits(triple, known.host, known.others, wanted, known.taken_host, known.taken_others)
    whose = "_host" if cycle.me is cycle.host else "_coach" if known.mine else "_nobody"
    return tuple(code for code in codes if code in _ORDER or code.endswith(whose))


def _is_booked(cycle: Cycle, kind: str, span: Span) -> bool:
    meeting = cycle.meeting(kind)
    return meeting is not None and (meeting.starts_at, meeting.ends_at) == (span.start, span.end)


def _is_agreed(session: Session, cycle: Cycle, back: Sequence[Triple]) -> bool:
    """Whether the way back is agreed as it was chosen; where none was, nothing is asked of it."""
    wanted = [(span.start, _minutes(span)) for each in back for span in spans_of(each)]
    return not wanted or list(way_back(session, cycle).values()) == wanted


def _minutes(span: Span) -> int:
    return max(1, round((span.end - span.start).total_seconds() / 60))


def _keep_way_back(session: Session, cycle: Cycle, triple: Triple, now: datetime) -> None:
    rows: list[Mapping[str, object]] = [
        {
            "id": new_id(),
            "pair_id": cycle.pair_id,
            "host_id": cycle.partner.membership_id if cycle.me is cycle.host else cycle.me.membership_id,
            "kind": kind,
            "starts_at": span.start,
            "minutes": _minutes(span),
            "made_at": now,
        }
        for kind, span in zip(KINDS, spans_of(triple), strict=True)
    ]
    session.execute(insert(ReturnMeeting), rows)
