"""Pairs as groups of Moodle: once, found again, and nothing else touched."""

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from live_moodle import Moodle
from moodle_pairs import COURSE, Pairs, furnish
from sqlalchemy import update

from lti_tool.activities.models import Activity
from lti_tool.lti.http import Http
from lti_tool.pairing import service as pairing
from lti_tool.pairing.models import Pair
from lti_tool.people.models import Membership
from lti_tool.privacy.sealing import Masters
from lti_tool.sandbox.people import CourseRole
from lti_tool.sandbox.school import Group, Grouping
from lti_tool.store.database import Database
from moodle_sync import groups, roster
from moodle_sync.groups import GROUPING, PairNow, There, wanted
from moodle_sync.writing import SETTLES_AFTER, Wish

CREATE, READ, JOIN, LEAVE = (
    "core_group_create_groups",
    "core_group_get_course_groups",
    "core_group_add_group_members",
    "core_group_delete_group_members",
)


def pair(id_: str, *members: int, course: str = "c") -> PairNow:
    return PairNow(id_, course, 2, frozenset(members))


def done(there: Iterable[There], wishes: Iterable[Wish]) -> list[There]:
    """What is said to be there once these wishes are."""
    said = {each.pair_id: each for each in there}
    said |= {wish.key: There(wish.key, wish.course_id or "", wish.wanted, wish.state, wish.body) for wish in wishes}
    return list(said.values())


def test_a_group_keeps_its_number_and_a_new_one_has_another() -> None:
    there = done([], wanted([pair("a", 1, 2), pair("b", 3, 4), pair("x", 1, 2, course="d")], []))
    assert [(each.pair_id, each.body["number"]) for each in there] == [("a", 1), ("b", 2), ("x", 1)]
    gone = wanted([pair("b", 3, 4), pair("x", 1, 2, course="d")], there)
    assert [(wish.key, wish.wanted, wish.body["members"]) for wish in gone] == [("a", False, [])]
    there = done(there, gone)
    back = wanted([pair("b", 3, 5), pair("c", 1, 2), pair("a", 1, 6), pair("x", 1, 2, course="d")], there)
    assert [(wish.key, wish.body["number"], wish.body["members"]) for wish in back] == [
        ("b", 2, [3, 5]),
        ("c", 3, [1, 2]),
        ("a", 1, [1, 6]),
    ]


_PAIRS = st.lists(
    st.builds(PairNow, st.sampled_from("abcde"), st.sampled_from("cd"), st.just(2), st.frozensets(st.integers(1, 6))),
    unique_by=lambda each: each.id,
)


@given(st.lists(_PAIRS, max_size=5))
def test_what_is_said_is_said_once_and_comes_to_what_the_pairs_are(terms: list[list[PairNow]]) -> None:
    there: list[There] = []
    for pairs in terms:
        there = done(there, wanted(pairs, there))
        assert wanted(pairs, there) == []
        assert {each.pair_id: each.body["members"] for each in there if each.wanted} == {
            each.id: sorted(each.members) for each in pairs if each.members
        }


@pytest.fixture
def here(database: Database, masters: Masters, clock: Any, moodle: Moodle, platform_id: str) -> Pairs:
    return furnish(database, masters, clock, moodle.school, platform_id)


def ours(moodle: Moodle) -> list[Group]:
    return [each for each in moodle.school.courses[COURSE].groups if each.id_number.startswith("meitheal-")]


def grouping(moodle: Moodle) -> Grouping:
    (found,) = moodle.school.courses[COURSE].groupings
    return found


def settle(clock: Any) -> None:
    clock.advance(SETTLES_AFTER.total_seconds() + 1800)


def test_each_pair_has_a_group_whose_name_tells_nothing(here: Pairs, moodle: Moodle, http: Http) -> None:
    before = [(each.name, set(each.members)) for each in moodle.school.courses[COURSE].groups]
    first, second = here.pair(), here.pair()
    here.work(http)
    made = ours(moodle)
    assert {each.id_number: each.members for each in made} == {
        f"meitheal-pair-{id_}": set(here.subs[id_]) for id_ in (first, second)
    }
    assert {each.name for each in made} == {"Peer coaching 1", "Peer coaching 2"}
    assert {each.description for each in made} == {""}
    assert (grouping(moodle).name, grouping(moodle).id_number) == (GROUPING, f"meitheal-pairs-{COURSE}")
    assert grouping(moodle).groups == {each.id for each in made}
    others = [(each.name, each.members) for each in moodle.school.courses[COURSE].groups if each not in made]
    assert others == before
    moodle.school.web_services.calls.clear()
    here.work(http)
    assert moodle.calls == {}


def test_a_pair_that_ends_takes_only_its_own_group_along(here: Pairs, moodle: Moodle, http: Http, clock: Any) -> None:
    first, second = here.pair(), here.pair()
    here.work(http)
    # Somebody took its idnumber away: it is found by the id that it was made as.
    group = next(each for each in ours(moodle) if each.id_number.endswith(first))
    group.id_number = ""
    with here.database.write() as session:
        pairing.end_pair(session, first, clock())
    here.work(http)
    assert [each.id_number for each in ours(moodle)] == [f"meitheal-pair-{second}"]
    assert group not in moodle.school.courses[COURSE].groups and len(moodle.school.courses[COURSE].groups) == 4


def test_a_group_of_the_same_id_that_is_not_ours_is_left_alone(here: Pairs, moodle: Moodle, http: Http) -> None:
    id_ = here.pair()
    here.work(http)
    # The site was set up anew under the same address, and its ids begin from one again.
    (group,) = ours(moodle)
    group.id_number, group.name, group.members = "", "7B Science", {here.waiting[0]}
    here.change(Pair, Pair.id == id_, status="ended")
    here.work(http)
    assert group in moodle.school.courses[COURSE].groups and group.members == {here.waiting[0]}


def test_a_grouping_that_came_along_into_a_copied_course_is_used(here: Pairs, moodle: Moodle, http: Http) -> None:
    moodle.school.add_grouping(moodle.school.courses[COURSE], GROUPING, "meitheal-pairs-1", "")
    id_ = here.pair()
    here.work(http)
    assert here.state(id_) == ("done", "") and grouping(moodle).groups == {ours(moodle)[0].id}


def test_switching_it_off_deletes_our_groups_and_no_other(here: Pairs, moodle: Moodle, http: Http) -> None:
    here.pair()
    here.pair()
    here.work(http)
    with here.database.write() as session:
        roster.write_pairs(session, here.course_id, on=False)
    here.work(http)
    assert ours(moodle) == [] and len(moodle.school.courses[COURSE].groups) == 3
    with here.database.write() as session:
        roster.write_pairs(session, here.course_id, on=True)
    here.work(http)
    assert sorted(each.name for each in ours(moodle)) == ["Peer coaching 1", "Peer coaching 2"]


def test_members_come_and_go_with_the_pair(here: Pairs, moodle: Moodle, http: Http) -> None:
    id_ = here.pair()
    here.work(http)
    leaver, other = here.subs[id_]
    with here.database.write() as session:
        session.execute(update(Membership).where(Membership.id == here.members[leaver]).values(is_active=False))
    here.work(http)
    assert ours(moodle)[0].members == {other}
    with here.database.write() as session:
        session.execute(update(Membership).where(Membership.id == here.members[leaver]).values(is_active=True))
    here.work(http)
    assert ours(moodle)[0].members == {leaver, other}


def test_somebody_who_is_enrolled_no_more_stands_in_nobody_s_way(here: Pairs, moodle: Moodle, http: Http) -> None:
    id_ = here.pair()
    del moodle.school.courses[COURSE].members[here.subs[id_][0]]
    here.work(http)
    assert ours(moodle)[0].members == {here.subs[id_][1]} and here.state(id_) == ("done", "")


def test_a_name_that_somebody_uses_is_left_to_them(here: Pairs, moodle: Moodle, http: Http) -> None:
    theirs = moodle.school.add_group(moodle.school.courses[COURSE], "Peer coaching 1", ())
    here.pair()
    here.work(http)
    assert [each.name for each in ours(moodle)] == ["Peer coaching 1 (2)"] and theirs.members == set()


def test_a_group_that_was_made_without_an_answer_is_found_again(
    here: Pairs, moodle: Moodle, http: Http, clock: Any
) -> None:
    for kind, function in (
        *((each, CREATE) for each in ("cut_after", "error_after", "invalidresponse", "cut_before")),
        *((each, "core_group_create_groupings") for each in ("invalidresponse", "cut_after")),
        *((each, "core_group_assign_grouping") for each in ("cut_before", "cut_after")),
        *((each, JOIN) for each in ("cut_before", "cut_after")),
    ):
        if "groupings" in function:
            moodle.school.courses[COURSE].groupings.clear()
        moodle.goes_wrong(kind, function)
        id_ = here.pair()
        here.work(http)
        settle(clock)
        here.work(http)
        assert here.state(id_) == ("done", ""), (kind, function)
        moodle.heal()
        (group,) = [each for each in ours(moodle) if each.id_number == groups.id_number(id_)]
        assert group.members == set(here.subs[id_]) and group.id in grouping(moodle).groups, (kind, function)
    assert len(ours(moodle)) == len(here.subs)


def test_a_grouping_that_somebody_deleted_is_made_again(here: Pairs, moodle: Moodle, http: Http) -> None:
    here.pair()
    here.work(http)
    moodle.school.courses[COURSE].groupings.clear()
    here.pair()
    here.work(http)
    assert grouping(moodle).groups == {ours(moodle)[1].id}


def test_a_group_that_somebody_deleted_is_gone_without_an_error(
    here: Pairs, moodle: Moodle, http: Http, clock: Any
) -> None:
    id_, other = here.pair(), here.pair()
    here.work(http)
    course = moodle.school.courses[COURSE]
    course.groups = [each for each in course.groups if not each.id_number.endswith(id_)]
    with here.database.write() as session:
        pairing.end_pair(session, id_, clock())
    here.work(http)
    assert here.state(id_) == ("done", "") and len(ours(moodle)) == 1
    del moodle.school.courses[COURSE]
    with here.database.write() as session:
        pairing.end_pair(session, other, clock())
    here.work(http)
    assert here.state(other) == ("done", "")


def test_whoever_reflects_alone_and_whoever_found_a_partner_in_a_round_has_no_group_there(
    here: Pairs, moodle: Moodle, http: Http
) -> None:
    here.pair()
    with here.database.write() as session:
        session.execute(update(Activity).values(kind="pairing"))
    here.work(http)
    assert ours(moodle) == [] and moodle.calls.get(CREATE) is None


def test_an_account_that_may_not_is_said_and_nothing_else_is_tried(here: Pairs, moodle: Moodle, http: Http) -> None:
    moodle.goes_wrong("nopermissions", CREATE, count=9)
    id_ = here.pair()
    here.work(http)
    assert here.state(id_) == ("failed", "nopermissions") and moodle.calls[CREATE] == 1


def test_people_in_the_course_s_roles_of_moodle_are_not_touched(here: Pairs, moodle: Moodle, http: Http) -> None:
    before = dict(moodle.school.courses[COURSE].members)
    here.pair()
    here.work(http)
    assert moodle.school.courses[COURSE].members == before and CourseRole.STUDENT in before.values()
