"""What is mine here: it is counted, can be taken away whole, and deleted, with what that means said before."""

import json
import re
from typing import Any

import pytest
from cycles.pair_at_work import Desk, Room
from ownership.conftest import COACHES, HOSTS, cycle_row, pass_on_to
from sqlalchemy import event, func, select, update

from lti_tool.cycles.fields import fingerprint
from lti_tool.cycles.models import CycleMember, CycleText, DeletedText, Rest, StageMark
from lti_tool.cycles.texts import forget_deleted
from lti_tool.people.models import Membership
from lti_tool.privacy.models import ContentKey
from lti_tool.protocols.recipe import FULL, STEPS
from lti_tool.reflection.models import ReflectionVersion
from lti_tool.store.base import Base


def page(desk: Desk, path: str) -> str:
    answer = desk.client.get(f"{desk.at}/{path}")
    assert answer.status_code == 200, path
    return answer.get_data(as_text=True)


def send(desk: Desk, path: str, **form: Any) -> Any:
    return desk.client.post(f"{desk.at}/{path}", data={"csrf_token": desk.token(), **form})


def delete_words(desk: Desk, *what: str) -> None:
    answer = send(desk, f"mine/cycles/{desk.cycle_id}", what=list(what), sure="1")
    assert answer.status_code == 303, answer.get_data(as_text=True)


def person_of(room: Room, index: int) -> str:
    with room.database.read() as session:
        found = session.scalar(select(Membership.person_id).where(Membership.id == room.course.teachers[index]))
    assert found
    return found


def keys_of(desk: Desk, person_id: str, scope: str) -> int:
    keyring = desk.client.application.extensions["meitheal"].keyring
    with keyring.database.read() as session:
        return int(
            session.scalar(
                select(func.count())
                .select_from(ContentKey)
                .where(ContentKey.author_id == person_id, ContentKey.scope_id == scope)
            )
        )


# Seeing and taking


def test_the_page_counts_and_costs_few_statements(room: Room) -> None:
    statements: list[str] = []
    room.host.token()

    def note(_c: Any, _u: Any, statement: str, *_rest: Any) -> None:
        statements.append(statement)

    event.listen(room.database.engine, "before_cursor_execute", note)
    shown = page(room.host, "mine")
    event.remove(room.database.engine, "before_cursor_execute", note)
    assert len(statements) <= 12
    assert "1 cycle or reflection" in shown and "texts that you wrote" in shown
    assert "host-goal" not in shown
    assert 'href="/at' in page(room.host, "you") and "/mine" in page(room.host, "you")
    for path in (f"mine/cycles/{room.cycle_id}", "mine/everything"):
        statements.clear()
        event.listen(room.database.engine, "before_cursor_execute", note)
        page(room.host, path)
        event.remove(room.database.engine, "before_cursor_execute", note)
        assert len(statements) <= 12, path


def test_one_takes_what_is_ones_own_and_what_one_can_read_now(room: Room) -> None:
    answer = room.host.client.get(f"{room.host.at}/mine/mine.json")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="meitheal.json"'
    assert answer.headers["Cache-Control"] == "no-store"
    taken = answer.get_json()
    (cycle,) = taken["cycles"]
    texts = {(each["by"], each["text"]) for each in cycle["texts"]}
    assert {("you", text) for text in HOSTS.values()} <= texts
    assert ("Seán", "coach-seat") in texts, "an earlier version that the partner wrote and both see"
    assert not any(secret in json.dumps(taken) for secret in COACHES.values()), "not open to the host yet"
    assert cycle["partner"] == "Seán" and cycle["meetings"][0]["place"] == "host-place"
    assert [each["to"][:6] for each in cycle["you_agreed"]] == ["I will"]
    assert taken["profile"]["name"] == "Niamh Ní Bhriain" and taken["courses"][0]["role_in_the_lms"] == "learner"
    read = room.host.client.get(f"{room.host.at}/mine/mine.html")
    assert "attachment" in read.headers["Content-Disposition"]
    body = read.get_data(as_text=True)
    assert all(text in body for text in HOSTS.values()) and not any(text in body for text in COACHES.values())
    assert "<script" not in body and "style=" not in body and "http" not in body


def test_what_opens_later_comes_along_later(room: Room, clock: Any) -> None:
    pass_on_to(room, "before", "visit", now=clock())
    body = page(room.host, "mine/mine.json")
    assert "coach-seen" in body and "coach-questions" not in body and "coach-happened" not in body


def test_a_partner_learns_that_their_words_were_taken(room: Room, clock: Any) -> None:
    clock.advance(3600)  # there is one line for an hour, with what was opened first in it
    page(room.host, "mine/mine.json")
    assert "to take it away" in page(room.coach, "looked")


def test_a_no_is_not_in_what_the_host_takes(room: Room, database: Any, clock: Any) -> None:
    from lti_tool.pairing import service as pairing
    from lti_tool.pairing.models import Invitation

    teachers = room.course.teachers
    with database.write() as session:
        pairing.invite(
            session, host_id=teachers[2], coach_id=teachers[3], course_id=room.course.course_id,
            activity_id=room.course.activity_id, now=clock(),
        )  # fmt: skip
    asker, asked = room.desk_of(teachers[2]), room.desk_of(teachers[3])
    before = page(asker, "mine/mine.json")
    with database.write() as session:
        pairing.decline(session, session.scalars(select(Invitation.id)).one(), clock())
    clock.advance(60)
    without_time = re.compile(r'"(made_at|opened_at|ends_at)": "[^"]+"')
    assert without_time.sub("", page(asker, "mine/mine.json")) == without_time.sub("", before)
    assert '"declined"' in page(asked, "mine/mine.json"), "one's own answer is one's own"


TAKEN = {
    "activity_facilitators", "activity_participants", "activity_trainers", "agreements", "calendar_addresses",
    "critical_friends", "cycle_members", "deliveries", "groups", "growth_areas", "instrument_states", "invitations",
    "line_managers", "lms_calendars", "lms_group_members", "looks", "meetings", "memberships", "nudges", "observations",
    "open_doors", "own_instruments", "pair_members", "pairing_wishes", "reflection_versions", "reminder_choices",
    "reminder_settings", "reminders", "rests", "return_meetings", "round_left", "round_proposal_members", "shares",
    "sign_ins", "stage_marks", "step_wishes", "texts", "thread_messages", "time_lines", "timetables",
}  # fmt: skip
NOT_TAKEN = {
    "continuations": "a code of two minutes on the way to a new tab",
    "instrument_approvals": "forgotten with the next change; once all approved, the instrument says it",
    "look_chains": "marks that make tampering with the log seen",
    "selections": "a visit of the LMS that is forgotten with its sign-in",
}


def test_every_table_that_names_people_is_taken_or_has_a_reason_not_to() -> None:
    naming = {
        table.name
        for table in Base.metadata.sorted_tables
        for key in table.foreign_keys
        if key.column.table.name in ("people", "memberships")
    }
    assert naming == TAKEN | NOT_TAKEN.keys(), "add it to ownership.service.collect, or say here why not"


def test_what_a_next_step_rests_on_is_taken_and_goes_with_either_text(room: Room, clock: Any) -> None:
    pass_on_to(room, "visit", now=clock())
    room.host.post("texts/next_steps", text="host-next")
    for data in ("coach-seen", "host-next"):
        lines = {"step__next_steps": fingerprint("host-next"), "data__next_steps": fingerprint(data)}
        room.host.post("texts/next_steps/rests", **lines)
        assert room.host.status == (303 if data == "coach-seen" else 409), "only a line that is there"
    for desk in (room.host, room.coach):
        taken = json.loads(page(desk, "mine/mine.json"))
        assert taken["cycles"][0]["next_steps_rest_on"] == [{"next_step": "host-next", "rests_on": "coach-seen"}]
        assert page(desk, "mine/mine.html").count("coach-seen") == 2
    with room.database.write() as session:
        session.execute(update(CycleMember).values(step=STEPS[0]))
    for desk, count in ((room.host, 1), (room.coach, 0)):
        taken = json.loads(page(desk, "mine/mine.json"))["cycles"][0]
        assert len(taken["next_steps_rest_on"]) == count, "one's own is taken, also where they go less far"
    with room.database.write() as session:
        session.execute(update(CycleMember).values(step=FULL))
    delete_words(room.coach, "notes_seen")
    for desk in (room.host, room.coach):
        assert "coach-seen" not in page(desk, "mine/mine.json")
    with room.database.read() as session:
        assert session.scalars(select(Rest.id)).all() == []


# Deleting


def test_the_page_says_before_what_goes_for_both_and_what_stays(room: Room) -> None:
    shown = page(room.host, f"mine/cycles/{room.cycle_id}")
    assert "goes for both of you: Seán cannot read it any more" in shown
    offered = re.findall(r'name="what" value="(\w+)"', shown)
    assert {"goal", "criteria", "hopes", "focus", "reflection", "places"} <= set(offered)
    assert not {"norms", "card_seat"} & set(offered), "written or signed by both"
    together = shown.partition("Written together")[2]
    assert "Where the coach sits" in together and "How we would like to work" in together
    sure = send(room.host, f"mine/cycles/{room.cycle_id}", what=["goal", "norms"]).get_data(as_text=True)
    assert "Delete this for good" in sure and "gone for Seán too" in sure and 'value="norms"' not in sure
    assert "host-goal" in page(room.host, "mine/mine.json"), "nothing is deleted before the second tap"
    assert send(room.host, f"mine/cycles/{room.cycle_id}").status_code == 400


def test_a_deleted_text_is_gone_for_both_and_what_is_together_stays(room: Room) -> None:
    delete_words(room.host, "goal", "hopes", "norms", "card_seat")
    for desk in (room.host, room.coach):
        taken = page(desk, "mine/mine.json")
        assert "host-goal" not in taken and "host-hopes" not in taken
        assert "We talk on Fridays." in taken and "host-and-coach-seat" in taken
        assert "host-criteria" in taken
    # A partner can take away nothing that is not theirs.
    delete_words(room.coach, "notes_seen", "goal", "criteria")
    assert "host-criteria" in page(room.host, "mine/mine.json")


def test_deleting_a_reflection_takes_drafts_and_versions_and_leaves_that_it_was_submitted(
    room: Room, clock: Any
) -> None:
    pass_on_to(room, "before", "visit", "after", now=clock())
    room.host.post("reflect/submit")
    with room.database.read() as session:
        assert session.scalar(select(func.count()).select_from(ReflectionVersion)) == 1
    room.host.get("reflect")
    old = room.host.form()
    delete_words(room.host, "reflection")
    with room.database.read() as session:
        assert session.scalar(select(func.count()).select_from(ReflectionVersion)) == 0
        assert session.scalar(select(func.count()).select_from(StageMark).where(StageMark.stage == "reflect")) == 1
    assert "host-happened" not in page(room.host, "mine/mine.json")
    # The page that was open before it sends it all again: nothing comes back, and nothing typed is lost.
    answer = send(
        room.host, f"cycles/{room.cycle_id}/reflect/submit", **old | {"text-own_learning": "host-learning and more"}
    )
    assert answer.status_code == 409 and "host-learning and more" in answer.get_data(as_text=True)
    with room.database.read() as session:
        assert session.scalar(select(func.count()).select_from(ReflectionVersion)) == 0
    room.host.get("reflect")
    room.host.press("reflect/submit", text__own_learning="something new")
    assert "something new" in room.host.get("reflect/versions/1")


def test_a_deleted_text_does_not_come_back_by_a_late_save(room: Room) -> None:
    host = room.host
    host.save_json("beliefs", "first", editor="tab1", seq=1)
    held = host.save_json("beliefs", "first and more", editor="tab1", seq=2)["base"]
    delete_words(host, "beliefs")
    for base, editor, seq in ((held, "tab1", 3), (held, "tab2", 1), ([], "tab1", 2), ([], "tab1", 9)):
        host.save_json("beliefs", "first and more, late", base=base, editor=editor, seq=seq)
        assert host.status == 409, (base, editor, seq)
    host.post("texts/beliefs", text="first", base=",".join(held))
    assert host.status == 409
    assert "first" not in page(host, "mine/mine.json")
    host.save_json("beliefs", "new words", editor="tab3", seq=1)
    assert host.status == 200 and "new words" in page(host, "mine/mine.json")


def test_a_partner_who_has_a_deleted_text_open_cannot_bring_it_back(room: Room) -> None:
    room.coach.get("before")
    seen = room.coach.form()["base-focus"]
    delete_words(room.host, "focus")
    room.coach.save_json("focus", "host-focus and mine", base=[seen], editor="c1")
    assert room.coach.status == 409
    assert "host-focus" not in page(room.coach, "mine/mine.json")


def test_the_key_goes_once_nothing_of_an_author_is_left_in_a_cycle(room: Room) -> None:
    coach = person_of(room, 1)
    delete_words(room.coach, "notes_seen", "notes_questions", "reflection")
    assert keys_of(room.coach, coach, room.cycle_id) == 1, "what was written together is still theirs"
    host = person_of(room, 0)
    with room.database.write() as session:
        session.execute(CycleText.__table__.delete().where(CycleText.field.in_(["norms", "card_seat"])))
    assert keys_of(room.host, host, room.cycle_id) == 1
    assert send(room.host, "mine/everything").status_code == 303, "asked first"
    assert keys_of(room.host, host, room.cycle_id) == 1
    assert send(room.host, "mine/everything", sure="1").status_code == 303
    assert keys_of(room.host, host, room.cycle_id) == 0
    assert "host-" not in page(room.host, "mine/mine.json")
    assert "host-place" not in room.coach.get("before")
    # Writing goes on, with a new key.
    room.host.post("texts/goal", text="another goal")
    assert "another goal" in page(room.host, "mine/mine.json")


def test_everything_leaves_what_was_written_together(room: Room) -> None:
    shown = page(room.host, "mine/everything")
    assert "What stays" in shown and "stays readable to you and your partner as agreed" in shown
    send(room.host, "mine/everything", sure="1")
    left = page(room.coach, "mine/mine.json")
    assert "host-and-coach-seat" in left and "We talk on Fridays." in left
    assert not any(text in left for text in HOSTS.values()) and "host-place" not in left


def test_traces_of_deleted_texts_are_forgotten(room: Room, clock: Any) -> None:
    delete_words(room.host, "goal")
    clock.advance(91 * 86400)
    with room.database.write() as session:
        assert forget_deleted(session, clock()) > 0
        assert session.scalar(select(func.count()).select_from(DeletedText)) == 0


@pytest.mark.parametrize("path", ["mine/cycles/0", "cycles/0/notes-kept", "mine/cycles/%00", "cycles/x/notes-kept"])
def test_a_foreign_cycle_is_not_there(room: Room, path: str) -> None:
    outsider = room.desk_of(room.course.teachers[2])
    for real in (path, path.replace("0", room.cycle_id).replace("x", room.cycle_id)):
        assert outsider.client.get(f"{outsider.at}/{real}").status_code == 404
        assert send(outsider, real, what="goal", sure="1", how="days", days="7").status_code == 404


def test_the_revision_tells_open_pages(room: Room) -> None:
    before = cycle_row(room).revision
    delete_words(room.host, "goal")
    assert cycle_row(room).revision > before
