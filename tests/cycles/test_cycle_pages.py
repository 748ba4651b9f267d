"""A whole cycle through the pages, as two teachers would walk it without JavaScript."""

import re
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from cycles.pair_at_work import Desk, Room
from sqlalchemy import event, select

from lti_tool.cycles import counts, going_on, service
from lti_tool.cycles.models import Cycle, CycleMember, Meeting

DUBLIN = ZoneInfo("Europe/Dublin")
CARD = ("card_seat", "card_part", "card_pupils", "card_in_out", "card_time", "card_not_recorded")


def local(moment) -> str:
    return moment.astimezone(DUBLIN).strftime("%Y-%m-%dT%H:%M")


def cycle_row(room: Room) -> Cycle:
    with room.database.read() as session:
        return session.execute(select(Cycle).where(Cycle.id == room.cycle_id)).scalar_one()


def plan_visit(room: Room, clock, *, with_debrief: bool = True) -> None:
    room.host.get("visit")
    room.host.press(
        "visit/meetings/visit",
        text__visit_purpose="To see who asks whom",
        visit__starts=local(clock() + timedelta(days=2)),
        visit__minutes="40",
        visit__place="Room 5",
        **{f"text__{key}": "settled" for key in CARD},
    )
    if with_debrief:
        room.coach.get("visit")
        room.coach.press("visit/meetings/after", after__starts=local(clock() + timedelta(days=2, hours=3)))


def test_a_light_cycle_from_the_first_signature_to_the_next_cycle(light: Room, clock) -> None:
    host, coach = light.host, light.coach
    light.start_together()
    assert cycle_row(light).stage == "before"
    light.talk_before()
    assert cycle_row(light).stage == "after"
    host.get("after")
    host.press("after/done", text__next_steps="Pairs first, then all.")
    assert cycle_row(light).stage == "reflect"
    for desk in (host, coach):
        desk.get("reflect")
        desk.press("reflect/submit", text__own_learning=f"What I learned: {desk.at}")
        assert "Version 1" in desk.page
    assert cycle_row(light).status == "finished"
    host.get("end")
    host.press("end", wish="swap")
    with light.database.read() as session:
        mine = service.current(session, light.course.teachers[0], light.course.activity_id, clock())
    assert mine is not None and mine.next_step.code == "wait_wish"
    coach.get("end")
    assert "would like to swap roles" in coach.page
    coach.press("end", wish="swap")
    with light.database.read() as session:
        mine = service.current(session, light.course.teachers[0], light.course.activity_id, clock())
    assert mine is not None
    assert (mine.number, mine.role, mine.next_step.code) == (2, "coach", "talk")


def test_the_next_cycle_of_a_pair_needs_no_new_start(light: Room, clock) -> None:
    with light.database.write() as session:
        pair_id = cycle_row(light).pair_id
        second = going_on.start(
            session, pair_id=pair_id, activity_id=light.course.activity_id, number=2, now=clock(),
            roles={light.course.teachers[1]: "host", light.course.teachers[0]: "coach"},
        )  # fmt: skip
    with light.database.read() as session:
        cycle = service.load(session, second, _person(light, light.course.teachers[0]))
    assert cycle is not None
    assert [stage.key for stage in cycle.stages] == ["before", "after", "reflect"]


def test_a_collegial_cycle_with_its_visit(collegial: Room, clock) -> None:
    host, coach = collegial.host, collegial.coach
    collegial.start_together()
    collegial.talk_before()
    plan_visit(collegial, clock)
    coach.get("visit")
    assert "I will be there" in coach.page
    coach.press("visit/confirm")
    coach.get("visit")
    coach.press("visit/save", text__notes_seen="10:14 seat 7 asks seat 3", text__notes_questions="Why that seat?")
    assert "10:14" not in host.get("visit")
    clock.advance(3 * 86400)
    host = collegial.desk_of(collegial.course.teachers[0])
    coach = collegial.desk_of(collegial.course.teachers[1])
    host.get("visit")
    host.press("visit/done")
    assert cycle_row(collegial).stage == "together", "how far they are in it is theirs to know"
    assert "10:14 seat 7 asks seat 3" in host.get("after")
    assert "Why that seat?" not in host.page
    host.press("after/done", text__next_steps="Ask later.")
    assert host.status == 409
    assert "Ask later." in host.page, "what was typed is still there"
    coach.get("after")
    coach.press("after/first-turn")
    assert coach.status == 403
    host.get("after")
    host.press("after/first-turn")
    assert "Why that seat?" in host.get("after")
    host.press("after/done")
    assert cycle_row(collegial).stage == "reflect"


def test_a_coach_cannot_create_a_visit(collegial: Room, clock) -> None:
    collegial.start_together()
    collegial.talk_before()
    collegial.host.get("visit")
    collegial.host.press("visit/save", text__visit_purpose="To see")
    page = collegial.coach.get("visit")
    assert 'name="visit-starts"' not in page
    sent = {"visit__starts": local(clock() + timedelta(days=1)), "visit__minutes": "40", "visit__place": "x"}
    collegial.coach.post("visit/meetings/visit", **sent)
    assert collegial.coach.status == 403
    collegial.coach.post("visit/save", **sent)
    with collegial.database.read() as session:
        assert session.execute(select(Meeting)).first() is None
    collegial.host.post("visit/meetings/visit", **sent)
    with collegial.database.read() as session:
        assert session.scalars(select(Meeting.kind)).all() == ["visit"]


def test_a_visit_cannot_be_booked_without_its_purpose_and_keeps_what_was_typed(collegial: Room, clock) -> None:
    collegial.host.get("visit")
    starts = local(clock() + timedelta(days=2))
    page = collegial.host.press("visit/meetings/visit", visit__starts=starts, visit__minutes="35", visit__place="Lab 2")
    assert collegial.host.status == 409
    assert "is still empty" in page and f'value="{starts}"' in page and 'value="Lab 2"' in page
    collegial.host.press("visit/meetings/visit", text__visit_purpose="To see who asks")
    with collegial.database.read() as session:
        assert session.scalars(select(Meeting.minutes)).all() == [35]


@pytest.mark.parametrize("missing", ["after", *CARD])
def test_a_visit_cannot_be_confirmed_while_something_is_missing(collegial: Room, clock, missing: str) -> None:
    collegial.start_together()
    collegial.talk_before()
    plan_visit(collegial, clock, with_debrief=missing != "after")
    if missing in CARD:
        collegial.host.get("visit")
        collegial.host.press("visit/save", **{f"text__{missing}": " "})
    collegial.coach.get("visit")
    collegial.coach.press("visit/confirm")
    assert collegial.coach.status == 409
    with collegial.database.read() as session:
        assert session.scalars(select(Meeting.confirmed_at).where(Meeting.kind == "visit")).all() == [None]


def test_moving_a_confirmed_visit_asks_the_coach_again(collegial: Room, clock) -> None:
    plan_visit(collegial, clock)
    collegial.coach.get("visit")
    collegial.coach.press("visit/confirm")
    seen = collegial.coach.get("visit")
    assert "You said that you will be there" in seen
    collegial.host.get("visit")
    collegial.host.press("visit/meetings/visit", visit__place="Room 6")
    assert "I will be there" in collegial.coach.get("visit")


def test_a_page_left_open_does_not_move_a_visit_that_has_taken_place(collegial: Room, clock) -> None:
    collegial.start_together()
    collegial.talk_before()
    plan_visit(collegial, clock)
    collegial.coach.get("visit")
    collegial.coach.press("visit/confirm")
    clock.advance(3 * 86400)
    host, coach = (collegial.desk_of(teacher) for teacher in collegial.course.teachers[:2])
    host.get("visit")
    coach.get("visit")
    coach.press("visit/done")
    with collegial.database.read() as session:
        before = session.execute(select(*Meeting.__table__.columns).where(Meeting.kind == "visit")).one()
    page = host.press("visit/meetings/visit", visit__place="Elsewhere")
    assert host.status == 409 and "its time stays as it was" in page
    with collegial.database.read() as session:
        assert session.execute(select(*Meeting.__table__.columns).where(Meeting.kind == "visit")).one() == before


def test_two_who_book_at_once_are_told_and_lose_nothing(light: Room, clock) -> None:
    light.host.get("after")
    light.coach.get("after")
    mine, theirs = local(clock() + timedelta(days=1)), local(clock() + timedelta(days=1, hours=1))
    light.host.press("after/meetings/after", after__starts=mine)
    page = light.coach.press("after/meetings/after", after__starts=theirs)
    assert light.coach.status == 409
    assert "has set" in page and f'value="{theirs}"' in page
    light.coach.press("after/meetings/after")
    with light.database.read() as session:
        assert [local(moment) for moment in session.scalars(select(Meeting.starts_at))] == [theirs]


def test_an_hour_that_the_clocks_skip_is_said_and_kept(light: Room, clock) -> None:
    skipped = _skipped_hour(clock().year + 1)
    light.host.get("after")
    page = light.host.press("after/meetings/after", after__starts=skipped)
    assert light.host.status == 409
    assert "does not exist" in page and f'value="{skipped}"' in page


def test_the_before_conversation_cannot_close_with_one_agreement(light: Room) -> None:
    light.start_together()
    light.host.get("before")
    light.host.press("agreements/goal", text__goal="Goal", text__criteria="Criteria")
    light.host.get("before")
    page = light.host.press("before/done")
    assert light.host.status == 409
    assert "has not agreed yet" in page
    light.coach.get("before")
    light.coach.press("agreements/goal")
    light.host.get("before")
    light.host.press("before/done")
    assert cycle_row(light).stage == "after"


def test_a_changed_text_asks_for_the_agreement_again_and_says_so(light: Room) -> None:
    light.start_together()
    light.host.get("before")
    light.host.press("agreements/goal", text__goal="Goal", text__criteria="Criteria")
    light.coach.get("before")
    light.coach.press("agreements/goal")
    light.host.get("before")
    light.host.press("before/save", text__goal="Another goal")
    assert "A text has changed since you agreed" in light.coach.get("before")
    light.coach.press("before/done")
    assert light.coach.status == 409


def test_nobody_signs_a_text_that_changed_under_their_eyes(light: Room) -> None:
    light.host.get("start")
    light.host.press("start/save", text__norms="We talk on Fridays.")
    light.coach.get("start")
    light.host.get("start")
    light.host.press("start/save", text__norms="We talk on Sundays.")
    page = light.coach.press("agreements/together")
    assert light.coach.status == 409
    assert "has changed since you opened this page" in page
    light.coach.press("agreements/together")
    assert light.coach.status == 303


def test_any_button_saves_all_that_was_typed(collegial: Room) -> None:
    collegial.host.get("start")
    page = collegial.host.press("agreements/together", text__hopes="Courage", text__helps_me="Time")
    assert collegial.host.status == 409, "the norms are missing"
    assert "Courage" in page and "Time" in page
    assert "Courage" in collegial.coach.get("start"), "each sees what the other hopes for"


def test_a_text_that_is_too_long_stays_in_its_box(light: Room) -> None:
    light.host.get("start")
    page = light.host.press("start/save", text__hopes="short", text__norms="x" * 10_001)
    assert light.host.status == 409
    assert "x" * 10_001 in page
    light.host.get("start")
    assert "short" in light.host.page and "x" * 10_001 not in light.host.page
    answer = light.host.save_json("norms", "x" * 10_001)
    assert light.host.status == 400 and answer["title"]


def test_a_page_that_was_left_open_does_not_bring_back_an_old_text(light: Room) -> None:
    light.host.get("start")
    light.host.press("start/save", text__norms="First")
    light.coach.get("start")
    light.host.get("start")
    light.host.press("start/save", text__norms="Second")
    light.coach.press("start/save", text__hopes="Courage")
    page = light.coach.get("start")
    assert "Second" in page and "First" not in page


def test_both_versions_are_kept_and_shown_when_two_write_at_once(light: Room) -> None:
    light.host.get("start")
    light.coach.get("start")
    light.host.press("start/save", text__norms="From the host")
    light.coach.press("start/save", text__norms="From the coach")
    for desk in (light.host, light.coach):
        page = desk.get("start")
        assert "From the host" in page and "From the coach" in page
    page = light.coach.press("agreements/together")
    assert light.coach.status == 409 and "two versions" in page
    tokens = ",".join(head["token"] for head in _poll(light.coach)["texts"]["norms"]["heads"])
    light.coach.post("texts/norms", text="From the host", base=tokens)
    assert [head["text"] for head in _poll(light.host)["texts"]["norms"]["heads"]] == ["From the host"]
    history = light.host.get("texts/norms/history")
    assert "From the coach" in history and "From the host" in history


def test_json_saves_are_idempotent_and_the_poll_is_silent_when_nothing_is_new(light: Room) -> None:
    first = light.host.save_json("norms", "We", seq=1)
    again = light.host.save_json("norms", "We", seq=1)
    assert again["heads"] == first["heads"] and again["revision"] == first["revision"]
    later = light.host.save_json("norms", "We talk", seq=2)
    assert [head["text"] for head in later["heads"]] == ["We talk"] and later["heads"][0]["mine"]
    light.host.save_json("norms", "We", seq=1)
    seen = _poll(light.coach)
    assert [head["text"] for head in seen["texts"]["norms"]["heads"]] == ["We talk"]
    assert not seen["texts"]["norms"]["heads"][0]["mine"]
    answer = light.coach.client.get(f"{light.coach.cycle}/texts?revision={seen['revision']}")
    assert answer.status_code == 204


def test_an_editor_name_of_the_partner_opens_nothing(light: Room) -> None:
    light.host.save_json("norms", "From the host", editor="samename", seq=5)
    answer = light.coach.save_json("norms", "From the coach", editor="samename", seq=9)
    assert {head["text"] for head in answer["heads"]} == {"From the host", "From the coach"}


@pytest.mark.parametrize(
    "body",
    [
        [],
        {},
        {"text": 1, "base": []},
        {"text": "x", "base": "y"},
        {"text": "x", "base": [1]},
        {"text": "x", "base": [], "seq": -1},
        {"text": "x", "base": [], "seq": 2**40},
        {"text": "x", "base": [], "seq": True},
        {"text": "x", "base": [], "editor": "a\x00b"},
        {"text": "x", "base": [], "editor": "a" * 65},
        {"text": "x", "base": [], "editor": 7},
    ],
)
def test_a_malformed_save_is_a_400(light: Room, body: object) -> None:
    answer = light.host.client.post(
        f"{light.host.cycle}/texts/norms", json=body, headers={"X-CSRFToken": light.host.token()}
    )
    assert answer.status_code == 400


def test_strange_characters_do_no_harm(light: Room) -> None:
    answer = light.host.save_json("norms", "a\u0000b\ud800c\r\nd")
    assert light.host.status == 200
    assert answer["heads"][0]["text"] == "ab?c\nd"


@pytest.mark.parametrize("path", ["", "start", "texts", "texts/norms/history", "end", "reflect", "reflect/versions/1"])
def test_a_third_person_gets_a_404_everywhere(light: Room, path: str) -> None:
    course = light.course
    for membership in (course.teachers[2], course.trainer, course.guest, course.leader, course.administrator):
        stranger = light.desk_of(membership)
        stranger.get(path)
        assert stranger.status == 404, (path, membership)


def test_a_third_person_can_write_nothing(light: Room) -> None:
    stranger = light.desk_of(light.course.teachers[2])
    for path in ("start/save", "texts/norms", "agreements/together", "before/done", "after/meetings/after", "end",
                 "after/first-turn", "after/confirm", "reflect/save", "reflect/submit"):  # fmt: skip
        stranger.post(path, text="x", wish="swap")
        assert stranger.status == 404, path


@pytest.mark.parametrize("path", ["nothing", "texts/nothing/history", "a%00b", "reflect/versions/99999999999999999999"])
def test_an_unknown_address_is_a_404(light: Room, path: str) -> None:
    light.host.get(path)
    assert light.host.status == 404


def test_an_id_that_cannot_be_one_is_a_404(light: Room) -> None:
    for cycle_id in ("a%00b", "ú", "x" * 500):
        for path in ("", "/start", "/texts?revision=1", "/reflect"):
            assert light.host.client.get(f"{light.host.at}/cycles/{cycle_id}{path}").status_code == 404


def test_the_coach_does_not_write_the_hosts_goal(light: Room) -> None:
    light.coach.save_json("goal", "My goal for you")
    assert light.coach.status == 403
    light.host.save_json("own_learning", "mine")
    light.coach.get("texts/own_learning/history")
    assert "mine" not in light.coach.page


def test_drafts_of_a_reflection_are_not_in_the_partners_poll(light: Room) -> None:
    light.host.save_json("own_learning", "canary of the host")
    assert "canary" not in light.coach.client.get(f"{light.coach.cycle}/texts?revision=0").get_data(as_text=True)
    assert "canary" in light.host.client.get(f"{light.host.cycle}/texts?revision=0").get_data(as_text=True)


def test_swapping_roles_swaps_rights_and_nothing_else(collegial: Room) -> None:
    with collegial.database.write() as session:
        for member in session.scalars(select(CycleMember).where(CycleMember.cycle_id == collegial.cycle_id)):
            member.role = "coach" if member.role == "host" else "host"
    collegial.host.save_json("goal", "x")
    assert collegial.host.status == 403
    collegial.coach.save_json("goal", "x")
    assert collegial.coach.status == 200
    collegial.host.save_json("notes_seen", "x")
    assert collegial.host.status == 200


def test_a_stopped_cycle_is_read_only_and_no_longer_current(light: Room, clock) -> None:
    light.start_together()
    with light.database.write() as session:
        going_on.stop(session, pair_id=cycle_row(light).pair_id, now=clock())
        assert service.current(session, light.course.teachers[0], light.course.activity_id, clock()) is None
    assert "We talk on Fridays." in light.host.get("start")
    assert 'name="text-norms"' not in light.host.page
    light.host.save_json("norms", "after the end")
    assert light.host.status == 409
    light.host.save_json("own_learning", "still mine")
    assert light.host.status == 200


@pytest.mark.parametrize("button", ["start/save", "agreements/together"])
def test_what_was_typed_into_a_page_of_a_cycle_that_ended_meanwhile_is_given_back(light: Room, button, clock) -> None:
    light.host.get("start")
    with light.database.write() as session:
        going_on.stop(session, pair_id=cycle_row(light).pair_id, now=clock())
    page = light.host.press(button, text__norms="We talk on Fridays.")
    assert light.host.status == 409
    assert "This cycle is closed" in page
    assert "We talk on Fridays." in page


def test_a_place_typed_into_a_page_of_a_cycle_that_ended_meanwhile_is_given_back(light: Room, clock) -> None:
    light.start_together()
    light.host.get("before")
    with light.database.write() as session:
        going_on.stop(session, pair_id=cycle_row(light).pair_id, now=clock())
    assert light.host.press("before/save") and light.host.status == 303, "nothing was typed, nothing is lost"
    light.host.page = ""
    page = light.host.post("before/save", before__starts=local(clock()), before__minutes="30", before__place="Room 5")
    assert light.host.status == 409
    assert "Room 5" in page


def test_an_error_page_gives_back_what_was_typed_and_nothing_else(light: Room, clock) -> None:
    light.host.get("start")
    form = light.host.form() | {"text-norms": "We talk on Fridays.", "csrf_token": "of yesterday"}
    page = light.host.client.post(f"{light.host.cycle}/start/save", data=form).get_data(as_text=True)
    assert "We talk on Fridays." in page
    assert page.count("<textarea") == 1


def test_a_second_cycle_has_no_texts_of_getting_started(light: Room, clock) -> None:
    with light.database.write() as session:
        light.host.cycle_id = going_on.start(
            session, pair_id=cycle_row(light).pair_id, activity_id=light.course.activity_id, number=2, now=clock(),
            roles={light.course.teachers[1]: "host", light.course.teachers[0]: "coach"},
        )  # fmt: skip
    light.host.save_json("norms", "in the wrong cycle")
    assert light.host.status == 404
    light.host.get("texts/norms/history")
    assert light.host.status == 404


def test_every_page_says_who_can_see_it(collegial: Room) -> None:
    for path in ("start", "before", "visit", "after", "reflect", "end", "texts/norms/history"):
        assert "who-can-see" in collegial.host.get(path), path


def test_pages_stay_within_the_budget_of_statements(collegial: Room, clock) -> None:
    collegial.start_together()
    collegial.talk_before()
    plan_visit(collegial, clock)
    for path in ("start", "before", "visit", "after", "reflect", "end", "texts/norms/history", "texts?revision=0"):
        assert _statements(collegial, collegial.host, path) <= 12, path


def test_the_trainers_counts_touch_no_content(light: Room) -> None:
    statements: list[str] = []
    event.listen(light.database.engine, "before_cursor_execute", lambda *a: statements.append(a[2]))
    light.start_together()
    statements.clear()
    with light.database.read() as session:
        found = counts.stage_counts(session, light.course.activity_id)
        counts.submissions(session, light.course.activity_id)
    assert {count.key: count.cycles for count in found.stages} == {"start": 0, "before": 1, "after": 0, "reflect": 0}
    text = " ".join(statements)
    assert statements and not re.search(r"\b(texts|sealed|place|reflection_versions|content_keys|heads)\b", text)


def test_strategies_to_begin_from_stand_beside_the_text_that_asks_for_them(light: Room, collegial: Room) -> None:
    page = collegial.coach.get("before")
    assert all(text in page for text in ("Strategies to begin from", "Pupils think for longer", "Count to five"))
    assert "Count to five" not in collegial.coach.get("after") + light.coach.get("before"), "R62"


def test_each_stage_names_itself_in_irish_too(collegial: Room) -> None:
    client = collegial.host.client
    page = client.get(f"{collegial.host.cycle}/before", headers={"Accept-Language": "ga"}).get_data(as_text=True)
    assert "<h1>" in page


def _poll(desk: Desk):
    return desk.client.get(f"{desk.cycle}/texts?revision=0").get_json()


def _person(room: Room, membership_id: str) -> str:
    with room.database.read() as session:
        return session.execute(
            select(CycleMember.person_id).where(CycleMember.membership_id == membership_id).limit(1)
        ).scalar_one()


def _skipped_hour(year: int) -> str:
    from datetime import date

    last = max(day for day in range(25, 32) if date(year, 3, day).weekday() == 6)
    return f"{year}-03-{last:02}T01:30"


def _statements(room: Room, desk: Desk, path: str) -> int:
    seen: list[str] = []

    def listen(_connection, _cursor, statement, *_rest) -> None:
        if statement.split()[0].upper() in ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH"):
            seen.append(statement)

    event.listen(room.database.engine, "before_cursor_execute", listen)
    try:
        desk.get(path)
    finally:
        event.remove(room.database.engine, "before_cursor_execute", listen)
    assert desk.status == 200, path
    return len(seen)
