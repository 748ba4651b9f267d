"""Use cases of deleting: one's own words in a cycle, or a whole person.

Rows are deleted, and where nothing of an author is left in a cycle, their key is shredded with it: then also copies of
the database that were made before can not be read any more.
"""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import delete, exists, func, insert, select, union_all, update
from sqlalchemy.orm import Session

from lti_tool.cycles.models import AgreementSigned, Cycle, CycleMember, CycleText, Meeting, Rest, StageMark
from lti_tool.cycles.revision import bump
from lti_tool.cycles.rules import Cycle as CycleFrame
from lti_tool.cycles.texts import delete_texts
from lti_tool.doors import service as doors
from lti_tool.groups import service as groups
from lti_tool.lti.models import Login
from lti_tool.observation import keeping
from lti_tool.observation.models import CycleInstrument, InstrumentState
from lti_tool.ownership.rules import BUILT, CAPTURED, PLACES, REFLECTION
from lti_tool.pairing import service as pairing
from lti_tool.pairing.models import Pair, PairMember
from lti_tool.people.models import Membership, Person, SignIn
from lti_tool.privacy.keyring import Keyring
from lti_tool.privacy.looks import service as looks
from lti_tool.reflection.models import ReflectionVersion
from lti_tool.rounds import answers, wishes
from lti_tool.sharing import service as sharing
from lti_tool.store.base import new_id
from lti_tool.threads import service as threads


class UnknownPerson(Exception):
    """The platform has named nobody by this user id."""


# One's own words


def delete_words(
    session: Session,
    keyring: Keyring,
    cycle: CycleFrame,
    fields: Collection[str],
    others: Collection[str],
    *,
    now: datetime,
) -> None:
    """Deletes what the viewing member wrote in these fields; who may is asked before, and the cycle is locked.

    `others`: REFLECTION, PLACES, CAPTURED, BUILT. That stages are done and a reflection was submitted stays known,
    without words.
    """
    me = cycle.viewer_id
    wanted = list(fields)
    if REFLECTION in others:
        wanted += [field.key for field in cycle.with_left_out.stages[-1].fields]
        session.execute(
            delete(ReflectionVersion).where(ReflectionVersion.cycle_id == cycle.id, ReflectionVersion.person_id == me)
        )
        sharing.delete_of(session, keyring, me, now, cycle_id=cycle.id)
    delete_texts(session, [cycle.id], wanted, author_id=me, now=now)
    if PLACES in others:
        session.execute(update(Meeting).where(Meeting.cycle_id == cycle.id, Meeting.set_by == me).values(place=b""))
    if CAPTURED in others:
        keeping.delete_of(session, keyring, cycle.id, me, now)
    if BUILT in others:
        keeping.delete_alone(session, cycle.id, me)
    bump(session, cycle.id)
    if not _is_anything_left(session, cycle.id, me):
        keyring.shred(cycle.id, me, now)


def delete_beside_cycles(session: Session, keyring: Keyring, person_id: str, activity_id: str, now: datetime) -> None:
    """Deletes what a person wrote in an activity and in no cycle: their messages in threads, their open doors, what
    groups are about, what they would like of a pairing round."""
    threads.delete_of(session, keyring, person_id, activity_id, now)
    doors.delete_of(session, keyring, person_id, activity_id, now)
    groups.delete_of(session, keyring, person_id, activity_id, now)
    wishes.delete_of(session, keyring, person_id, activity_id, now)


def _is_anything_left(session: Session, cycle_id: str, person_id: str) -> bool:
    left = union_all(
        select(CycleText.id).where(CycleText.cycle_id == cycle_id, CycleText.author_id == person_id),
        select(Rest.id).where(Rest.cycle_id == cycle_id, Rest.author_id == person_id),
        select(InstrumentState.id)
        .join(CycleInstrument, CycleInstrument.id == InstrumentState.instrument_id)
        .where(CycleInstrument.cycle_id == cycle_id, InstrumentState.author_id == person_id),
        select(ReflectionVersion.id).where(
            ReflectionVersion.cycle_id == cycle_id, ReflectionVersion.person_id == person_id
        ),
        select(Meeting.id).where(
            Meeting.cycle_id == cycle_id, Meeting.set_by == person_id, func.length(Meeting.place) > 0
        ),
    ).limit(1)
    return session.execute(left).first() is not None


# A whole person


def erase(session: Session, keyring: Keyring, person_id: str, now: datetime) -> None:
    """Deletes a person and all that is theirs, and shreds all their keys.

    What partners wrote in cycles with them keeps its place: there, somebody without a name stands for them. A pair that
    has not ended ends, and a group goes on without them. Nothing happens if there is no such person.
    """
    # First, so that restoring a copy of the database that is older than this deletes them again.
    keyring.record_erased(person_id, now)
    for pair_id in _pairs(session, person_id, PairMember.is_current):
        for membership_id in _memberships_in(session, person_id, pair_id):
            pairing.take_out(session, pair_id, membership_id, now)
        groups.delete_ended(session, keyring, pair_id, now)
    _delete_what_nobody_else_is_in(session, person_id)
    keeping.hand_over(session, keyring, person_id, now)
    _delete_their_texts(session, person_id, now)
    _stand_in(session, person_id, now)
    answers.forget_shared(session, person_id)
    own = select(Membership.id).where(Membership.person_id == person_id)
    session.execute(delete(Login).where(Login.sign_in_id.in_(select(SignIn.id).where(SignIn.membership_id.in_(own)))))
    sharing.delete_of(session, keyring, person_id, now)
    looks.forget_viewer(session, person_id)
    looks.delete_owner(session, person_id)
    # Everything else that is a person's hangs from them by a foreign key that cascades.
    session.execute(delete(Person).where(Person.id == person_id))
    keyring.shred_author(person_id, now)


def find(session: Session, platform_id: str, sub: str) -> tuple[str, str]:
    """(Id, name or else user id) of a person; raises UnknownPerson."""
    row = session.execute(
        select(Person.id, Person.name, Person.sub).where(Person.platform_id == platform_id, Person.sub == sub)
    ).one_or_none()
    if row is None:
        raise UnknownPerson
    return row.id, row.name or row.sub


def _memberships_in(session: Session, person_id: str, pair_id: str) -> list[str]:
    of_pair = (
        select(PairMember.membership_id)
        .join(Membership, Membership.id == PairMember.membership_id)
        .where(PairMember.pair_id == pair_id, Membership.person_id == person_id)
    )
    return list(session.scalars(of_pair))


def _pairs(session: Session, person_id: str, *conditions: object) -> list[str]:
    of_pair = (
        select(PairMember.pair_id)
        .join(Membership, Membership.id == PairMember.membership_id)
        .where(Membership.person_id == person_id, *conditions)  # type: ignore[arg-type]
    )
    return list(session.scalars(of_pair.distinct()))


def _delete_what_nobody_else_is_in(session: Session, person_id: str) -> None:
    """Pairs whose other member was erased before, and reflections without a partner."""
    somebody_else = (
        exists()
        .where(PairMember.pair_id == Pair.id, PairMember.membership_id == Membership.id)
        .where(Membership.person_id == Person.id, Person.id != person_id, Person.erased_at.is_(None))
    )
    gone = list(session.scalars(select(Pair.id).where(Pair.id.in_(_pairs(session, person_id)), ~somebody_else)))
    stand_ins = (
        select(Person.id)
        .join(Membership, Membership.person_id == Person.id)
        .join(PairMember, PairMember.membership_id == Membership.id)
        .where(PairMember.pair_id.in_(gone), Person.erased_at.is_not(None))
    )
    nobody = list(session.scalars(stand_ins))
    session.execute(delete(Pair).where(Pair.id.in_(gone)))
    session.execute(delete(Person).where(Person.id.in_(nobody)))


def _delete_their_texts(session: Session, person_id: str, now: datetime) -> None:
    wrote = session.execute(
        select(CycleText.cycle_id, CycleText.field).where(CycleText.author_id == person_id).distinct()
    ).all()
    cycle_ids = sorted({row.cycle_id for row in wrote})
    session.execute(select(Cycle.id).where(Cycle.id.in_(cycle_ids)).order_by(Cycle.id).with_for_update()).all()
    delete_texts(session, cycle_ids, sorted({row.field for row in wrote}), author_id=person_id, now=now)
    session.execute(update(Cycle).where(Cycle.id.in_(cycle_ids)).values(revision=Cycle.revision + 1))


def _stand_in(session: Session, person_id: str, now: datetime) -> None:
    """Puts somebody without a name where partners need somebody: one for each pair, so that nothing links them."""
    for pair_id in _pairs(session, person_id):
        before = session.execute(
            select(Membership.id, Membership.course_id, Person.platform_id)
            .join(PairMember, PairMember.membership_id == Membership.id)
            .join(Person, Person.id == Membership.person_id)
            .where(PairMember.pair_id == pair_id, Person.id == person_id)
        ).one()
        nobody, membership = new_id(), new_id()
        session.execute(
            insert(Person).values(
                id=nobody, platform_id=before.platform_id, sub=f"erased:{nobody}", erased_at=now, created_at=now
            )
        )
        session.execute(
            insert(Membership).values(
                id=membership,
                course_id=before.course_id,
                person_id=nobody,
                lms_role="other",
                is_active=False,
                created_at=now,
            )
        )
        of_pair = select(Cycle.id).where(Cycle.pair_id == pair_id)
        session.execute(
            update(PairMember)
            .where(PairMember.pair_id == pair_id, PairMember.membership_id == before.id)
            .values(membership_id=membership, paused_at=None, hint_away_at=None)
        )
        session.execute(
            update(CycleMember)
            .where(CycleMember.cycle_id.in_(of_pair), CycleMember.person_id == person_id)
            .values(membership_id=membership, person_id=nobody, wish="", wished_at=None)
        )
        for table in (StageMark, AgreementSigned):
            session.execute(
                update(table)
                .where(table.cycle_id.in_(of_pair), table.membership_id == before.id)
                .values(membership_id=membership)
            )
        session.execute(
            update(Meeting)
            .where(Meeting.cycle_id.in_(of_pair), Meeting.set_by == person_id)
            .values(set_by=nobody, place=b"")
        )
