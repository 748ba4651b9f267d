"""Use cases of what is kept of a person: counting it for their page, and collecting all of it for them to take away.

Others' words come along only where the rules open them to this person now; one's own always do.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import func, literal, or_, select, union_all
from sqlalchemy.orm import Session, aliased

from lti_tool.activities.models import Activity, ActivityFacilitator, ActivityParticipant, ActivityTrainer
from lti_tool.completion.models import Delivery
from lti_tool.cycles import conversation, rules, service
from lti_tool.cycles.conversation_rules import in_words
from lti_tool.cycles.models import AgreementSigned, CycleMember, CycleText, Meeting, StepWish
from lti_tool.cycles.models import Cycle as CycleRow
from lti_tool.cycles.rules import Cycle
from lti_tool.cycles.texts import Register, read_texts
from lti_tool.doors import service as doors
from lti_tool.doors.models import OpenDoor
from lti_tool.friends import service as friends
from lti_tool.groups import service as groups
from lti_tool.groups.models import Group
from lti_tool.observation import keeping
from lti_tool.ownership.rules import Part, own_parts
from lti_tool.pairing.models import Invitation, Pair, PairMember
from lti_tool.people.models import Course, LmsGroup, LmsGroupMember, Membership, Person, Platform, School, SignIn
from lti_tool.privacy.keyring import Keyring
from lti_tool.privacy.looks import service as looks
from lti_tool.privacy.rules import readers
from lti_tool.progress.models import Nudge
from lti_tool.protocols.recipe import Field, Words
from lti_tool.reflection import frames, growth
from lti_tool.reflection import service as reflection
from lti_tool.reflection.models import GrowthArea, ReflectionVersion
from lti_tool.rounds import answers, managers, wishes
from lti_tool.rounds.models import PairingWish
from lti_tool.schedule import booking, calendars, ledger, lms_calendar, reminder_choices, timetables
from lti_tool.sharing import service as sharing
from lti_tool.sharing.models import Share
from lti_tool.threads import service as threads
from lti_tool.threads.models import ThreadMessage

FORMAT = 1
"""Of what collect() returns; raised when something in it moves."""
Say = Callable[[Words], str]
"""A protocol's text → the text in the reader's language."""
Shown = Callable[[str, str], None]
"""Called with the ids of an author and of a cycle, whose words a copy holds."""
_ALL_LOOKS = 100_000


# For the page


@dataclass(frozen=True, slots=True)
class Kept:
    """How much there is of a person on their platform, in all courses."""

    courses: int
    cycles: int
    texts: int
    """Versions of texts that they wrote."""
    versions: int
    """Reflections submitted, each version of them."""
    shares: int
    messages: int
    """In threads, that they wrote."""
    growth: int
    """Lines of what they would like to grow in."""
    doors: int
    """That they opened to others of an activity."""
    groups: int
    """Of which they wrote what they are about."""
    wishes: int
    """Pairing rounds for which they said what they would like."""
    timetable: int
    """0 or 1."""
    calendar: int
    """Private address: 0 or 1."""
    time: int
    """Lines that they said in their ledger."""
    reminders: int
    """Reminders to them, and what they said about reminders."""
    captured: int
    """Entries of visits, that they captured."""
    instruments: int
    """In which they wrote, or that are in their library."""
    invitations: int
    nudges: int
    deliveries: int
    sign_ins: int


def count(session: Session, person_id: str) -> Kept:
    """How much there is of a person; one statement, and no content."""
    own = select(Membership.id).where(Membership.person_id == person_id).scalar_subquery()
    numbers = {
        "courses": select(func.count()).select_from(Membership).where(Membership.person_id == person_id),
        "cycles": select(func.count()).select_from(CycleMember).where(CycleMember.person_id == person_id),
        "texts": select(func.count()).select_from(CycleText).where(CycleText.author_id == person_id),
        "versions": select(func.count()).select_from(ReflectionVersion).where(ReflectionVersion.person_id == person_id),
        "shares": select(func.count()).select_from(Share).where(Share.person_id == person_id),
        "growth": select(func.count()).select_from(GrowthArea).where(GrowthArea.person_id == person_id),
        "messages": select(func.count()).select_from(ThreadMessage).where(ThreadMessage.author_id == person_id),
        "doors": select(func.count()).select_from(OpenDoor).where(OpenDoor.person_id == person_id),
        "groups": select(func.count()).select_from(Group).where(Group.author_id == person_id),
        "wishes": select(func.count()).select_from(PairingWish).where(PairingWish.person_id == person_id),
        "invitations": select(func.count()).select_from(Invitation).where(
            or_(Invitation.host_id.in_(own), Invitation.coach_id.in_(own))
        ),
        "nudges": select(func.count()).select_from(Nudge).where(Nudge.membership_id.in_(own)),
        "deliveries": select(func.count()).select_from(Delivery).where(Delivery.membership_id.in_(own)),
        "sign_ins": select(func.count()).select_from(SignIn).where(SignIn.membership_id.in_(own)),
    }  # fmt: skip
    counted = {name: number.scalar_subquery() for name, number in numbers.items()} | {
        "captured": keeping.captured(person_id),
        "instruments": keeping.built(person_id),
        "timetable": timetables.built(person_id),
        "calendar": calendars.built(person_id),
        "time": ledger.built(person_id),
        "reminders": reminder_choices.kept(person_id),
    }
    row = session.execute(select(*(number.label(name) for name, number in counted.items()))).one()
    return Kept(**row._mapping)


@dataclass(frozen=True, slots=True)
class CycleLine:
    """A cycle in the list of one's own, with how much one wrote in it."""

    cycle: service.PastCycle
    texts: int
    versions: int


def cycles_here(session: Session, membership_id: str, person_id: str, activity_id: str) -> list[CycleLine]:
    """A person's cycles in one activity, the newest first; two statements."""
    of_cycle = union_all(
        select(CycleText.cycle_id, literal("text").label("what")).where(CycleText.author_id == person_id),
        select(ReflectionVersion.cycle_id, literal("version")).where(ReflectionVersion.person_id == person_id),
    ).subquery()
    numbers: dict[tuple[str, str], int] = {
        (row.cycle_id, row.what): row.number
        for row in session.execute(
            select(of_cycle.c.cycle_id, of_cycle.c.what, func.count().label("number")).group_by(
                of_cycle.c.cycle_id, of_cycle.c.what
            )
        )
    }
    return [
        CycleLine(each, numbers.get((each.id, "text"), 0), numbers.get((each.id, "version"), 0))
        for each in service.list_of(session, membership_id, activity_id)
    ]


def count_beside_cycles(session: Session, person_id: str, activity_id: str) -> int:
    """How much a person wrote in an activity and in no cycle, as erasure.delete_beside_cycles deletes it."""
    rooms = (threads, doors, groups, wishes)
    return sum(room.count_here(session, person_id, activity_id) for room in rooms)


@dataclass(frozen=True, slots=True)
class InCycle:
    """What a person wrote in one cycle."""

    parts: tuple[Part, ...]
    drafts: bool
    """Whether there is a draft of their reflection."""
    versions: int
    """Of it, submitted."""
    shares: int
    """Passages of it that they share."""
    places: int
    """Of meetings, that they typed."""
    captured: int
    """Entries of visits."""
    built: int
    """Instruments that are theirs alone."""

    @property
    def has_reflection(self) -> bool:
        """Whether there is anything of a reflection."""
        return self.drafts or self.versions > 0


def in_cycle(session: Session, cycle: Cycle) -> InCycle:
    """What the viewing member wrote in a cycle; two statements, and no content."""
    me = cycle.viewer_id
    writers: dict[str, set[str]] = defaultdict(set)
    for field, author in session.execute(
        select(CycleText.field, CycleText.author_id).where(CycleText.cycle_id == cycle.id).distinct()
    ):
        writers[field].add(author)
    versions, shares, places, captured, built = session.execute(
        select(
            select(func.count())
            .select_from(ReflectionVersion)
            .where(ReflectionVersion.cycle_id == cycle.id, ReflectionVersion.person_id == me)
            .scalar_subquery(),
            select(func.count())
            .select_from(Share)
            .where(Share.cycle_id == cycle.id, Share.person_id == me)
            .scalar_subquery(),
            select(func.count())
            .select_from(Meeting)
            .where(Meeting.cycle_id == cycle.id, Meeting.set_by == me, func.length(Meeting.place) > 0)
            .scalar_subquery(),
            keeping.captured_in(cycle.id, me),
            keeping.built_alone_in(cycle.id, me),
        )
    ).one()
    # In whichever frame they were written.
    of_reflection = cycle.with_left_out.stages[-1].fields
    drafts = any(me in writers[field.key] for field in of_reflection if field.key in writers)
    return InCycle(own_parts(cycle, writers), drafts, versions, shares, places, captured, built)


# To take away


def collect(
    session: Session, keyring: Keyring, person_id: str, say: Say, shown: Shown, now: datetime
) -> dict[str, Any]:
    """All that is kept of a person, in every course of their platform, as plain values; moments are aware, in UTC.

    `shown` is called for each author and cycle of words that come along. A number of statements that does not depend
    on anything, and for each cycle twelve, with one more for each visit.
    """
    return {
        "format": FORMAT,
        "made_at": now,
        "profile": _profile(session, person_id),
        "courses": _courses(session, person_id),
        "pairs": _pairs(session, person_id),
        "invitations": _invitations(session, person_id),
        "cycles": _cycles(session, keyring, person_id, say, shown, now),
        "how_far_you_would_go": [
            dict(row)
            for row in session.execute(
                select(Activity.title.label("activity"), StepWish.step)
                .join(Activity, Activity.id == StepWish.activity_id)
                .join(Membership, Membership.id == StepWish.membership_id)
                .where(Membership.person_id == person_id)
            ).mappings()
        ],
        "shared_passages": [
            {
                "activity": each.activity_title,
                "version": each.version,
                "with": each.audience,
                "shared_at": each.shared_at,
                "text": each.text,
            }
            for each in sharing.of_person(session, keyring, person_id, now)
        ],
        "threads": threads.of_person(session, keyring, person_id, shown, now),
        "what_groups_are_about": [
            {"kind": each.kind, "title": each.title, "about": each.about}
            for each in groups.of_person(session, keyring, person_id, now)
        ],
        "groups_of_your_lms": [
            dict(row)
            for row in session.execute(
                select(Course.title.label("course"), LmsGroup.name)
                .join(LmsGroup, LmsGroup.course_id == Course.id)
                .join(LmsGroupMember, LmsGroupMember.group_id == LmsGroup.id)
                .join(Membership, Membership.id == LmsGroupMember.membership_id)
                .where(Membership.person_id == person_id)
                .order_by(Course.title, LmsGroup.name)
            ).mappings()
        ],
        "critical_friends": friends.of_person(session, person_id),
        "who_reports_to_whom": managers.of_person(session, person_id),
        "proposals_of_pairing_rounds": answers.of_person(session, person_id, now),
        "what_you_said_for_pairing_rounds": wishes.of_person(session, keyring, person_id, now),
        "your_timetable": timetables.of_person(session, keyring, person_id, now),
        "address_of_your_calendar": calendars.of_person(session, person_id),
        "your_bookings_in_the_calendar_of_your_lms": lms_calendar.of_person(session, person_id),
        "your_time": ledger.of_person(session, keyring, person_id, now),
        "what_you_said_about_reminders": reminder_choices.of_person(session, keyring, person_id, now),
        "reminders_to_you": reminder_choices.reminders_of(session, person_id),
        "agreed_for_the_way_back": booking.of_person(session, person_id),
        "your_instruments": keeping.of_person(session, keyring, person_id, now),
        "open_doors": doors.of_person(session, keyring, person_id, now),
        "you_would_like_to_grow_in": [
            {
                "text": each.text,
                "changed_at": each.changed_at,
                "shared_in": ", ".join(shared.activity_title for shared in each.shared_with),
            }
            for each in growth.read(session, keyring, person_id, now)
        ],
        "who_looked": [
            {"activity": each.title, "cycle": each.number, "openings": [_opening(one) for one in each.openings]}
            for each in looks.read_log(session, keyring, person_id, start=0, count=_ALL_LOOKS, now=now).cycles
        ],
        "friendly_words": _nudges(session, person_id),
        "told_to_gradebooks": _deliveries(session, person_id),
        "sign_ins": [
            dict(row)
            for row in session.execute(
                select(SignIn.created_at.label("opened_at"), SignIn.expires_at.label("ends_at"))
                .join(Membership, Membership.id == SignIn.membership_id)
                .where(Membership.person_id == person_id)
                .order_by(SignIn.created_at)
            ).mappings()
        ],
    }


def _profile(session: Session, person_id: str) -> dict[str, Any]:
    row = session.execute(
        select(
            Person.name, Person.given_name, Person.family_name, Person.sub.label("user_id"),
            Platform.name.label("platform"), Person.locale.label("language_of_last_launch"),
            Person.language.label("chosen_language"), Person.launch_zone.label("time_zone_of_last_launch"),
            Person.time_zone.label("chosen_time_zone"), School.name.label("school"),
            Person.school_said_by, Person.is_leader.label("leads_the_school_by_the_operators_word"),
            Person.created_at.label("known_since"),
        )
        .join(Platform, Platform.id == Person.platform_id)
        .outerjoin(School, School.id == Person.school_id)
        .where(Person.id == person_id)
    )  # fmt: skip
    return dict(row.mappings().one())


def _courses(session: Session, person_id: str) -> list[dict[str, Any]]:
    roles: dict[str, list[dict[str, str]]] = defaultdict(list)
    for role, table in (
        ("trainer", ActivityTrainer), ("facilitator", ActivityFacilitator), ("named participant", ActivityParticipant),
    ):  # fmt: skip
        for membership_id, title in session.execute(
            select(table.membership_id, Activity.title)
            .join(Activity, Activity.id == table.activity_id)
            .join(Membership, Membership.id == table.membership_id)
            .where(Membership.person_id == person_id)
        ):
            roles[membership_id].append({"role": role, "activity": title})
    rows = session.execute(
        select(
            Membership.id, Course.title, Membership.lms_role.label("role_in_the_lms"), Membership.is_administrator,
            Membership.is_leader.label("leads_the_school"), Membership.leader_said_by,
            Membership.is_active.label("is_in_the_course"), Membership.launched_at.label("last_opened_at"),
            Membership.welcomed_at, Membership.created_at.label("known_since"),
        )
        .join(Course, Course.id == Membership.course_id)
        .where(Membership.person_id == person_id)
        .order_by(Membership.created_at)
    )  # fmt: skip
    return [
        {key: value for key, value in row.items() if key != "id"} | {"roles": roles[row["id"]]}
        for row in rows.mappings()
    ]


def _pairs(session: Session, person_id: str) -> list[dict[str, Any]]:
    mine, theirs = aliased(PairMember), aliased(PairMember)
    partner_member = aliased(Membership)
    rows = session.execute(
        select(
            Pair.id, Activity.title.label("activity"), Person.given_name.label("partner"), Pair.status,
            Pair.created_at.label("began_at"), Pair.ended_at, mine.paused_at.label("you_pause_since"),
            Pair.cadence_weeks.label("a_cycle_every_so_many_weeks"),
            mine.hint_away_at.label("you_put_the_hint_away_at"),
        )
        .join(Pair, Pair.id == mine.pair_id)
        .join(Activity, Activity.id == Pair.activity_id)
        .join(Membership, Membership.id == mine.membership_id)
        # As pairing.service: who is in a group, and who was in a pair.
        .outerjoin(
            theirs,
            (theirs.pair_id == Pair.id)
            & (theirs.membership_id != mine.membership_id)
            & or_(mine.is_current & theirs.is_current, (Pair.status == "ended") & (Activity.kind != "group")),
        )
        .outerjoin(partner_member, partner_member.id == theirs.membership_id)
        .outerjoin(Person, Person.id == partner_member.person_id)
        .where(Membership.person_id == person_id)
        .order_by(Pair.created_at, Pair.id, Person.given_name)
    )  # fmt: skip
    found = []
    for _id, others in groupby(rows.mappings(), key=itemgetter("id")):
        row, *more = others
        names = row["partner"] if not more else ", ".join(each["partner"] for each in (row, *more))
        found.append({key: value for key, value in row.items() if key != "id"} | {"partner": names})
    return found


def _invitations(session: Session, person_id: str) -> list[dict[str, Any]]:
    host, coach = aliased(Membership), aliased(Membership)
    asking, asked = aliased(Person), aliased(Person)
    rows = session.execute(
        select(
            Activity.title, asking.id, asking.given_name.label("from_"), asked.given_name.label("to"),
            Invitation.status, Invitation.created_at, Invitation.expires_at,
        )
        .join(Activity, Activity.id == Invitation.activity_id)
        .join(host, host.id == Invitation.host_id)
        .join(coach, coach.id == Invitation.coach_id)
        .join(asking, asking.id == host.person_id)
        .join(asked, asked.id == coach.person_id)
        .where(or_(host.person_id == person_id, coach.person_id == person_id))
        .order_by(Invitation.created_at)
    )  # fmt: skip
    found = []
    for row in rows:
        is_mine = row.id == person_id
        # Nobody learns of a no: to who asked, a declined invitation is an open one, here as everywhere (R24).
        status = "open" if is_mine and row.status == "declined" else row.status
        with_whom = {"you_asked": row.to} if is_mine else {"asked_you": row.from_}
        found.append(
            {
                "activity": row.title,
                **with_whom,
                "status": status,
                "sent_at": row.created_at,
                "open_until": row.expires_at,
            }
        )
    return found


def _nudges(session: Session, person_id: str) -> list[dict[str, Any]]:
    sender_member, sender = aliased(Membership), aliased(Person)
    rows = session.execute(
        select(
            Activity.title.label("activity"), sender.given_name.label("from"), Nudge.kind.label("about"),
            Nudge.created_at.label("sent_at"), Nudge.seen_at,
        )
        .join(Activity, Activity.id == Nudge.activity_id)
        .join(Membership, Membership.id == Nudge.membership_id)
        .join(sender_member, sender_member.id == Nudge.sender_id)
        .join(sender, sender.id == sender_member.person_id)
        .where(Membership.person_id == person_id)
        .order_by(Nudge.created_at)
    )  # fmt: skip
    return [dict(row) for row in rows.mappings()]


def _deliveries(session: Session, person_id: str) -> list[dict[str, Any]]:
    rows = session.execute(
        select(
            Activity.title.label("activity"), Delivery.status, Delivery.completed_at.label("you_said_so_at"),
            Delivery.tried_at.label("last_tried_at"), Delivery.sent_at.label("arrived_at"),
        )
        .join(Activity, Activity.id == Delivery.activity_id)
        .join(Membership, Membership.id == Delivery.membership_id)
        .where(Membership.person_id == person_id)
        .order_by(Delivery.completed_at)
    )  # fmt: skip
    return [dict(row) for row in rows.mappings()]


# Cycles, with words


def _cycles(
    session: Session, keyring: Keyring, person_id: str, say: Say, shown: Shown, now: datetime
) -> list[dict[str, Any]]:
    rows = session.execute(
        select(CycleMember.cycle_id, Course.title, CycleMember.step)
        .join(CycleRow, CycleRow.id == CycleMember.cycle_id)
        .join(Activity, Activity.id == CycleRow.activity_id)
        .join(Course, Course.id == Activity.course_id)
        .where(CycleMember.person_id == person_id)
        .order_by(CycleRow.started_at)
    ).all()
    found = []
    for cycle_id, course, step in rows:
        cycle = service.load(session, cycle_id, person_id)
        if cycle is not None:
            found.append(
                {"course": course, "you_go_as_far_as": step, **_cycle(session, keyring, cycle, say, shown, now)}
            )
    return found


def _cycle(session: Session, keyring: Keyring, cycle: Cycle, say: Say, shown: Shown, now: datetime) -> dict[str, Any]:
    keys = keyring.opened(session, cycle.id, now)
    places = service.read_places(session, keys, cycle.id) if cycle.meetings else {}
    me = cycle.me
    # What was written before the pair went less far is kept, too, though no page shows it.
    whole = cycle.with_left_out
    labels = {field.key: say(field.label) for stage in whole.stages for field in stage.fields}
    shown_here = {field.key for stage in cycle.stages for field in stage.fields}
    registers = [
        each
        for stage in cycle.all_stages
        for field in stage.fields
        for each in (_readable(cycle, field) if field.key in shown_here else [Register(field.key, cycle.viewer_id)])
    ]
    texts = read_texts(session, keys, cycle.id, registers, history=True)
    observed, observers = keeping.of_cycle(session, keyring, cycle, now)
    for author in (
        observers
        | {text.author_id for text in texts}
        | {meeting.set_by for meeting in cycle.meetings if places.get(meeting.kind)}
    ):
        shown(author, cycle.id)
    signed = session.execute(
        select(AgreementSigned.item, AgreementSigned.at)
        .where(AgreementSigned.cycle_id == cycle.id, AgreementSigned.membership_id == me.membership_id)
        .order_by(AgreementSigned.at)
    )
    return {
        "activity": cycle.activity_title,
        "number": cycle.number,
        "protocol": say(cycle.protocol.title),
        "your_role": me.role,
        "partner": None if cycle.is_alone else ", ".join(each.given_name for each in cycle.others),
        "status": cycle.status,
        "started_at": cycle.started_at,
        "finished_at": cycle.finished_at,
        "steps_done": [
            {"step": say(stage.title), "at": at}
            for stage in cycle.stages
            if (at := rules.done_at(cycle, stage, me)) is not None
        ],
        "you_agreed": [
            {"to": say(agreement.text) if (agreement := cycle.protocol.agreement(row.item)) else row.item, "at": row.at}
            for row in signed
        ],
        "meetings": [
            {
                "for": each.kind,
                "starts_at": each.starts_at,
                "minutes": each.minutes,
                "place": places.get(each.kind, ""),
                "confirmed_at": each.confirmed_at,
            }
            for each in cycle.meetings
        ],
        "texts": [
            {
                "field": text.field,
                "label": labels.get(text.field, text.field),
                "by": "you" if text.author_id == cycle.viewer_id else _given_name(cycle, text.author_id),
                "saved_at": text.saved_at,
                "is_current": text.is_head,
                "text": in_words(whole.field(text.field), text.text, say),
            }
            for text in texts
        ],
        "next_steps_rest_on": [
            {"next_step": each.step_line, "rests_on": each.data_line or "what was captured in the visit"}
            for each in conversation.read_rests(session, {cycle.id: keys})
            # What one pointed at oneself is kept also where one reads the texts no more.
            if each.author_id == cycle.viewer_id or (_reads(cycle, each.field) and _reads(cycle, each.data))
        ],
        **observed,
        "notes_of_the_visit_deleted_at": cycle.notes_deleted_at,
        "your_reflection": [
            {
                "version": each.version,
                "submitted_at": each.submitted_at,
                "headings": say(each.frame.title) if each.frame else None,
                "texts": [{"label": say(label), "text": text} for _key, label, text in each.answers(whole)],
            }
            for each in reflection.read_all(session, keys, cycle.id, cycle.viewer_id)
        ],
        "you_write_your_reflection_in": say(frame.title) if (frame := frames.frames().get(cycle.frame)) else None,
        "your_wish_afterwards": me.wish,
    }


def _reads(cycle: Cycle, key: str) -> bool:
    field = cycle.protocol.field(key)
    return field is not None and any(each.person_id == cycle.viewer_id for each in readers(cycle.text_facts(field)))


def _given_name(cycle: Cycle, person_id: str) -> str:
    member = cycle.person(person_id)
    return member.given_name if member else ""


def _readable(cycle: Cycle, field: Field) -> list[Register]:
    """Which registers of a field this person may read now, as the rules of privacy say it; their own always."""
    if field.by != "each":
        is_open = any(each.person_id == cycle.viewer_id for each in readers(cycle.text_facts(field)))
        return [Register(field.key, None if is_open else cycle.viewer_id)]
    return [
        Register(field.key, member.person_id)
        for member in cycle.members
        if any(each.person_id == cycle.viewer_id for each in readers(cycle.text_facts(field, member.person_id)))
    ]


def _opening(opening: looks.Opening) -> dict[str, Any]:
    return {"viewer": opening.viewer, "what": opening.what, "hour": opening.hour}
