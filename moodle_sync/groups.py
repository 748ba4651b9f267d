"""Pairs as groups of Moodle, so that forums and assignments of the course can use them.

Only groups that the tool made are ever changed: they are found again by their idnumber, `meitheal-pair-<id of the
pair>`. A trainer switches them on for a course. Their names are numbers, and say nothing of anybody.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from lti_tool.activities.models import Activity
from lti_tool.pairing.models import Pair, PairMember
from lti_tool.people.models import Course, Deployment, Membership, Person
from moodle_sync.client import MoodleClient
from moodle_sync.errors import AnswerBroken, IdNumberTaken, NotFound, OutcomeUnknown, ParameterRefused
from moodle_sync.models import MoodleCourse, MoodleWrite
from moodle_sync.roster import OURS, moodle_id_of
from moodle_sync.writing import CARRIERS, Result, Visit, Wish, Work, want

GROUPING = "Peer coaching pairs"
"""Name of what all these groups of a course are in. Moodle shows it to everybody, in the one language of its courses,
so it is not translated."""
_GROUP_NAME = "Peer coaching {number}"
_OUR_NAMES = re.compile(r"Peer coaching \d+( \(\d+\))?")


@dataclass(frozen=True, slots=True)
class PairNow:
    """A pair that goes on (or three, or a group), with whoever of it is still in the course."""

    id: str
    course_id: str
    moodle_course: int
    members: frozenset[int]
    """Moodle's user ids."""


@dataclass(frozen=True, slots=True)
class There:
    """What was said of a pair's group before."""

    pair_id: str
    course_id: str
    wanted: bool
    state: str
    body: Mapping[str, Any]


def wanted(pairs: Sequence[PairNow], there: Iterable[There]) -> list[Wish]:
    """What has to change so that each of these pairs has a group with its members, and nobody else has one of ours.

    A group has a number that is new in its course, and keeps it. A pair of whom nobody is in the course has none.
    """
    said = {each.pair_id: each for each in there}
    numbers: dict[str, int] = {}
    for each in said.values():
        numbers[each.course_id] = max(numbers.get(each.course_id, 0), int(each.body.get("number", 0)))
    wishes, stay = [], set()
    for pair in pairs:
        if not pair.members:
            continue
        stay.add(pair.id)
        known, state = said.get(pair.id), _state(pair)
        if known and known.wanted and known.state == state:
            continue
        if known:
            number = int(known.body.get("number", 0))
        else:
            number = numbers[pair.course_id] = numbers.get(pair.course_id, 0) + 1
        body = {"course": pair.moodle_course, "number": number, "members": sorted(pair.members)}
        wishes.append(Wish(pair.course_id, pair.id, True, state, body))
    wishes += [
        Wish(each.course_id, each.pair_id, False, "", {**each.body, "members": []})
        for each in said.values()
        if each.wanted and each.pair_id not in stay
    ]
    return wishes


@dataclass(slots=True)
class _Seen:
    """The groups of one course, as they were read in this run."""

    ids: dict[str, int] = field(default_factory=dict)
    """By idnumber."""
    unnumbered: set[int] = field(default_factory=set)
    """Ids of those of a name of ours whose idnumber is empty, or that this account is not told."""
    names: set[str] = field(default_factory=set)


class Groups:
    """Brings groups of pairs into Moodle."""

    def plan(self, session: Session, platform_id: str, now: datetime) -> list[Wish]:
        """See writing.Carrier; four statements at most, whatever the number of courses."""
        courses = {
            row.course_id: row.context_key
            for row in session.execute(
                select(MoodleCourse.course_id, Course.context_key)
                .join(Course, Course.id == MoodleCourse.course_id)
                .join(Deployment, Deployment.id == Course.deployment_id)
                .where(Deployment.platform_id == platform_id, MoodleCourse.writes_groups)
            )
        }
        there = [
            There(row.key, row.course_id or "", row.wanted, row.wanted_state, row.body)
            for row in session.execute(
                select(
                    MoodleWrite.key,
                    MoodleWrite.course_id,
                    MoodleWrite.wanted,
                    MoodleWrite.wanted_state,
                    MoodleWrite.body,
                ).where(MoodleWrite.platform_id == platform_id, MoodleWrite.kind == "group")
            )
        ]
        return wanted(_pairs(session, platform_id, courses) if courses else [], there)

    def carry(self, visit: Visit, work: Work) -> Result:
        """See writing.Carrier."""
        course = int(work.body["course"])
        if not work.wanted:
            return self._remove(visit, course, work)
        seen = _groups_of(visit, course)
        group_id = _find(seen, work)
        is_new = group_id is None
        if group_id is None:
            group_id = _create(visit, course, work)
        _put_into_grouping(visit, course, work.course_id, group_id)
        _bring_members(visit.client, group_id, {int(each) for each in work.body["members"]}, is_new=is_new)
        return Result(group_id)

    def _remove(self, visit: Visit, course: int, work: Work) -> Result:
        try:
            seen = _groups_of(visit, course)
        except NotFound:
            # The course is gone, and all that was in it.
            return Result(None)
        if group_id := _find(seen, work):
            visit.client.call("core_group_delete_groups", {"groupids": [group_id]}, reads=False)
            visit.seen.pop(("groups", course), None)
        return Result(None)


def say(session: Session, platform_id: str, course_id: str, now: datetime) -> None:
    """Says at once what groups of a course are to be there, or to be gone, as the trainer has just decided."""
    for wish in CARRIERS["group"].plan(session, platform_id, now):
        if wish.course_id == course_id:
            want(
                session, platform_id=platform_id, course_id=course_id, kind="group", key=wish.key, wanted=wish.wanted,
                state=wish.state, body=wish.body, now=now,
            )  # fmt: skip


def id_number(pair_id: str) -> str:
    """By which a pair's group is found again."""
    return f"{OURS}pair-{pair_id}"


def find(client: MoodleClient, moodle_course: int, pair_id: str) -> int | None:
    """Moodle's id of a pair's group; one call. Raises MoodleError."""
    return _read_groups(client, moodle_course).ids.get(id_number(pair_id))


CARRIERS["group"] = Groups()


def _state(pair: PairNow) -> str:
    return hashlib.sha256(json.dumps([pair.moodle_course, sorted(pair.members)]).encode()).hexdigest()


def _pairs(session: Session, platform_id: str, courses: Mapping[str, str]) -> list[PairNow]:
    """The pairs of these courses (id → LTI context) that have not ended, in the order in which they came together.

    Those of a pairing round coach in other activities, and have their groups there.
    """
    rows = session.execute(
        select(Pair.id, Activity.course_id, Person.sub, Membership.is_active, Person.erased_at)
        .join(Activity, Activity.id == Pair.activity_id)
        .join(MoodleCourse, MoodleCourse.course_id == Activity.course_id)
        .join(Course, Course.id == Activity.course_id)
        .join(Deployment, Deployment.id == Course.deployment_id)
        .join(PairMember, PairMember.pair_id == Pair.id)
        .join(Membership, Membership.id == PairMember.membership_id)
        .join(Person, Person.id == Membership.person_id)
        .where(
            Deployment.platform_id == platform_id,
            MoodleCourse.writes_groups,
            Activity.kind != "pairing",
            Pair.status != "ended",
            PairMember.is_current,
        )
        .order_by(Pair.created_at, Pair.id, Person.sub)
    )
    found = []
    for pair_id, each in groupby(rows, key=lambda row: row.id):
        members = list(each)
        course_id = members[0].course_id
        number = moodle_id_of(courses.get(course_id, ""))
        if number is None or len(members) < 2:
            # Who reflects alone needs no group.
            continue
        here = frozenset(
            int(row.sub)
            for row in members
            if row.is_active and row.erased_at is None and row.sub.isascii() and row.sub.isdigit()
        )
        found.append(PairNow(pair_id, course_id, number, here))
    return found


def _groups_of(visit: Visit, course: int) -> _Seen:
    key = ("groups", course)
    if key not in visit.seen:
        visit.seen[key] = _read_groups(visit.client, course)
    found: _Seen = visit.seen[key]
    return found


def _read_groups(client: MoodleClient, course: int) -> _Seen:
    function = "core_group_get_course_groups"
    seen = _Seen()
    for each in _list(function, client.call(function, {"courseid": course}, reads=True)):
        number, group_id = str(each.get("idnumber") or ""), _int(function, each.get("id"))
        name = str(each.get("name") or "")
        seen.names.add(name)
        if number:
            seen.ids[number] = group_id
        elif _OUR_NAMES.fullmatch(name):
            # An id alone says little: a Moodle that was set up anew gives the same ones to groups of others.
            seen.unnumbered.add(group_id)
    return seen


def _find(seen: _Seen, work: Work) -> int | None:
    if found := seen.ids.get(id_number(work.key)):
        return found
    # An account that is told no idnumbers knows it by the id that Moodle gave it when it was made.
    return work.moodle_id if work.moodle_id in seen.unnumbered else None


def _create(visit: Visit, course: int, work: Work) -> int:
    """Makes the group, alone: a batch is refused whole, and tells not because of which. Raises MoodleError."""
    function, seen = "core_group_create_groups", _groups_of(visit, course)
    for _attempt in range(2):
        name = _free_name(seen, int(work.body["number"]))
        group = {"courseid": course, "name": name, "description": "", "idnumber": id_number(work.key)}
        try:
            said = visit.client.call(function, {"groups": [group]}, reads=False)
        except (IdNumberTaken, AnswerBroken, ParameterRefused) as error:
            # It was made all the same, or somebody took its name since the groups were read.
            visit.seen[("groups", course)] = seen = _read_groups(visit.client, course)
            if found := _find(seen, work):
                return found
            if name not in seen.names:
                raise
            problem = error
        else:
            group_id = _int(function, next(iter(_list(function, said)), {}).get("id"))
            seen.ids[id_number(work.key)] = group_id
            seen.names.add(name)
            return group_id
    raise problem


def _free_name(seen: _Seen, number: int) -> str:
    """Moodle takes a name once in a course, and a trainer may have used this one."""
    name, again = _GROUP_NAME.format(number=number), 1
    while name in seen.names:
        again += 1
        name = f"{_GROUP_NAME.format(number=number)} ({again})"
    return name


def _put_into_grouping(visit: Visit, course: int, course_id: str | None, group_id: int) -> None:
    """Into the grouping of all pairs of the course; being there already is no error."""
    grouping_id = _grouping(visit, course, course_id, is_fresh=False)
    try:
        _assign(visit.client, grouping_id, group_id)
    except NotFound:
        # Somebody deleted the grouping that we remember.
        _assign(visit.client, _grouping(visit, course, course_id, is_fresh=True), group_id)


def _assign(client: MoodleClient, grouping_id: int, group_id: int) -> None:
    assignment = {"groupingid": grouping_id, "groupid": group_id}
    client.call("core_group_assign_grouping", {"assignments": [assignment]}, reads=False)


def _grouping(visit: Visit, course: int, course_id: str | None, *, is_fresh: bool) -> int:
    """Id of the grouping of a course; found by its idnumber, made where there is none."""
    key = ("grouping", course)
    if not is_fresh and key in visit.seen:
        return int(visit.seen[key])
    if not is_fresh:
        with visit.database.read() as session:
            kept = session.scalar(select(MoodleCourse.grouping_id).where(MoodleCourse.course_id == course_id))
        if kept:
            visit.seen[key] = kept
            return kept
    number = f"{OURS}pairs-{course}"
    found = _find_grouping(visit.client, course, number)
    if found is None:
        found = _create_grouping(visit.client, course, number)
    with visit.database.write() as session:
        session.execute(update(MoodleCourse).where(MoodleCourse.course_id == course_id).values(grouping_id=found))
    visit.seen[key] = found
    return found


def _create_grouping(client: MoodleClient, course: int, number: str) -> int:
    function = "core_group_create_groupings"
    # Moodle stumbles over its own answer, after the grouping was made, where it is not told an idnumber.
    grouping = {"courseid": course, "name": GROUPING, "description": "", "idnumber": number}
    try:
        said = client.call(function, {"groupings": [grouping]}, reads=False)
    except (AnswerBroken, IdNumberTaken, ParameterRefused):
        found = _find_grouping(client, course, number)
        if found is None:
            raise
        return found
    return _int(function, next(iter(_list(function, said)), {}).get("id"))


def _find_grouping(client: MoodleClient, course: int, number: str) -> int | None:
    """By idnumber; or by name, where somebody made one of ours by hand, its idnumber is not told, or the course is a
    copy and the grouping came along: Moodle takes the name once in a course."""
    function = "core_group_get_course_groupings"
    there = _list(function, client.call(function, {"courseid": course}, reads=True))
    found = [each for each in there if each.get("idnumber") == number]
    found += [
        each for each in there if each.get("name") == GROUPING and str(each.get("idnumber") or OURS).startswith(OURS)
    ]
    return _int(function, found[0].get("id")) if found else None


def _bring_members(client: MoodleClient, group_id: int, members: set[int], *, is_new: bool) -> None:
    """Makes these the members. Who is not enrolled in the course any more is left out."""
    there = set() if is_new else _members(client, group_id)
    if new := sorted(members - there):
        function = "core_group_add_group_members"
        try:
            client.call(function, {"members": _in(group_id, new)}, reads=False)
        except (ParameterRefused, NotFound):
            # Of a batch with one who is not there, nothing was done.
            for each in new:
                try:
                    client.call(function, {"members": _in(group_id, [each])}, reads=False)
                except (ParameterRefused, NotFound):
                    continue
    if gone := sorted(there - members):
        client.call("core_group_delete_group_members", {"members": _in(group_id, gone)}, reads=False)


def _members(client: MoodleClient, group_id: int) -> set[int]:
    function = "core_group_get_group_members"
    said = _list(function, client.call(function, {"groupids": [group_id]}, reads=True))
    return {_int(function, each) for one in said for each in one.get("userids") or ()}


def _in(group_id: int, members: Iterable[int]) -> list[dict[str, int]]:
    return [{"groupid": group_id, "userid": each} for each in members]


def _list(function: str, said: Any) -> list[dict[str, Any]]:
    if not isinstance(said, list) or not all(isinstance(each, dict) for each in said):
        raise _not_expected(function)
    return said


def _int(function: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, str)) or not str(value).isdigit():
        raise _not_expected(function)
    return int(value)


def _not_expected(function: str) -> OutcomeUnknown:
    return OutcomeUnknown("not_expected", f"{function} was answered by something else.", function)
