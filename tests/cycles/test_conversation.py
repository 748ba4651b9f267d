"""A guided conversation through its pages, as two teachers hold it without JavaScript."""

import html
import re
from typing import Any

import pytest
from cycles.pair_at_work import Desk, Room
from cycles.talk_protocol import SPOKEN, follow_it
from sqlalchemy import case, delete, event, insert, select, update

from lti_tool.cycles import going_on, service
from lti_tool.cycles.conversation_rules import TALK_KINDS
from lti_tool.cycles.models import Conversation, Cycle, CycleMember, ProtocolVersion, Rest, StageMark
from lti_tool.cycles.texts import delete_texts
from lti_tool.people.models import Membership
from lti_tool.protocols import reader
from lti_tool.protocols.recipe import Protocol, Stage
from lti_tool.store.base import new_id


@pytest.fixture
def room(light: Room, clock: Any) -> Room:
    """Two who are about to talk after a lesson."""
    follow_it(light.database, clock())
    light.host.get("before")
    light.host.press("before/done", text__goal="Pupils ask each other.")
    light.coach.get("work")
    light.coach.press("work/done", text__data="10:14 seat 7 asks seat 3\n10:20 nobody speaks")
    assert light.coach.status == 303
    return light


def tap(desk: Desk, move: str, stage: str = "after") -> str:
    """Taps on a button of the page of a conversation, as it is now."""
    desk.get(f"{stage}/talk")
    assert f'value="{move}"' in desk.page, f"there is no such button: {move}"
    return desk.press(f"{stage}/talk", move=move)


def step(desk: Desk, stage: str = "after") -> str:
    """Title of the step that a person's page shows now."""
    found = re.search(r"<h1[^>]*>(.*?)</h1>", desk.get(f"{stage}/talk"))
    assert found
    return html.unescape(found.group(1))


def turn(desk: Desk) -> str:
    desk.get("after/talk")
    found = re.search(r'<p class="turn">(.*?)</p>', desk.page)
    assert found
    return html.unescape(found.group(1))


def marks(room: Room) -> set[str]:
    with room.database.read() as session:
        return set(session.scalars(select(StageMark.stage)))


def test_one_leads_and_the_turns_go_by_name(room: Room) -> None:
    assert "led by Seán" in room.host.get("after/talk")
    assert "led by you" in room.coach.get("after/talk")
    assert (turn(room.host), turn(room.coach)) == ("You speak · Seán listens", "Niamh speaks · you listen")
    tap(room.host, "next")
    assert (turn(room.host), turn(room.coach)) == ("Quiet time", "Quiet time")
    tap(room.coach, "next")
    assert turn(room.host) == "Both of you"


def test_both_see_one_step_and_two_taps_at_once_are_one(room: Room) -> None:
    assert all("1 of 3" in desk.get("after/talk") for desk in (room.host, room.coach))
    tap(room.host, "next")
    assert step(room.coach) == step(room.host) == "Time to think"
    room.coach.get("after/talk")
    tap(room.host, "next")
    room.coach.press("after/talk", move="next")
    assert room.coach.status == 303
    assert step(room.host) == "Next steps", "the second tap saw a state that was gone"
    tap(room.host, "back")
    assert step(room.coach) == "Time to think"
    tap(room.coach, "pause")
    assert "Paused" in room.host.get("after/talk")
    tap(room.host, "go_on")
    assert "until " in room.coach.get("after/talk")
    tap(room.coach, "again")
    assert step(room.host) == "What stands out"


def test_what_is_typed_comes_along_with_a_tap(room: Room) -> None:
    room.host.get("after/talk")
    room.host.press("after/talk", move="next", text__looking_back="Seat 7 asked seat 3.")
    assert "Seat 7 asked seat 3." in room.coach.get("after")
    room.coach.get("after/talk")
    page = room.coach.press("after/talk", move="next", rev="99")
    assert room.coach.status == 303 and "Time to think" in page
    tap(room.host, "next")
    room.host.get("after/talk")
    page = room.host.press("after/talk", move="back", **{f"text-{SPOKEN}": "x" * 10_001})
    assert room.host.status == 409 and "x" * 10_001 in page, "and it is not gone where it cannot be saved"
    assert step(room.coach) == "Next steps", "nothing moved"


def test_what_comes_along_with_a_tap_that_is_refused_is_kept(room: Room) -> None:
    room.coach.get("after/talk")
    for move in ("next", "advice"):
        room.coach.press("after/talk", move=move, **{f"text-{SPOKEN}": f"along with {move}"})
        assert room.coach.status == 403 and f"along with {move}" in room.host.get("after"), move


def test_what_cannot_be_saved_stays_on_the_page_also_where_its_box_is_not(room: Room, clock: Any) -> None:
    tap(room.host, "next")
    tap(room.host, "next")
    room.host.get("after/talk")
    tap(room.coach, "back")
    page = room.host.press("after/talk", move="back", text__next_steps="x" * 10_001)
    assert room.host.status == 409 and "x" * 10_001 in page and 'name="text-next_steps"' not in page
    room.host.get("after")
    with room.database.write() as session:
        session.execute(update(CycleMember).values(role=case((CycleMember.role == "host", "coach"), else_="host")))
    for at in ("talk", ""):
        page = room.host.press("after/save", text__looking_back="typed as the host", at=at)
        assert room.host.status == 409 and "typed as the host" in page and "is not yours to write in any more" in page
    assert "typed as the host" not in room.coach.get("after")


def test_only_the_host_ends_the_first_turn_which_opens_the_coachs_questions(room: Room) -> None:
    room.coach.post("texts/coach_asks", text="What did you wait for?")
    assert "goes on from here" in room.coach.get("after/talk")
    assert 'value="next"' not in room.coach.page
    room.coach.press("after/talk", move="next")
    assert room.coach.status == 403 and "Niamh speaks first, and goes on from here." in room.coach.page
    assert "What did you wait for?" not in room.host.get("after")
    assert "I have spoken first" in room.host.get("after/talk")
    tap(room.host, "next")
    assert "after.first_turn" in marks(room)
    assert "What did you wait for?" in room.host.get("after")


def test_the_host_alone_says_that_one_device_is_passed_around(room: Room) -> None:
    """Or the coach, alone at home, could end the first turn and ask for advice in the host's name."""
    assert "Niamh can say here" in room.coach.get("after/talk") and 'value="one"' not in room.coach.page
    room.coach.press("after/talk", move="one")
    assert room.coach.status == 409 and "Niamh says whether you pass one device around" in room.coach.page
    room.coach.press("after/talk", move="advice")
    assert room.coach.status == 403 and "Niamh says whether they would like a suggestion." in room.coach.page


def test_one_device_speaks_of_both_and_ends_the_first_turn_for_the_host(room: Room) -> None:
    tap(room.host, "one")
    assert turn(room.coach) == turn(room.host) == "Niamh speaks · Seán listens"
    assert "Niamh has spoken first" in room.coach.page
    tap(room.coach, "begin")
    tap(room.coach, "next")
    assert "after.first_turn" in marks(room) and step(room.coach) == "Time to think"


def test_advice_only_when_the_host_asks(room: Room) -> None:
    assert "give no advice unless Niamh asks" in room.coach.get("after/talk")
    room.coach.press("after/talk", move="advice")
    assert room.coach.status == 403 and "Niamh says whether they would like a suggestion." in room.coach.page
    tap(room.host, "advice")
    assert "after.advice" in marks(room)
    assert "1 of 4" in room.host.get("after/talk")
    assert "Niamh would like a suggestion" in room.coach.get("after/talk")
    assert 'value="advice"' not in room.host.page
    assert room.host.get("before/talk") and 'value="advice"' not in room.host.page
    room.host.press("before/talk", move="advice")
    assert room.host.status == 409, "that conversation is not about advice, and it is over"


def test_the_end_says_what_is_missing_and_closes(room: Room) -> None:
    tap(room.host, "next")
    tap(room.host, "next")
    page = room.coach.get("after/talk")
    assert "Still to do here" in page and "We have talked" in page
    assert '<a href="#field-next_steps">“Next steps” is still empty.</a>' in page
    assert 'name="text-spoken"' in room.coach.page, "a text that no step names"
    room.coach.press("after/done")
    assert room.coach.status == 409 and "Still to do here" in room.coach.page
    room.coach.get("after/talk")
    room.coach.press("after/done", text__next_steps="Ask later.")
    assert room.coach.status == 303
    page = room.host.get("after/talk")
    assert "This step is done." in page and 'name="move"' not in page
    room.host.press("after/talk", move="again", rev="3")
    assert step(room.host) == "Next steps", "what is done stands still"


def test_three_guides_three_densities_each_for_oneself(room: Room) -> None:
    seen = {}
    for guide in ("full", "light", "blank"):
        room.host.get("after")
        room.host.press("after/guide", guide=guide)
        assert room.host.status == 303
        seen[guide] = sum(f"{text}." in room.host.get("after") for text in _PROMPTS)
        text, prompt = ("The host speaks." in room.host.get("after/talk"), "Belief full." in room.host.page)
        assert (text, prompt) == (guide != "blank", guide == "full")
    assert seen == {"full": 4, "light": 2, "blank": 0}
    assert all(f"{text}." in room.coach.get("after") for text in _PROMPTS), "the partner's page is as it was"
    room.host.get("after")
    room.host.press("after/guide", guide="most")
    assert room.host.status == 400
    with room.database.read() as session:
        assert sorted(session.scalars(select(CycleMember.guide))) == ["blank", "full"]


_PROMPTS = ("Evidence light", "Belief full", "Advice full", "Step light")


def test_the_choice_of_a_guide_tells_the_partner_nothing(room: Room) -> None:
    poll = f"{room.coach.cycle}/texts?revision="
    revision = room.coach.client.get(f"{poll}-1").get_json()["revision"]
    room.host.get("after")
    room.host.press("after/guide", guide="blank")
    assert room.coach.client.get(f"{poll}{revision}").status_code == 204


def test_an_open_page_hears_of_a_move(room: Room) -> None:
    poll = f"{room.coach.cycle}/texts?revision="
    before = room.coach.client.get(f"{poll}-1").get_json()
    assert before["talks"] == {}
    room.host.get("after/talk")
    tap(room.host, "next")
    after = room.coach.client.get(f"{poll}{before['revision']}").get_json()
    assert after["talks"] == {"after": 1}
    room.coach.get("after/talk")
    assert 'data-rev="1"' in room.coach.page


def test_a_conversation_waits_for_what_comes_before_it(light: Room, clock: Any) -> None:
    follow_it(light.database, clock())
    assert "This comes later" in light.host.get("after/talk")
    page = light.host.press("after/talk", move="begin")
    assert light.host.status == 409 and "“Conversation before” comes first." in page
    sent = light.host.client.post(
        f"{light.host.cycle}/after/talk",
        data={"csrf_token": light.host.token(), "move": "begin", "rev": "0"},
        headers={"Accept": "application/json", "Referer": f"http://localhost{light.host.at}/"},
    )
    assert sent.status_code == 409 and "comes first" in sent.get_json()["what"]
    with light.database.read() as session:
        assert session.scalars(select(Conversation.rev)).all() == []


def test_odd_moves_are_refused_in_words(room: Room) -> None:
    room.host.get("after/talk")
    for form in ({"move": ""}, {"move": "away"}, {"move": "next\0"}):
        room.host.press("after/talk", **form)
        assert room.host.status == 400
    for rev in ("", "-1", "9" * 40, "\0", "x"):
        room.host.press("after/talk", move="next", rev=rev)
        assert room.host.status == 303 and step(room.host) == "What stands out"
    for path in ("reflect/talk", "nowhere/talk", "nowhere/sheet"):
        room.host.get(path)
        assert room.host.status == 404, path


def test_choices_are_kept_by_key_and_read_in_words(room: Room) -> None:
    room.host.get("after")
    # A browser sends one value for each box that is ticked.
    data = {**room.host.form(), "text-mood": ["lively", "calm", "elsewhere"], "choice-mood": "1"}
    room.host.client.post(f"{room.host.cycle}/after/save", data=data, headers={"Referer": "http://localhost/"})
    poll = room.host.client.get(f"{room.host.cycle}/texts?revision=-1").get_json()["texts"]["mood"]["heads"][0]
    assert (poll["text"], poll["said"]) == ("calm,lively", "It was calm; It was lively")
    page = room.coach.get("after")
    ticked = re.findall(r'<input class="form-check-input" type="checkbox"[^>]* value="(\w+)"[^>]* checked', page)
    assert ticked == ["calm", "lively"]
    assert "It was calm; It was lively" in room.coach.get("texts/mood/history")
    taken = room.host.client.get(f"{room.host.at}/mine/mine.json").get_json()
    assert "It was calm; It was lively" in {each["text"] for each in taken["cycles"][0]["texts"]}
    room.coach.get("after")
    cleared = {**room.coach.form(), "choice-mood": "1"}
    cleared.pop("text-mood", None)
    room.coach.client.post(f"{room.coach.cycle}/after/save", data=cleared, headers={"Referer": "http://localhost/"})
    assert "checked" not in room.host.get("after"), "all taken away again"


def test_texts_under_a_heading_and_strategies_to_begin_from(room: Room) -> None:
    page = room.host.get("work")
    assert page.index("The plan") < page.index("Who does what.") < page.index("Who does it")
    assert "Strategies to begin from" in room.host.get("before/talk")
    assert "Strategies to begin from" not in room.coach.get("before/talk"), "beside the box, for who writes there"


def point(desk: Desk, step_line: str, data_line: str, at: str = "") -> None:
    """Chooses a next step and a line that it rests on, by their words, and keeps it."""
    names = {line: name for name, line in re.findall(r'value="(\w{16})"[^>]*>\s*<label[^>]*>(.*?)</label>', desk.page)}
    desk.press(f"texts/next_steps/rests{at}", **{
        "step-next_steps": names.get(step_line, step_line), "data-next_steps": names.get(data_line, data_line),
    })  # fmt: skip


def test_a_next_step_points_at_what_was_seen_and_heard(room: Room, clock: Any) -> None:
    room.host.get("after")
    room.host.press("after/save", text__next_steps="Ask later.\nWait.")
    room.host.get("after")
    point(room.host, "Wait.", "10:20 nobody speaks")
    assert room.host.status == 303
    line = "“Wait.” rests on “10:20 nobody speaks”"
    assert line in room.host.get("after") and line in room.coach.get("after")
    point(room.host, "Wait.", "made up")
    assert room.host.status == 409
    with room.database.read() as session:
        rest = session.scalars(select(Rest)).one()
        assert b"nobody" not in rest.sealed
    room.coach.get("after")
    assert "Take away" not in room.coach.page, "only who pointed takes it back"
    room.coach.post("texts/next_steps/rests", take__away=rest.id)
    assert line in room.host.get("after")
    with room.database.write() as session:
        assert delete_texts(session, [room.cycle_id], ["data"], now=clock()) == 1
    assert "rests on “" not in room.host.get("after"), "it lives no longer than the text it was taken from"


def test_the_next_cycle_recalls_what_this_one_led_to(room: Room, clock: Any) -> None:
    room.host.get("after")
    room.host.press("after/save", text__next_steps="Wait longer.", text__looking_back="x")
    room.host.get("after")
    point(room.host, "Wait longer.", "10:20 nobody speaks")
    with room.database.write() as session:
        found = service.load_frame(session, room.cycle_id, session.scalars(select(CycleMember.person_id)).first() or "")
        assert found is not None
        second = _second_cycle(session, room, found.pair_id, clock())
    follow_it(room.database, clock())
    statements = statements_of(room)
    for desk in (room.host, room.coach):
        later = Desk(desk.client, desk.at, second)
        for path in ("before", "before/talk", "before/sheet"):
            later.get(path)
            statements.clear()
            page = later.get(path)
            assert len(statements) <= 12, (path, len(statements), statements)
            assert "From your cycle before" in page or path.endswith("sheet")
            assert "Wait longer." in page, path
        assert "“Wait longer.” rests on “10:20 nobody speaks”" in later.get("before")
    stranger = room.desk_of(room.course.teachers[2])
    stranger.get("before/talk")
    assert stranger.status == 404


def _second_cycle(session: Any, room: Room, pair_id: str, now: Any) -> str:
    return going_on.start(
        session, pair_id=pair_id, activity_id=room.course.activity_id, number=2, now=now,
        roles={room.course.teachers[1]: "host", room.course.teachers[0]: "coach"},
    )  # fmt: skip


def statements_of(room: Room) -> list[str]:
    """Gets longer by each statement from now on."""
    statements: list[str] = []
    event.listen(room.database.engine, "before_cursor_execute", lambda *a: statements.append(a[2]))
    return statements


def test_no_page_of_a_conversation_needs_more_than_twelve_statements(room: Room) -> None:
    statements = statements_of(room)
    for path in ("before", "before/talk", "after", "after/talk", "after/sheet"):
        room.host.get(path)
        statements.clear()
        room.host.get(path)
        assert len(statements) <= 12, (path, len(statements), statements)


def test_a_sheet_of_a_conversation_and_of_every_protocol(room: Room) -> None:
    page = room.host.get("after/sheet")
    assert "Pupils ask each other." in page and "10:14 seat 7 asks seat 3" in page, "what is there already"
    assert "Niamh speaks · Seán listens · 4 minutes" in page and page.count("sheet-rule") > 4
    for key in reader.shipped():
        answer = room.host.client.get(f"{room.host.at}/protocols/{key}/sheet")
        assert answer.status_code == 200 and "sheet-rule" in answer.get_data(as_text=True), key
        assert "Pupils ask each other." not in answer.get_data(as_text=True)
    assert room.host.client.get(f"{room.host.at}/protocols/nothing/sheet").status_code == 404


def test_every_shipped_protocol_can_be_talked_through(light: Room, clock: Any) -> None:
    """Each step of each conversation comes up for each of its people, with exactly one who leads."""
    steps = 0
    for key, protocol in reader.shipped().items():
        if protocol.alone:
            continue
        people = light.course.teachers[: protocol.least]
        roles = protocol.roles + ("member",) * 8
        _follow(light, protocol, dict(zip(people, roles, strict=False)), clock())
        desks = [light.desk_of(each) for each in people]
        for stage in protocol.stages_of(1)[:-1]:
            if stage.kind in TALK_KINDS:
                assert _walk(desks, stage) == sum(not each.advice for each in stage.talk), (key, stage.key)
                steps += len(stage.talk)
            for path in (stage.key, f"{stage.key}/sheet"):
                desks[-1].get(path)
                assert desks[-1].status == 200, (key, path)
            with light.database.write() as session:
                done = {"cycle_id": light.cycle_id, "stage": stage.key, "membership_id": people[0], "at": clock()}
                session.execute(insert(StageMark), [done])
    assert steps > 40


def _walk(desks: list[Desk], stage: Stage) -> int:
    """Goes through a conversation as far as anybody can go on; how many steps came."""
    places: list[str] = []
    while True:
        for desk in desks:
            assert desk.get(f"{stage.key}/talk").count("led by ") == 1, (stage.key, places)
        found = re.search(r"· (\d+) of \d+ ·", desks[0].page)
        assert found
        if found.group(1) in places:
            return len(places)
        places.append(found.group(1))
        on = next((desk for desk in desks if 'value="next"' in desk.page), None)
        if on:
            on.press(f"{stage.key}/talk", move="next")


def _follow(room: Room, protocol: Protocol, roles: dict[str, str], now: Any) -> None:
    """The cycle begins anew with another protocol, and with these people."""
    with room.database.write() as session:
        for table in (StageMark, Conversation, CycleMember):
            session.execute(delete(table))
        version = ProtocolVersion(
            id=new_id(), key=f"{protocol.key}-t", version=1, body=dict(protocol.body), created_at=now
        )
        session.add(version)
        session.flush()
        session.execute(update(Cycle).values(protocol_version_id=version.id, stage=protocol.stages[0].key))
        known = {row.id: row.person_id for row in session.execute(select(Membership.id, Membership.person_id))}
        for each, role in roles.items():
            session.add(CycleMember(cycle_id=room.cycle_id, membership_id=each, person_id=known[each], role=role))


def test_taps_for_a_whole_light_cycle(light: Room, clock: Any) -> None:
    """From the first page to the submitted reflection, without those that only bring a page back."""
    taps = {"host": 0, "coach": 0}
    desks = {"host": light.host, "coach": light.coach}

    def go(who: str, path: str) -> None:
        """One tap on the page of the next step, which leads there."""
        taps[who] += 1
        home = desks[who].home()
        assert f"/cycles/{light.cycle_id}/{path}" in home, (who, path)
        desks[who].get(path)

    def press(who: str, path: str, **typed: str) -> None:
        taps[who] += 1
        desks[who].press(path, **typed)
        assert desks[who].status == 303, (who, path)

    for who in desks:
        go(who, "start")
        press(who, "agreements/together", **({"text__norms": "On Fridays."} if who == "host" else {}))
    for stage, texts in (("before", {"text-goal": "g", "text-criteria": "c"}), ("after", {"text-next_steps": "n"})):
        for who in desks:
            go(who, f"{stage}/talk")
        talker = "host"
        while 'value="next"' in desks[talker].page:
            here = {key: text for key, text in texts.items() if f'name="{key}"' in desks[talker].page}
            press(talker, f"{stage}/talk", move="next", **here)
            desks[talker].get(f"{stage}/talk")
        here = {key: text for key, text in texts.items() if f'name="{key}"' in desks["host"].page}
        if stage == "before":
            press("host", "agreements/goal", **here)
            desks["coach"].get("before/talk")
            press("coach", "agreements/goal")
            press("coach", "before/done")
        else:
            press("host", "after/done", **here)
    for who in desks:
        go(who, "reflect")
        press(who, "reflect/submit", text__own_learning="l")
    print(taps)
    assert max(taps.values()) <= 12, taps
