"""Groups through the pages: forming one, two cycles of four people, pausing, leaving, and who sees what."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape

from browsers import recorded
from groups.people_of_groups import Hall, Person, open_hall
from sqlalchemy import delete, select, update

from lti_tool.activities.models import Activity
from lti_tool.cycles import service
from lti_tool.cycles.models import CycleMember
from lti_tool.groups.models import Group
from lti_tool.ownership import erasure
from lti_tool.pairing.models import PairMember
from lti_tool.people.models import Membership

ROLES_OF_GROUP = ("host", "keeper", "member")


def agree(hall: Hall, *numbers: int) -> None:
    """All write and sign what they agree on."""
    for at, number in enumerate(numbers):
        person = hall.people[number]
        person.get("start")
        person.press("agreements/together", **({"text__norms": "We talk on Fridays."} if at == 0 else {}))


def talk(hall: Hall, cycle_id: str) -> None:
    """The conversation is held, with what its gates ask for."""
    roles = hall.roles(cycle_id)
    host = next(number for number, role in roles.items() if role == "host")
    for number in sorted(roles, key=lambda each: each != host):
        hall.people[number].get("talk")
        boxes = re.findall(r'name="text-(\w+)"', hall.people[number].page)
        hall.people[number].press("talk/save", **{f"text__{key}": f"About {key}." for key in boxes})
    hall.people[host].get("talk")
    hall.people[host].press("talk/done")


def reflect(hall: Hall, *numbers: int) -> None:
    for number in numbers:
        person = hall.people[number]
        person.get("reflect")
        person.press("reflect/submit", text__own_learning=f"What I learned, {number}.")


def test_a_group_of_four_from_forming_to_two_submitted_cycles(hall: Hall) -> None:
    niamh, sean, grainne, oisin, aoife = hall.people
    assert "Find a group" in niamh.home()
    hall.form_group(0, 1, title="Questions that open a lesson")
    page = grainne.go("groups")
    assert "Questions that open a lesson" in page and "On Fridays" in page and "Niamh Ní Bhriain" in page
    assert "2 of you are there; a cycle needs 3" in niamh.home()
    assert "2 of you" in niamh.send("group/bring"), "too few to begin"
    for person in (grainne, oisin):
        join = re.search(r'action="[^"]*/(groups/\w+/join)"', person.go("groups") and person.page)
        assert join
        assert "You are in the group." in person.send(join.group(1))
    first = hall.begin(1)
    roles = hall.roles(first)
    assert roles[1] == "host" and sorted(roles.values()) == ["host", "keeper", "member", "member"]
    assert "Get started with" in niamh.home()
    niamh.get("start")
    assert all(name in niamh.page for name in ("Seán", "Gráinne", "Oisín")), "the page names all it is shared with"
    agree(hall, 0, 1)
    waiting = niamh.home()
    assert "2 of 4 have signed." in waiting and "Gráinne and Oisín" in waiting
    agree(hall, 2, 3)
    assert hall.row(first).stage == "talk"
    talk(hall, first)
    assert hall.row(first).stage == "reflect"
    reflect(hall, 0, 1, 2)
    assert "When Oisín has submitted too" in niamh.home()
    assert hall.row(first).status == "running"
    reflect(hall, 3)
    assert hall.row(first).status == "finished"
    page = sean.go(f"cycles/{first}/next")
    assert "I bring something" not in page, "nobody is host twice before all have been"
    for number in (0, 1, 2):
        assert hall.people[number].send(f"cycles/{first}/next", wish="go_on")
    assert "Waiting for Oisín" in sean.home()
    oisin.send(f"cycles/{first}/next", wish="bring")
    second = hall.at_desks()
    assert second != first and hall.roles(second)[3] == "host"
    keeper = next(number for number, role in roles.items() if role == "keeper")
    assert hall.roles(second)[keeper] != "keeper", "who keeps the time goes round"
    talk(hall, second)
    reflect(hall, 0, 1, 2, 3)
    assert hall.row(second).status == "finished"
    assert "Cycle 2 with" in sean.go("cycles") and sean.page.count("Cycle 1 with") == 1
    assert aoife.go(f"cycles/{second}") and aoife.status == 404


def test_a_group_goes_on_without_whoever_pauses_or_leaves(hall: Hall) -> None:
    hall.form_group(0, 1, 2, 3)
    cycle_id = hall.begin(0)
    agree(hall, 0, 1)
    hall.people[2].send("group/pause")
    assert "You have paused" in hall.people[2].home()
    assert hall.row(cycle_id).stage == "start"
    assert "3 have signed" in hall.people[0].home()
    hall.people[3].get("start")
    hall.people[3].post("texts/hopes", text="x")
    hall.people[3].send("group/leave")
    assert hall.row(cycle_id).stage == "talk", "nobody is left for whom the start waits"
    assert "Find a group" in hall.people[3].home()
    assert hall.people[3].get("talk") and "We talk on Fridays" not in hall.people[3].get("start")
    hall.people[2].send("group/resume")
    with hall.database.read() as session:
        left = session.scalars(select(CycleMember.membership_id).where(CycleMember.left_at.is_not(None))).all()
    assert left == [hall.course.teachers[3]]
    hall.people[0].send("group/leave")
    assert hall.row(cycle_id).status == "stopped", "what the host brought goes with the host"
    assert "2 of you are there" in hall.people[1].home()


def test_a_host_who_pauses_keeps_nobody_waiting(hall: Hall) -> None:
    hall.form_group(0, 1, 2, 3)
    first = hall.begin(0)
    hall.people[0].send("group/pause")
    assert "Niamh, the host of this cycle, pauses" in hall.people[1].home()
    second = hall.begin(1)
    assert second != first and set(hall.roles(second)) == {1, 2, 3}
    assert hall.row(second).stage == "start", "nobody has agreed yet how the group works"
    hall.people[0].send("group/resume")
    assert "in the middle of a cycle" in hall.people[0].home()


def test_whoever_comes_later_gets_started_with_the_others(hall: Hall) -> None:
    hall.form_group(0, 1, 2)
    first = hall.begin(0)
    agree(hall, 0, 1, 2)
    talk(hall, first)
    reflect(hall, 0, 1, 2)
    join = re.search(r'action="[^"]*/(groups/\w+/join)"', hall.people[3].go("groups") and hall.people[3].page)
    assert join
    hall.people[3].send(join.group(1))
    for number in (0, 1, 2):
        hall.people[number].send(f"cycles/{first}/next", wish="go_on")
    second = hall.at_desks()
    assert set(hall.roles(second)) == {0, 1, 2, 3} and hall.row(second).stage == "start"
    assert "Get started with" in hall.people[3].home()
    hall.people[3].cycle_id = first
    assert hall.people[3].get("start") and hall.people[3].status == 404, "what was before them is not theirs"
    hall.at_desks()
    agree(hall, 0, 1, 2, 3)
    assert hall.row(second).stage == "talk"


def test_the_keeper_says_for_all_that_a_visit_suits(app, database, clock) -> None:
    hall = open_hall(app, database, clock, protocol="demonstration", teachers=3)
    hall.form_group(0, 1, 2)
    cycle_id = hall.begin(0)
    with database.write() as session:
        person = session.scalars(select(Membership.person_id).where(Membership.id == hall.course.teachers[0])).one()
        for stage in ("start", "before"):
            cycle = service.load(session, cycle_id, person)
            assert cycle is not None
            service.mark(session, cycle, stage, [each.membership_id for each in cycle.members], clock())
    roles = hall.roles(cycle_id)
    host, keeper, member = (hall.people[list(roles)[list(roles.values()).index(role)]] for role in ROLES_OF_GROUP)
    assert "Invite the group into a lesson" in host.home()
    page = host.get("visit")
    boxes = {f"text__{key}": "settled" for key in re.findall(r'name="text-(\w+)"', page)}
    when = (clock() + timedelta(days=2)).strftime("%Y-%m-%dT10:00")
    host.press("visit/meetings/visit", **boxes, visit__starts=when, visit__minutes="40", visit__place="Room 5")
    keeper.get("visit")
    keeper.press("visit/meetings/after", after__starts=when.replace("T10", "T14"))
    assert "I will be there" not in member.get("visit") and member.post("visit/confirm") and member.status == 403
    assert "I will be there" in keeper.get("visit")
    keeper.press("visit/confirm")
    assert "The group visits your lesson" in host.home() and "You visit Niamh" in member.home()


def test_pages_of_groups_cost_at_most_twelve_statements(hall: Hall) -> None:
    def cost(number: int, path: str) -> int:
        hall.people[number].go(path)
        with recorded(hall.database) as statements:
            hall.people[number].go(path)
        assert hall.people[number].status in (200, 303), path
        return len(statements)

    costs = [cost(0, path) for path in ("", "groups", "groups/new")]
    hall.form_group(0, 1, 2, 3)
    hall.form_group(4, title="Another")
    costs += [cost(0, path) for path in ("", "groups", "group", "group/about")]
    first = hall.begin(0)
    costs += [cost(1, ""), cost(1, f"cycles/{first}/start"), cost(1, "group")]
    agree(hall, 0, 1, 2, 3)
    talk(hall, first)
    reflect(hall, 0, 1, 2, 3)
    costs += [cost(1, ""), cost(1, f"cycles/{first}/next")]
    assert max(costs) <= 12, costs


def scope_at(person: Person) -> str:
    """What stands on the page with which a member says what the group is about."""
    (found,) = re.findall(r'name="scope" value="(\w+)"', person.go("group/about"))
    return str(found)


def test_of_two_who_say_what_a_group_is_about_neither_writes_over_the_other(hall: Hall) -> None:
    niamh, sean, grainne, *_others = hall.people
    hall.form_group(0, 1, 2)
    seen = {person.at: scope_at(person) for person in (sean, grainne)}
    sean.send("group/about", kind="theme", title="Sean's words", about="", scope=seen[sean.at])
    page = unescape(
        grainne.send("group/about", kind="book", title="Mine", about="typed with care", scope=seen[grainne.at])
    )
    assert grainne.status == 409 and "Sean's words" in page and 'value="Mine"' in page and "typed with care" in page
    assert "Sean's words" in unescape(niamh.go("group"))
    (now,) = re.findall(r'name="scope" value="(\w+)"', page)
    grainne.send("group/about", kind="book", title="Mine", about="typed with care", scope=now)
    assert "typed with care" in niamh.go("group")
    grainne.send("group/about", kind="book", title="Mine, twice", about="", scope=now)
    assert "Mine, twice" in niamh.go("group"), "one's own words are in nobody's way"


def test_what_a_group_cannot_be_comes_back_with_what_was_typed(hall: Hall) -> None:
    page = hall.people[0].send("groups/new", kind="", title="", about="Kept in the box")
    assert hall.people[0].status == 400 and "Kept in the box" in page and "Give the group a name." in page
    assert 'href="#title"' in page
    hall.people[0].send("groups/new", kind="book", title="x" * 101, about="\0")
    assert hall.people[0].status == 400
    group_id = hall.form_group(0, 1)
    scope = scope_at(hall.people[1])
    hall.people[1].send("group/about", kind="book", title="Read together", about="", scope=scope)
    assert "Read together" in hall.people[2].go("groups") and "On Fridays" not in hall.people[2].page
    assert "what you wrote your group is about" in hall.people[1].go("looked"), "whoever read it is told of"
    with hall.database.write() as session:
        session.execute(update(Activity).values(protocol="triad"))
    for number in (2, 3):
        hall.people[number].send(f"groups/{group_id}/join")
    assert "There is no more room." in hall.people[3].go("groups")
    with hall.database.write() as session:
        session.add(
            PairMember(pair_id=group_id, activity_id=hall.course.activity_id, membership_id=hall.course.teachers[3])
        )
    assert "too large for a cycle" in hall.people[3].home() and "has room for 3" in hall.people[0].go("group")
    with hall.database.write() as session:
        session.execute(
            delete(PairMember).where(PairMember.membership_id.in_([hall.course.teachers[2], hall.course.teachers[3]]))
        )
    hall.people[2].send("groups/nothing/join")
    assert hall.people[2].status == 404
    hall.people[0].send("group/leave", group="another")
    assert "Niamh" in hall.people[2].go("groups"), "an old page does not leave another group"
    hall.people[0].send("group/leave", group=group_id)
    hall.people[1].send("group/leave", group=group_id)
    assert "Read together" not in hall.people[2].go("groups")


def counted(page: str, step: str) -> int:
    """How many teachers the trainer's page counts at a step."""
    found = re.search(rf"</svg> {step}</th>\s*<td>(\d+)</td>", page)
    assert found, step
    return int(found.group(1))


def test_trainers_leaders_and_guests_read_nothing_of_a_group(hall: Hall) -> None:
    group_id = hall.form_group(0, 1, 2, title="kingfisher")
    trainer = hall.open_desk(hall.course.trainer)
    assert "1 group" in trainer.home() and counted(trainer.page, "In no group") == 2
    hall.people[2].send("group/pause")
    assert "1 group" in trainer.home() and counted(trainer.page, "In no group") == 3, (
        "whoever pauses looks like all others"
    )
    hall.people[2].send("group/resume")
    hall.begin(0)
    for membership in (hall.course.trainer, hall.course.guest, hall.course.leader, hall.course.administrator):
        desk = hall.open_desk(membership)
        assert "kingfisher" not in desk.home()
        for path in ("groups", "groups/new", "group", "group/about"):
            assert "kingfisher" not in desk.go(path) and desk.status == 404, (membership, path)
        desk.send(f"groups/{group_id}/join")
        assert desk.status == 404


def test_what_a_group_is_about_goes_with_all_that_its_author_wrote(app, hall: Hall) -> None:
    niamh, sean, grainne, *_others = hall.people
    hall.form_group(0, 1, title="kingfisher")
    assert "what 1 group is about" in niamh.go("mine")
    assert "what you wrote groups are about" in niamh.go("mine/everything")
    niamh.send("mine/everything", sure="1")
    assert "what 1 group is about" not in niamh.go("mine") and "Nothing to delete" in niamh.go("mine/everything")
    page = grainne.go("groups")
    assert "kingfisher" not in page and "A group without a name" in page and "Seán" in page
    assert sean.go("group") and sean.status == 200
    sean.send("group/about", kind="book", title="heron", about="", scope=scope_at(sean))
    assert "heron" in grainne.go("groups")
    sean.send("group/leave")
    with hall.database.write() as session:
        niamh_id = session.scalars(select(Membership.person_id).where(Membership.id == hall.course.teachers[0])).one()
        erasure.erase(session, app.extensions["meitheal"].keyring, niamh_id, datetime.now(UTC))
    with hall.database.read() as session:
        assert session.scalars(select(Group)).all() == [], "with its last member it goes, whoever wrote it"
