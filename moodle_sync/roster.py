"""Reading who is in a Moodle's courses and in which groups, and what the groups stand for.

One call reads a course: ids, roles and groups of everybody in it. If they are as they were, that was all; else a second
one says which groups are ours. Names are not asked for, and nobody is added: who is in a course the LTI roster says.

What one call cannot see: a group without anybody in it, and a new idnumber of a group that stays the same otherwise.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, exists, func, insert, select, update
from sqlalchemy.orm import Session

from lti_tool.activities.models import Activity
from lti_tool.people.models import Course, Deployment, LmsGroup, LmsGroupMember, Membership, Person, School
from lti_tool.schools import service as schools
from lti_tool.schools.rules import MAX_SCHOOL, line, name_key, replaces
from lti_tool.store.base import new_id
from lti_tool.store.upsert import insert_into
from moodle_sync.client import MoodleClient
from moodle_sync.errors import OutcomeUnknown
from moodle_sync.models import MoodleCourse, MoodleWrite

OURS = "meitheal-"
"""How the idnumbers of groups and groupings begin that the tool made."""
_INSTRUCTORS = {"editingteacher", "teacher"}
_LONGEST_NAME = 254


@dataclass(frozen=True, slots=True)
class UsedCourse:
    """A course of a Moodle in which the tool is used."""

    id: str
    platform_id: str
    moodle_id: int
    title: str
    read_at: datetime | None


@dataclass(frozen=True, slots=True)
class Enrolled:
    """Somebody in a course, as Moodle says: ids only."""

    user_id: int
    roles: frozenset[str]
    """Short names: student, teacher, editingteacher …, and what the school has made itself."""
    groups: frozenset[int]


@dataclass(frozen=True, slots=True)
class Reading:
    """What one call said of a course."""

    people: tuple[Enrolled, ...]
    names: Mapping[int, str]
    """Id → name of each group that somebody is in."""


@dataclass(frozen=True, slots=True)
class Changed:
    """What a reading changed; all zero where nothing did."""

    groups: int = 0
    """Found, renamed or gone."""
    members: int = 0
    """Who came into a group or left one."""
    roles: int = 0
    schools: int = 0
    """People whose school is another one now."""
    is_new: bool = False
    """Whether anything was to be compared at all."""

    def __add__(self, other: "Changed") -> "Changed":
        return Changed(
            self.groups + other.groups, self.members + other.members, self.roles + other.roles,
            self.schools + other.schools, self.is_new or other.is_new,
        )  # fmt: skip


def moodle_id_of(context_key: str) -> int | None:
    """The id that Moodle gives a course, which is that of its LTI context; None for what is no course."""
    kind, _, number = context_key.partition(":")
    is_id = kind == "context" and number.isascii() and number.isdigit() and len(number) <= 18
    return int(number) if is_id and int(number) else None


def courses(session: Session, platform_id: str, which: str = "") -> list[UsedCourse]:
    """The courses of a platform in which there is an activity that is not archived, what was read longest ago first.

    `which`: only the one with this id, Moodle's or the tool's.
    """
    rows = session.execute(
        select(Course.id, Course.context_key, Course.title, MoodleCourse.read_at)
        .join(Deployment, Deployment.id == Course.deployment_id)
        .outerjoin(MoodleCourse, MoodleCourse.course_id == Course.id)
        .where(
            Deployment.platform_id == platform_id,
            Deployment.status == "active",
            exists().where(Activity.course_id == Course.id, Activity.status != "archived"),
        )
        .order_by(MoodleCourse.read_at.is_not(None), MoodleCourse.read_at, Course.id)
    )
    found = [
        UsedCourse(row.id, platform_id, number, row.title, row.read_at)
        for row in rows
        if (number := moodle_id_of(row.context_key)) is not None
    ]
    return [each for each in found if which in ("", each.id, str(each.moodle_id))]


def read(client: MoodleClient, moodle_id: int) -> Reading:
    """Who is in a course, and in which groups; one call. Raises MoodleError."""
    function = "core_enrol_get_enrolled_users"
    options = [{"name": "userfields", "value": "id,roles,groups"}]
    said = client.call(function, {"courseid": moodle_id, "options": options}, reads=True)
    names: dict[int, str] = {}
    people = []
    try:
        for each in _list(said):
            # The keys are missing where there are none, and where the account may not see them.
            groups = {_id(group["id"]): str(group["name"]) for group in each.get("groups") or ()}
            roles = frozenset(str(role["shortname"]) for role in each.get("roles") or ())
            names |= groups
            people.append(Enrolled(_id(each["id"]), roles, frozenset(groups)))
    except (AttributeError, KeyError, TypeError, ValueError):
        raise OutcomeUnknown("not_expected", f"{function} was answered by something else.", function) from None
    return Reading(tuple(people), {key: line(name)[:_LONGEST_NAME] for key, name in names.items()})


def ours(client: MoodleClient, moodle_id: int) -> frozenset[int]:
    """Ids of the groups of a course that the tool made; one call. Raises MoodleError."""
    function = "core_group_get_course_groups"
    said = client.call(function, {"courseid": moodle_id}, reads=True)
    try:
        return frozenset(_id(each["id"]) for each in _list(said) if str(each.get("idnumber") or "").startswith(OURS))
    except (AttributeError, KeyError, TypeError, ValueError):
        raise OutcomeUnknown("not_expected", f"{function} was answered by something else.", function) from None


def is_known(session: Session, course: UsedCourse, reading: Reading) -> bool:
    """Whether this reading is as the one that was kept last; two or three statements."""
    kept = session.scalar(select(MoodleCourse.fingerprint).where(MoodleCourse.course_id == course.id))
    return bool(kept) and kept == _fingerprint(reading, _known(session, course.id), _made(session, course.platform_id))


def keep(session: Session, course: UsedCourse, reading: Reading, ours_too: Collection[int], now: datetime) -> Changed:
    """Brings groups, roles and schools in line with a reading, in a constant number of statements, apart from those of
    each school that people come to.

    `ours_too`: ids of the groups that the tool made.
    """
    row = of_course(session, course.id, course.moodle_id)
    known, made = _known(session, course.id), _made(session, course.platform_id)
    row.fingerprint = _fingerprint(reading, known, made)
    row.read_at, row.problem = now, ""
    session.flush()
    before = _schools_by_groups(session, course.id) if row.groups_are == "school" else {}
    left_out = made.union(ours_too)
    names = {key: name or str(key) for key, name in reading.names.items() if key not in left_out}
    group_ids, groups = _keep_groups(session, course.id, names, row.groups_are)
    wanted = {
        (group_ids[group], known[each.user_id])
        for each in reading.people
        if each.user_id in known
        for group in each.groups
        if group in group_ids
    }
    members = _keep_members(session, course.id, wanted)
    roles = _raise_roles(session, [known[each.user_id] for each in reading.people
                                   if each.user_id in known and each.roles & _INSTRUCTORS])  # fmt: skip
    after = _schools_by_groups(session, course.id) if row.groups_are == "school" else {}
    said = _say_schools(session, course.platform_id, before, after, now)
    return Changed(groups, members, roles, said, is_new=True)


def look_again(session: Session, course: UsedCourse, reading: Reading, begun: datetime) -> None:
    """Lets a worker look at each group of a pair whose members are in the course and not in it: somebody deleted it in
    Moodle, or took them out. One statement where there is none."""
    if not reading.names:
        # This account is told of no group at all.
        return
    groups = {each.user_id: each.groups for each in reading.people}
    rows = session.execute(
        select(MoodleWrite.id, MoodleWrite.moodle_id, MoodleWrite.body).where(
            MoodleWrite.course_id == course.id, MoodleWrite.kind == "group", MoodleWrite.status == "done",
            MoodleWrite.wanted, MoodleWrite.moodle_id.is_not(None), MoodleWrite.tried_at <= begun,
        )
    )  # fmt: skip
    lost = [
        row.id
        for row in rows
        if any(row.moodle_id not in groups.get(each, {row.moodle_id}) for each in row.body["members"])
    ]
    for part in _parts(lost):
        session.execute(update(MoodleWrite).where(MoodleWrite.id.in_(part)).values(status="waiting", attempts=0))


def note_problem(session: Session, course: UsedCourse, code: str, now: datetime) -> None:
    """Keeps why a course could not be read; what is known of it stays."""
    row = of_course(session, course.id, course.moodle_id)
    row.problem, row.read_at = code, now


def stand_for(session: Session, course_id: str, what: str, now: datetime) -> int:
    """A trainer says what the groups of a course stand for: `school`, `department`, or empty for nothing.

    Returns how many people have another school by that. What groups said that are no schools any more is taken back.
    Calls nothing. Raises LookupError for a course that is none of Moodle.
    """
    platform_id, row = _own_row(session, course_id)
    before = _schools_by_groups(session, course_id) if row.groups_are == "school" else {}
    row.groups_are = what
    session.execute(update(LmsGroup).where(LmsGroup.course_id == course_id).values(stands_for=what))
    session.flush()
    after = _schools_by_groups(session, course_id) if what == "school" else {}
    return _say_schools(session, platform_id, before, after, now)


def write_pairs(session: Session, course_id: str, *, on: bool) -> None:
    """A trainer switches on or off that pairs of a course become groups of Moodle. Raises LookupError."""
    _own_row(session, course_id)[1].writes_groups = on


def of_course(session: Session, course_id: str, moodle_id: int) -> MoodleCourse:
    """The row of a course, locked; made where there is none yet."""
    session.execute(
        insert_into(session, MoodleCourse)
        .values(
            course_id=course_id, moodle_id=moodle_id, fingerprint="", problem="", groups_are="", writes_groups=False
        )
        .on_conflict_do_update(index_elements=["course_id"], set_={"moodle_id": moodle_id})
    )
    return session.scalars(
        select(MoodleCourse)
        .where(MoodleCourse.course_id == course_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()


def _own_row(session: Session, course_id: str) -> tuple[str, MoodleCourse]:
    found = session.execute(
        select(Course.context_key, Deployment.platform_id)
        .join(Deployment, Deployment.id == Course.deployment_id)
        .where(Course.id == course_id)
    ).one_or_none()
    number = moodle_id_of(found.context_key) if found else None
    if found is None or number is None:
        raise LookupError(course_id)
    return found.platform_id, of_course(session, course_id, number)


def _list(said: Any) -> list[Any]:
    if not isinstance(said, list):
        raise TypeError
    return said


def _id(value: Any) -> int:
    number = int(value)
    if isinstance(value, float) or not 0 < number < 2**63:
        raise ValueError
    return number


def _known(session: Session, course_id: str) -> dict[int, str]:
    """Moodle's user id → membership, of all in a course."""
    rows = session.execute(
        select(Person.sub, Membership.id)
        .join(Membership, Membership.person_id == Person.id)
        .where(Membership.course_id == course_id, Person.erased_at.is_(None))
    )
    return {int(row.sub): row.id for row in rows if row.sub.isascii() and row.sub.isdigit() and len(row.sub) <= 18}


def _made(session: Session, platform_id: str) -> frozenset[int]:
    """Ids of the groups of a Moodle that the tool knows to have made, so that what it writes is no change."""
    return frozenset(
        session.scalars(
            select(MoodleWrite.moodle_id).where(
                MoodleWrite.platform_id == platform_id, MoodleWrite.kind == "group", MoodleWrite.moodle_id.is_not(None)
            )
        )
    )


def _fingerprint(reading: Reading, known: Mapping[int, str], made: Collection[int]) -> str:
    """Of what was read, and of whom the tool knows: somebody who comes later is looked at then."""
    people = sorted(
        (each.user_id, known.get(each.user_id, ""), sorted(each.roles), sorted(each.groups.difference(made)))
        for each in reading.people
    )
    names = sorted((key, name) for key, name in reading.names.items() if key not in made)
    return hashlib.sha256(json.dumps([people, names]).encode()).hexdigest()


def _keep_groups(
    session: Session, course_id: str, names: Mapping[int, str], stands_for: str
) -> tuple[dict[int, str], int]:
    """Moodle's id → our id of each group, and how many were found, renamed or gone."""
    rows = session.execute(
        select(LmsGroup.moodle_id, LmsGroup.id, LmsGroup.name).where(LmsGroup.course_id == course_id)
    ).all()
    ids = {row.moodle_id: row.id for row in rows}
    gone = [row.id for row in rows if row.moodle_id not in names]
    renamed = [
        {"id": row.id, "name": names[row.moodle_id]} for row in rows if names.get(row.moodle_id, row.name) != row.name
    ]
    new = [
        {"id": new_id(), "course_id": course_id, "moodle_id": key, "name": name, "stands_for": stands_for}
        for key, name in names.items()
        if key not in ids
    ]
    for part in _parts(gone):
        session.execute(delete(LmsGroupMember).where(LmsGroupMember.group_id.in_(part)))
        session.execute(delete(LmsGroup).where(LmsGroup.id.in_(part)))
    if renamed:
        session.execute(update(LmsGroup), renamed)
    if new:
        session.execute(insert(LmsGroup), new)
    kept = {key: id_ for key, id_ in ids.items() if key in names} | {each["moodle_id"]: each["id"] for each in new}
    return kept, len(gone) + len(renamed) + len(new)


def _keep_members(session: Session, course_id: str, wanted: set[tuple[str, str]]) -> int:
    """`wanted`: (group, membership); how many came and went."""
    rows = session.execute(
        select(LmsGroupMember.group_id, LmsGroupMember.membership_id)
        .join(LmsGroup, LmsGroup.id == LmsGroupMember.group_id)
        .where(LmsGroup.course_id == course_id)
    )
    there = {(row.group_id, row.membership_id) for row in rows}
    for group_id in {group for group, _ in there - wanted}:
        left = [member for group, member in there - wanted if group == group_id]
        for part in _parts(left):
            session.execute(
                delete(LmsGroupMember).where(
                    LmsGroupMember.group_id == group_id, LmsGroupMember.membership_id.in_(part)
                )
            )
    if new := [{"group_id": group, "membership_id": member} for group, member in sorted(wanted - there)]:
        session.execute(insert(LmsGroupMember), new)
    return len(there ^ wanted)


def _raise_roles(session: Session, membership_ids: Sequence[str]) -> int:
    """Who teaches the course for Moodle, and has not launched yet, is an Instructor, as their launch will say: Moodle's
    LTI roster calls a non-editing teacher a Learner. What a launch has said is not touched."""
    raised = 0
    for part in _parts(membership_ids):
        found = session.scalars(
            update(Membership)
            .where(Membership.id.in_(part), Membership.launched_at.is_(None), Membership.lms_role != "instructor")
            .values(lms_role="instructor")
            .returning(Membership.id),
            execution_options={"synchronize_session": False},
        )
        raised += len(found.all())
    return raised


def _schools_by_groups(session: Session, course_id: str) -> dict[str, str]:
    """Person → name of the one group of the course that they are in; nobody who is in several."""
    rows = session.execute(
        select(Membership.person_id, func.min(LmsGroup.name))
        .join(LmsGroupMember, LmsGroupMember.membership_id == Membership.id)
        .join(LmsGroup, LmsGroup.id == LmsGroupMember.group_id)
        .where(LmsGroup.course_id == course_id, Membership.is_active)
        .group_by(Membership.person_id)
        .having(func.count() == 1)
    )
    return {person_id: name for person_id, full in rows if (name := line(full)[:MAX_SCHOOL])}


def _say_schools(
    session: Session, platform_id: str, before: Mapping[str, str], after: Mapping[str, str], now: datetime
) -> int:
    """Says by the word of groups who works where, as far as nobody else has said it; how many have another school.

    `before`, `after`: person → name. Who was in such a group and is in none now has no school by this word any more.
    """
    concerned = sorted(before.keys() | after.keys())
    ids = {name: schools.add_school(session, platform_id, name, "group", now) for name in sorted(set(after.values()))}
    changes: dict[str, str | None] = {}
    for part in _parts(concerned):
        rows = session.execute(
            select(Person.id, Person.school_id, Person.school_said_by, School.name)
            .outerjoin(School, School.id == Person.school_id)
            .where(Person.id.in_(part))
        ).all()
        for row in rows:
            if not replaces("group", row.school_said_by):
                continue
            wanted = ids[after[row.id]] if row.id in after else None
            is_by_this = row.name is not None and name_key(row.name) == name_key(before.get(row.id, ""))
            if wanted == row.school_id or (wanted is None and not is_by_this):
                continue
            changes[row.id] = wanted
    return schools.say_schools(session, changes, "group")


def _parts(items: Sequence[str], size: int = 500) -> Iterable[Sequence[str]]:
    return (items[start : start + size] for start in range(0, len(items), size))
