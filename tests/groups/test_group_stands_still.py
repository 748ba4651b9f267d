"""A group never stands still for somebody who is not there: who pauses, leaves, or takes part no longer."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from groups.people_of_groups import Hall, open_hall
from groups.test_group_pages import agree, reflect, talk
from sqlalchemy import insert, select, update

from lti_tool.activities.models import ActivityTrainer
from lti_tool.ownership import erasure
from lti_tool.people.models import Membership


def who_has(hall: Hall, cycle_id: str, role: str) -> list[int]:
    return sorted(number for number, has in hall.roles(cycle_id).items() if has == role)


def roster_drops(hall: Hall, number: int) -> None:
    """The course's roster names a teacher no longer."""
    with hall.database.write() as session:
        session.execute(update(Membership).where(Membership.id == hall.course.teachers[number]).values(is_active=False))


def declares_leader(hall: Hall, number: int) -> None:
    hall.people[number].send("leader")


def is_made_trainer(hall: Hall, number: int) -> None:
    with hall.database.write() as session:
        session.execute(
            insert(ActivityTrainer).values(
                id="t" * 16,
                activity_id=hall.course.activity_id,
                membership_id=hall.course.teachers[number],
                created_at=datetime.now(UTC),
            )
        )


def test_a_keeper_leaves_or_is_erased_while_nobody_but_the_host_is_there(app, database, clock) -> None:
    hall = open_hall(app, database, clock, protocol="student_work", teachers=5)
    hall.form_group(0, 1, 2, 3)
    cycle_id = hall.begin(0)
    agree(hall, 0, 1, 2, 3)
    (keeper,) = who_has(hall, cycle_id, "keeper")
    first, second = who_has(hall, cycle_id, "member")
    hall.people[first].send("group/pause")
    hall.people[second].send("group/pause")
    hall.people[keeper].send("group/leave")
    assert hall.people[keeper].status == 303 and hall.row(cycle_id).status == "running"
    hall.people[first].send("group/resume")
    assert who_has(hall, cycle_id, "keeper") == sorted([keeper, first]), "they are back, and somebody keeps the time"
    hall.people[second].send("group/pause")
    with database.write() as session:
        person_id = session.scalars(
            select(Membership.person_id).where(Membership.id == hall.course.teachers[first])
        ).one()
        erasure.erase(session, app.extensions["meitheal"].keyring, person_id, clock())
    assert hall.row(cycle_id).status == "running"
    assert hall.people[0].get("talk") and hall.people[0].status == 200


def test_what_a_keeper_writes_falls_to_somebody_else_while_they_pause(app, database, clock) -> None:
    hall = open_hall(app, database, clock, protocol="student_work", teachers=4)
    hall.form_group(0, 1, 2, 3)
    cycle_id = hall.begin(0)
    agree(hall, 0, 1, 2, 3)
    (keeper,) = who_has(hall, cycle_id, "keeper")
    hall.people[keeper].send("group/pause")
    heir = next(each for each in who_has(hall, cycle_id, "keeper") if each != keeper)
    there = [number for number in range(4) if number != keeper]
    for number in (0, heir):
        person = hall.people[number]
        boxes = re.findall(r'name="text-(\w+)"', person.get("talk"))
        assert ("noticed" in boxes) == (number == heir)
        person.press("talk/save", **{f"text__{key}": "What we saw." for key in boxes})
    hall.people[0].get("talk")
    hall.people[0].press("talk/done")
    assert hall.row(cycle_id).stage == "reflect"
    reflect(hall, *there)
    assert hall.row(cycle_id).status == "finished"


def test_the_next_cycle_begins_when_the_one_who_was_missing_comes_or_is_back(hall: Hall) -> None:
    group_id = hall.form_group(0, 1, 2)
    first = hall.begin(0)
    agree(hall, 0, 1, 2)
    talk(hall, first)
    reflect(hall, 0, 1, 2)
    hall.people[2].send("group/leave")
    for number in (0, 1):
        hall.people[number].send(f"cycles/{first}/next", wish="go_on")
    assert hall.at_desks() == first, "two are too few"
    hall.people[3].send(f"groups/{group_id}/join")
    second = hall.at_desks()
    assert second != first and set(hall.roles(second)) == {0, 1, 3}
    agree(hall, 0, 1, 3)
    talk(hall, second)
    reflect(hall, 0, 1, 3)
    hall.people[3].send("group/pause")
    for number in (0, 1):
        hall.people[number].send(f"cycles/{second}/next", wish="go_on")
    assert hall.at_desks() == second
    hall.people[3].send("group/resume")
    assert "go on" in hall.people[3].home() and hall.at_desks() == second, "nobody is in a cycle without having said so"
    hall.people[3].send(f"cycles/{second}/next", wish="go_on")
    assert set(hall.roles(hall.at_desks())) == {0, 1, 3}


@pytest.mark.parametrize("goes", [roster_drops, declares_leader, is_made_trainer])
def test_a_group_goes_on_without_whoever_takes_part_no_longer(hall: Hall, goes: Callable[[Hall, int], None]) -> None:
    group_id = hall.form_group(0, 1, 2, 3)
    cycle_id = hall.begin(0)
    agree(hall, 0, 1, 2)
    assert "Go on" not in hall.people[0].home()
    goes(hall, 3)
    assert "Your group can go on" in hall.people[0].home()
    hall.people[0].send("group/go-on", group=group_id)
    assert hall.row(cycle_id).stage == "talk" and "Your group can go on" not in hall.people[0].page
    hall.people[4].send(f"groups/{group_id}/join")
    assert "You are in the group." in hall.people[4].page


def test_who_takes_part_no_longer_takes_no_seat_and_holds_up_no_end(app, database, clock) -> None:
    hall = open_hall(app, database, clock, protocol="triad", teachers=5)
    group_id = hall.form_group(0, 1, 2)
    hall.people[3].send(f"groups/{group_id}/join")
    assert "no room" in hall.people[3].page
    cycle_id = hall.begin(0)
    agree(hall, 0, 1, 2)
    hall.people[0].get("talk")
    hall.people[0].press("talk/first-turn")
    talk(hall, cycle_id)
    reflect(hall, 0, 1)
    roster_drops(hall, 2)
    assert f"groups/{group_id}/join" in hall.people[3].go("groups")
    hall.people[0].get("reflect")
    hall.people[0].press("reflect/submit", text__own_learning="Something more.")
    assert hall.row(cycle_id).status == "finished", "submitting again lets it go on too"
    for number in (0, 1):
        hall.people[number].send(f"cycles/{cycle_id}/next", wish="go_on")
    assert "Your group can go on" not in hall.people[0].home(), "two are too few for the next one"
    hall.people[3].send(f"groups/{group_id}/join")
    assert set(hall.roles(hall.at_desks())) == {0, 1, 3}


def test_whoever_left_learns_nothing_of_how_it_goes_on(hall: Hall, clock: Any) -> None:
    hall.form_group(0, 1, 2, 3)
    cycle_id = hall.begin(0)
    agree(hall, 0, 1)
    hall.people[3].get("start")
    hall.people[3].send("group/leave")
    clock.advance(60)

    def learns() -> list[str]:
        poll = hall.people[3].client.get(f"{hall.people[3].cycle}/texts?revision=-1").get_data(as_text=True)
        pages = [hall.people[3].get(page) for page in ("start", "talk", "talk/talk", "reflect")]
        return [poll, *(re.sub(r'"[\w.-]{40,}"', "", page) for page in pages)]

    before = learns()
    agree(hall, 2)
    hall.people[0].get("talk/talk")
    hall.people[0].press("talk/talk", move="begin")
    talk(hall, cycle_id)
    reflect(hall, 0, 1, 2)
    hall.people[0].send(f"cycles/{cycle_id}/next", wish="go_on")
    assert hall.row(cycle_id).status == "finished"
    assert learns() == before
    hall.people[3].get("reflect")
    hall.people[3].press("reflect/submit", text__own_learning="What I take with me.")
    assert "What I take with me." in hall.people[3].get("reflect")
