"""What teachers say for a pairing round: all of it sealed, read by its author and by the calculation alone."""

import contextlib
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from json import dumps, loads
from typing import Any

from sqlalchemy import ColumnElement, delete, exists, func, insert, select, update
from sqlalchemy.orm import Session

from lti_tool.activities.models import Activity
from lti_tool.people.models import Membership, Person
from lti_tool.privacy.keyring import Keyring, KeyShredded
from lti_tool.rounds import setting
from lti_tool.rounds.models import PairingWish, Proposal, ProposalMember, RoundRun
from lti_tool.rounds.rules import Settings, Wish, tidy
from lti_tool.store.base import new_id

KEPT_FOR = timedelta(days=400)
"""Without a calculation of their round, until what teachers said for it is deleted."""
_AT_ONCE = 500
_ROOM = 2048
"""Bytes to which what is sealed is filled up, so that its length tells nothing either."""


def mine(session: Session, keyring: Keyring, membership_id: str, activity_id: str, now: datetime) -> Wish:
    """What a teacher said for a round, as far as it still holds; an empty Wish where they said nothing.

    At most four statements.
    """
    row = session.execute(
        select(PairingWish.id, PairingWish.person_id, PairingWish.sealed).where(_is_of(membership_id, activity_id))
    ).one_or_none()
    if row is None:
        return Wish()
    return _still_holds(session, activity_id, _opened(keyring, session, row, now))


def of_round(
    session: Session, keyring: Keyring, activity_id: str, now: datetime, only: Collection[str] | None = None
) -> dict[str, Wish]:
    """Membership id → what they said for a round, as far as it still holds; also of those who are not in.

    `only`: of these memberships alone.

    For the calculation and a rounded count, never for a page. Three statements, and one for each 500 wishes.
    """
    rows = session.execute(
        select(PairingWish.id, PairingWish.membership_id, PairingWish.person_id, PairingWish.sealed)
        .where(PairingWish.activity_id == activity_id)
        .where(*([] if only is None else [PairingWish.membership_id.in_(only)]))
        .order_by(PairingWish.membership_id)
    ).all()
    found = {}
    for start in range(0, len(rows), _AT_ONCE):
        some = rows[start : start + _AT_ONCE]
        keys = keyring.opened_all(session, [row.id for row in some], now)
        for row in some:
            with contextlib.suppress(KeyShredded):
                found[row.membership_id] = _wish(keys[row.id].open(row.person_id, row.sealed, _place(row.id)))
    chosen = setting.settings(session, activity_id)
    # Asked for in any case: a trainer's page counts by this, and must not take longer once somebody has said something.
    topics, here = _keys(chosen), _people(session, activity_id)
    return {id_: tidy(wish, topics, len(chosen.periods), here) for id_, wish in found.items()}


def say(session: Session, keyring: Keyring, membership_id: str, activity_id: str, wish: Wish, now: datetime) -> None:
    """Keeps what a teacher says for a round, in the place of what they said before. The session writes."""
    person_id, before = _lock(session, membership_id, activity_id)
    if before is None and wish == Wish():
        return
    wish_id = before or new_id()
    sealed = keyring.opened(session, wish_id, now).seal(person_id, dumps(wish.to_json()).ljust(_ROOM), _place(wish_id))
    if before:
        session.execute(update(PairingWish).where(PairingWish.id == wish_id).values(sealed=sealed))
        return
    where = {"activity_id": activity_id, "membership_id": membership_id, "person_id": person_id}
    session.execute(insert(PairingWish).values(id=wish_id, sealed=sealed, **where))


def leave_round(session: Session, keyring: Keyring, membership_id: str, activity_id: str, now: datetime) -> None:
    """A teacher would like no partner in this round (any more); what else they said is kept. The session writes."""
    _lock(session, membership_id, activity_id)
    wish = mine(session, keyring, membership_id, activity_id, now)
    if wish.is_in:
        say(session, keyring, membership_id, activity_id, replace(wish, is_in=False), now)


def names(session: Session, membership_ids: Collection[str]) -> list[tuple[str, str]]:
    """(Membership id, name) of those with whom somebody would rather not be paired, by name; one statement or none.

    A name may be empty, where the LMS withholds names.
    """
    if not membership_ids:
        return []
    rows = session.execute(
        select(Membership.id, Person.name)
        .join(Person, Person.id == Membership.person_id)
        .where(Membership.id.in_(membership_ids), Person.erased_at.is_(None))
        .order_by(Person.name, Membership.id)
    )
    return [(row.id, row.name) for row in rows]


# What is one's own


def of_person(session: Session, keyring: Keyring, person_id: str, now: datetime) -> list[dict[str, Any]]:
    """All that a person said for rounds, for their own copy of what is theirs: topics as rules.Topic, names as the
    owner knows them, periods of the week as {weekday (1: Monday), periods}."""
    rows = session.execute(
        select(PairingWish.id, PairingWish.person_id, PairingWish.sealed, PairingWish.activity_id, Activity.title)
        .join(Activity, Activity.id == PairingWish.activity_id)
        .where(PairingWish.person_id == person_id)
        .order_by(Activity.title, PairingWish.id)
    ).all()
    found = []
    for row in rows:
        chosen = setting.settings(session, row.activity_id)
        wish = _still_holds(session, row.activity_id, _opened(keyring, session, row, now))
        topics = {topic.key: topic for topic in setting.topics(chosen)}
        found.append(
            {
                "activity": row.title,
                "you_would_like_a_partner": wish.is_in,
                "you_would_like_to_work_on": [topics[key] for key in wish.wants],
                "you_can_offer": [topics[key] for key in wish.offers],
                "what_matters_most": [topics[wish.focus]] if wish.focus else [],
                "languages": list(wish.languages),
                "subject": wish.subject,
                "class_or_year": wish.level,
                "free": list(_week(wish.free, chosen)),
                "teaching": list(_week(wish.teaching, chosen)),
                "only_with_who_goes_as_far": wish.same_step,
                "also_another_school": wish.other_school,
                "not_with": [name for _id, name in names(session, wish.not_with)],
            }
        )
    return found


def delete_of(session: Session, keyring: Keyring, person_id: str, activity_id: str, now: datetime) -> int:
    """Deletes what a person said for a round, with its key; how many there were.

    Proposals that are not settled yet say no longer what of it the two share.
    """
    of_them = (
        select(ProposalMember.proposal_id)
        .join(Membership, Membership.id == ProposalMember.membership_id)
        .join(Proposal, Proposal.id == ProposalMember.proposal_id)
        .join(RoundRun, RoundRun.id == Proposal.run_id)
        .where(Membership.person_id == person_id, RoundRun.activity_id == activity_id)
        .where(Proposal.status.in_(("draft", "open")))
    )
    session.execute(
        update(ProposalMember)
        .where(ProposalMember.proposal_id.in_(session.scalars(of_them).all()))
        .values(why=None)
        .execution_options(synchronize_session=False)
    )
    return _delete(session, keyring, now, PairingWish.person_id == person_id, PairingWish.activity_id == activity_id)


def count_here(session: Session, person_id: str, activity_id: str) -> int:
    """Whether a person said something for a round: 0 or 1."""
    here = (PairingWish.person_id == person_id, PairingWish.activity_id == activity_id)
    return session.scalar(select(func.count()).select_from(PairingWish).where(*here)) or 0


def delete_old(session: Session, keyring: Keyring, now: datetime) -> int:
    """Deletes what was said for rounds that have not been calculated for KEPT_FOR, nor made since; how many wishes.

    A part of them, so that nobody waits for long: the rest at the next call.
    """
    since = now - KEPT_FOR
    is_old = exists().where(Activity.id == PairingWish.activity_id, Activity.created_at < since)
    is_used = exists().where(RoundRun.activity_id == PairingWish.activity_id, RoundRun.created_at >= since)
    some = session.scalars(select(PairingWish.id).where(is_old, ~is_used).limit(_AT_ONCE)).all()
    return _delete(session, keyring, now, PairingWish.id.in_(some))


def _delete(session: Session, keyring: Keyring, now: datetime, *which: ColumnElement[bool]) -> int:
    gone = session.execute(delete(PairingWish).where(*which).returning(PairingWish.id, PairingWish.person_id)).all()
    for wish_id, person_id in gone:
        keyring.shred(wish_id, person_id, now)
    return len(gone)


def _lock(session: Session, membership_id: str, activity_id: str) -> tuple[str, str | None]:
    """(Person id, id of what they said before); of two taps at once the second waits here."""
    person_id = session.execute(
        select(Membership.person_id).where(Membership.id == membership_id).with_for_update(key_share=True)
    ).scalar_one()
    return person_id, session.scalar(select(PairingWish.id).where(_is_of(membership_id, activity_id)))


def _is_of(membership_id: str, activity_id: str) -> ColumnElement[bool]:
    return (PairingWish.membership_id == membership_id) & (PairingWish.activity_id == activity_id)


def _opened(keyring: Keyring, session: Session, row: Any, now: datetime) -> Wish:
    try:
        return _wish(keyring.opened(session, row.id, now).open(row.person_id, row.sealed, _place(row.id)))
    except KeyShredded:
        return Wish()


def _wish(text: str) -> Wish:
    return Wish.of(loads(text))


def _still_holds(session: Session, activity_id: str, wish: Wish) -> Wish:
    chosen = setting.settings(session, activity_id)
    here = _people(session, activity_id, wish.not_with) if wish.not_with else ()
    return tidy(wish, _keys(chosen), len(chosen.periods), here)


def _keys(chosen: Settings) -> frozenset[str]:
    return frozenset(topic.key for topic in setting.topics(chosen))


def _people(session: Session, activity_id: str, wanted: Iterable[str] = ()) -> frozenset[str]:
    """Memberships of the course of an activity, all or those of `wanted`; who was erased has none."""
    course = select(Activity.course_id).where(Activity.id == activity_id).scalar_subquery()
    which = [Membership.id.in_(list(wanted))] if wanted else []
    return frozenset(session.scalars(select(Membership.id).where(Membership.course_id == course, *which)))


def _week(cells: Collection[str], chosen: Settings) -> Iterator[dict[str, Any]]:
    days: dict[int, list[int]] = {}
    for cell in cells:
        day, period = map(int, cell.split("-"))
        days.setdefault(day, []).append(period)
    for day in sorted(days):
        yield {"weekday": day + 1, "periods": ", ".join(chosen.periods[period] for period in sorted(days[day]))}


def _place(wish_id: str) -> str:
    return f"pairing_wishes/{wish_id}"
