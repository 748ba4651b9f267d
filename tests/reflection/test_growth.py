"""What a teacher would like to grow in: private, shared line by line with the present partner, and taken back (R27)."""

import html
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from browsers import recorded
from cycles.pair_at_work import Desk, Room, open_room
from factories import make_course, sign_in
from flask import Flask
from groups.people_of_groups import Hall, open_hall
from ownership.test_mine_pages import person_of
from pairing.test_pairing_service import at_once
from sqlalchemy import delete, event, func, select

from lti_tool.ownership import erasure
from lti_tool.pairing import service as pairing
from lti_tool.pairing.models import Pair
from lti_tool.people.models import Membership
from lti_tool.privacy.models import ContentKey
from lti_tool.reflection import growth
from lti_tool.reflection.models import GrowthArea, GrowthShare
from lti_tool.store.database import Database

PRIVATE, SHARED = "canary-private", "canary-shared"


@pytest.fixture
def room(app: Flask, database: Database, clock: Callable[[], datetime]) -> Room:
    """A pair of which the host has two lines, and shares the second."""
    made = open_room(app, database, clock, "light")
    for text in (PRIVATE, SHARED):
        assert send(made.host, "growth", text=text).status_code == 303
    assert send(made.host, f"growth/{ids(made)[1]}/share", pair=pair_of(made)).status_code == 303
    return made


@pytest.fixture
def hall(app: Flask, database: Database, clock: Callable[[], datetime]) -> Hall:
    return open_hall(app, database, clock, teachers=2)


def send(desk: Desk, path: str, **form: str) -> Any:
    headers = {"Referer": f"http://localhost{desk.at}/"}
    return desk.client.post(f"{desk.at}/{path}", data={"csrf_token": desk.token()} | form, headers=headers)


def page(desk: Desk, path: str = "growth") -> str:
    answer = desk.client.get(f"{desk.at}/{path}")
    assert answer.status_code == 200, path
    return html.unescape(answer.get_data(as_text=True))


def ids(room: Room) -> list[str]:
    with room.database.read() as session:
        return list(session.scalars(select(GrowthArea.id).order_by(GrowthArea.created_at, GrowthArea.id)))


def pair_of(room: Room) -> str:
    with room.database.read() as session:
        return session.scalars(select(Pair.id)).one()


def count(database: Database, model: Any) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


@pytest.fixture(autouse=True)
def _in_order(clock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines of one second come in the order of random ids: each is added a second later."""
    inner = growth.add

    def later(*arguments: Any, **options: Any) -> None:
        clock.advance(1)
        inner(*arguments[:-1], clock())

    monkeypatch.setattr(growth, "add", later)


def test_the_partner_sees_the_shared_line_and_no_other(room: Room) -> None:
    own = page(room.host)
    assert PRIVATE in own and SHARED in own and "Shared with Seán in “Coaching cycle 1”." in own
    for path in ("growth", "pair"):
        shown = page(room.coach, path)
        assert SHARED in shown and PRIVATE not in shown and "Niamh would like to grow in" in shown, path
    assert "over the years" not in page(room.host, "looked")
    assert "would like to grow in, as far as you share it" in page(room.host, "looked")


def test_what_is_taken_back_is_seen_by_nobody(room: Room) -> None:
    assert send(room.host, f"growth/{ids(room)[1]}/take-back", pair=pair_of(room)).status_code == 303
    for path in ("growth", "pair"):
        assert SHARED not in page(room.coach, path), path
    assert "Shared with" not in page(room.host) and SHARED in page(room.host)
    assert send(room.host, f"growth/{ids(room)[1]}/take-back", pair=pair_of(room)).status_code == 303, "twice is once"


def test_it_ends_with_the_pair(room: Room, clock: Any) -> None:
    with room.database.write() as session:
        pairing.end_pair(session, pair_of(room), clock())
    assert SHARED not in page(room.coach) and "Shared with" not in page(room.host)
    # A page that is still open shares with nobody else.
    assert "told=another" in send(room.host, f"growth/{ids(room)[0]}/share", pair=pair_of(room)).location
    assert count(room.database, GrowthShare) == 1


def test_a_line_is_changed_and_deleted_with_its_key(app: Flask, room: Room) -> None:
    private, shared = ids(room)
    assert send(room.host, f"growth/{shared}", text="canary-later").status_code == 303
    assert "canary-later" in page(room.coach) and SHARED not in page(room.coach)
    assert "reads it as you save it" in page(room.host, f"growth/{shared}")
    assert send(room.host, f"growth/{shared}/delete").status_code == 303
    assert "canary-later" not in page(room.coach) + page(room.host) and PRIVATE in page(room.host)
    with app.extensions["meitheal"].keyring.database.read() as session:
        kept = set(session.scalars(select(ContentKey.scope_id)))
    assert private in kept and shared not in kept
    assert count(room.database, GrowthShare) == 0
    # Whoever has it open still does not lose what they typed.
    answer = send(room.host, f"growth/{shared}", text="typed in another tab")
    assert answer.status_code == 404 and "typed in another tab" in answer.get_data(as_text=True)


def test_nothing_typed_is_lost_when_it_is_refused(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in ("growth", f"growth/{ids(room)[0]}"):
        answer = send(room.host, path, text="w" * 1001)
        assert answer.status_code == 400 and "w" * 1001 in answer.get_data(as_text=True)
        for empty in ("", " \r\n ", "\0"):
            assert send(room.host, path, text=empty).status_code == 400
    monkeypatch.setattr(growth, "MOST", 2)
    answer = send(room.host, "growth", text="one more")
    assert answer.status_code == 400 and "one more" in answer.get_data(as_text=True)
    assert count(room.database, GrowthArea) == 2


def test_a_double_tap_adds_once_and_odd_input_is_no_error(room: Room) -> None:
    ticket = re.findall(r'name="ticket" value="(\w+)"', page(room.coach))[0]
    for _ in range(2):
        assert send(room.coach, "growth", text="once", ticket=ticket).status_code == 303
    assert page(room.coach).count("once</div>") == 1
    assert send(room.coach, "growth", text="odd\0one <b>", ticket="x" * 5000).status_code == 303
    assert "oddone <b>" in page(room.coach)
    for path in ("growth/" + "0" * 16, "growth/nonsense", "growth/a\0b", "growth/" + "9" * 400):
        for end in ("/share", "/take-back", "/delete"):
            assert send(room.coach, path + end, pair="\0").status_code == 404, path
        assert room.coach.client.get(f"{room.coach.at}/{path}").status_code == 404


def test_taps_at_the_same_moment_add_once_and_a_line_that_goes_while_it_is_changed_gives_its_text_back(
    app: Flask, room: Room, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    keyring, person = app.extensions["meitheal"].keyring, person_of(room, 0)

    def add() -> None:
        with room.database.write() as session:
            growth.add(session, keyring, person, "once", "0123456789abcdef", clock())

    assert at_once(add, add, add) == [None] * 3
    assert count(room.database, GrowthArea) == 3
    inner = growth.find

    def and_goes(session: Any, *rest: Any) -> Any:
        found = inner(session, *rest)
        session.execute(delete(GrowthArea).where(GrowthArea.id == rest[2]))
        return found

    monkeypatch.setattr(growth, "find", and_goes)
    answer = send(room.host, f"growth/{ids(room)[0]}", text="typed meanwhile")
    assert answer.status_code == 404 and "typed meanwhile" in answer.get_data(as_text=True)


def test_alone_in_a_group_there_is_nobody_to_share_with_and_who_leaves_takes_theirs_along(hall: Hall) -> None:
    founder, other = hall.people[:2]
    for person in (founder, other):
        person.send("growth", text=SHARED)
    group = hall.form_group(0)
    with hall.database.read() as session:
        rows = session.execute(select(GrowthArea.person_id, GrowthArea.id)).all()
        areas = {row.person_id: row.id for row in rows}
        of = dict(session.execute(select(Membership.id, Membership.person_id)).all())
    mine, theirs = (areas[of[hall.course.teachers[number]]] for number in (0, 1))
    assert "/share" not in founder.go("growth")
    assert "nothing was shared" in founder.send(f"growth/{mine}/share", pair=group)
    other.send(f"groups/{group}/join")
    assert SHARED not in page(other, "group")
    for person, area in ((founder, mine), (other, theirs)):
        assert "It is shared" in person.send(f"growth/{area}/share", pair=group)
    other.send("group/leave")
    assert count(hall.database, GrowthShare) == 0, "nor does who comes next see what was shared with who left"
    other.send(f"groups/{group}/join")
    assert all("Shared with" not in page(person) for person in (founder, other))


def test_no_other_role_reads_or_changes_any_of_it(app: Flask, room: Room, database: Database, clock: Any) -> None:
    elsewhere = make_course(database, teachers=1, now=clock())
    course = room.course
    others = [course.trainer, course.guest, course.leader, course.administrator, course.teachers[2]]
    ways = [(who, course.activity_id) for who in (*others, course.teachers[1])]
    for member, activity in [*ways, (elsewhere.teachers[0], elsewhere.activity_id)]:
        client = app.test_client()
        desk = Desk(client, sign_in(database, client, member, activity, clock()), room.cycle_id)
        shown = client.get(f"{desk.at}/growth").get_data(as_text=True)
        assert PRIVATE not in shown and (SHARED in shown) == (member == course.teachers[1]), member
        for area in ids(room):
            assert client.get(f"{desk.at}/growth/{area}").status_code == 404
            for path in (f"growth/{area}/share", f"growth/{area}/take-back", f"growth/{area}/delete"):
                answer = client.post(
                    f"{desk.at}/{path}",
                    data={"csrf_token": desk.token(), "pair": pair_of(room)},
                    headers={"Referer": "http://localhost/"},
                )
                assert answer.status_code == 404, (member, path)
    for who in (course.trainer, course.guest, course.leader, course.administrator):
        client = app.test_client()
        desk = Desk(client, sign_in(database, client, who, course.activity_id, clock()), room.cycle_id)
        form = {"csrf_token": desk.token(), "text": "not for them"}
        answer = client.post(f"{desk.at}/growth", data=form, headers={"Referer": "http://localhost/"})
        assert answer.status_code == 404
    assert count(database, GrowthArea) == 2 and SHARED in page(room.coach)


def test_it_is_sealed_taken_along_and_erased(app: Flask, room: Room, clock: Any) -> None:
    with room.database.read() as session:
        assert not any(b"canary" in each for each in session.scalars(select(GrowthArea.sealed)))
    taken = room.host.client.get(f"{room.host.at}/mine/mine.json").get_json()["you_would_like_to_grow_in"]
    assert [(each["text"], each["shared_in"]) for each in taken] == [(PRIVATE, ""), (SHARED, "Coaching cycle 1")]
    assert "canary" not in room.coach.client.get(f"{room.coach.at}/mine/mine.json").get_data(as_text=True)
    assert "2 lines of what you would like to grow in" in page(room.host, "mine")
    with room.database.write() as session:
        erasure.erase(session, app.extensions["meitheal"].keyring, person_of(room, 0), clock())
    assert SHARED not in page(room.coach)
    assert count(room.database, GrowthArea) == count(room.database, GrowthShare) == 0


def test_many_lines_cost_what_one_costs(app: Flask, room: Room) -> None:
    def cost(desk: Desk, path: str) -> tuple[int, int]:
        page(desk, path)
        opened: list[str] = []

        def note(*rest: Any) -> None:
            opened.append(rest[2])

        keyring = app.extensions["meitheal"].keyring.database.engine
        event.listen(keyring, "before_cursor_execute", note)
        with recorded(room.database) as statements:
            page(desk, path)
        event.remove(keyring, "before_cursor_execute", note)
        return len(statements), len(opened)

    before = [cost(room.host, "growth"), cost(room.coach, "growth"), cost(room.coach, "pair")]
    for number in range(20):
        send(room.host, "growth", text=f"line {number}")
    for area in ids(room):
        send(room.host, f"growth/{area}/share", pair=pair_of(room))
    assert [cost(room.host, "growth"), cost(room.coach, "growth"), cost(room.coach, "pair")] == before
    assert max(statements for statements, _opened in before) <= 12, before
