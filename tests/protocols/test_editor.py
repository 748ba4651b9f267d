"""Trainers copy a protocol, change it in forms, and give it out; through the app."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
from browsers import Browser, recorded
from factories import MadeCourse, make_course
from flask import Flask
from sqlalchemy import select, update

from lti_tool.activities.models import Activity, ActivityTrainer
from lti_tool.cycles.models import Cycle, ProtocolVersion
from lti_tool.pairing import service as pairing
from lti_tool.protocols import service
from lti_tool.protocols.models import OwnProtocol
from lti_tool.store.database import Database


class Boxes(HTMLParser):
    """What a browser would send of the form whose address ends so: names and values, buttons left out."""

    def __init__(self, page: str, action: str) -> None:
        super().__init__()
        self.found: dict[str, str] = {}
        self._action, self._inside = action, False
        self._textarea = self._select = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._inside = values.get("action", "").endswith(self._action)
        if not self._inside:
            return
        name = values.get("name", "")
        if tag == "input" and (values.get("type") != "checkbox" or "checked" in values):
            self.found[name] = values.get("value", "")
        elif tag == "textarea":
            self._textarea, self.found[name] = name, ""
        elif tag == "select":
            self._select = name
        elif tag == "option" and (self._select not in self.found or "selected" in values):
            self.found[self._select] = values["value"]

    def handle_data(self, data: str) -> None:
        if self._textarea:
            self.found[self._textarea] += data.removeprefix("\n") if not self.found[self._textarea] else data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._textarea = ""


@pytest.fixture
def made(database: Database, clock: Any) -> MadeCourse:
    return make_course(database, teachers=4, now=clock.now)


@pytest.fixture
def trainer(app: Flask, database: Database, clock: Any, made: MadeCourse) -> Browser:
    return Browser(app, database, clock, made.trainer, made.activity_id)


@pytest.fixture
def key(trainer: Browser) -> str:
    """Of a copy of the light protocol."""
    return copy_of(trainer, "light")


def copy_of(trainer: Browser, of: str) -> str:
    answer = trainer.post(f"/protocols/{of}/own")
    assert answer.status_code == 303
    found = re.search(r"own_\w{8}", answer.location)
    assert found
    return found[0]


def change(who: Browser, path: str, **changes: str) -> Any:
    """Sends the form of a page as it is, but for `changes`."""
    boxes = Boxes(who.get(path), path).found
    return who.post(path, **boxes | {name.replace("__", "-"): value for name, value in changes.items()})


def give_out(who: Browser, key: str, note: str = "") -> Any:
    path = f"/protocols/{key}/publish"
    return who.post(path, **Boxes(who.get(f"/protocols/{key}/compare"), path).found | {"text-note": note})


def draft(database: Database, key: str) -> dict[str, Any]:
    with database.read() as session:
        return dict(session.scalars(select(OwnProtocol.body).where(OwnProtocol.key == key)).one())


def begin(database: Database, made: MadeCourse, host: int, coach: int, clock: Any) -> None:
    with database.write() as session:
        pairing.invite(
            session,
            host_id=made.teachers[host],
            coach_id=made.teachers[coach],
            course_id=made.course_id,
            activity_id=made.activity_id,
            now=clock.now,
        )
        (received,) = pairing.open_for(session, made.teachers[coach], made.activity_id, clock.now).received
        pairing.accept(session, received.id, clock.now)


def test_copied_changed_given_out_and_followed_while_what_runs_goes_on_as_it_was(
    app: Flask, trainer: Browser, key: str, database: Database, clock: Any, made: MadeCourse
) -> None:
    assert trainer.post("/activity", what=f"cycle:{key}").status_code == 400, "a draft cannot be chosen"
    assert give_out(trainer, key, "As it is").status_code == 303
    assert trainer.post("/activity", what=f"cycle:{key}", audience="everyone").status_code == 303
    begin(database, made, 0, 1, clock)

    before = f"/protocols/{key}/edit/before"
    changed = change(
        trainer,
        before,
        minutes="25",
        **{"text-pnew-en": "Who will teach us something today?", "pnew-kind": "belief", "text-title-en": "Talk first"},
    )
    assert changed.status_code == 303
    assert "Talk first" not in trainer.get(f"/protocols/{key}"), "the draft is not what is followed"
    difference = trainer.get(f"/protocols/{key}/compare")
    for said in ("It takes 25 minutes now", "“Who will teach us something today?” is new", "Talk first"):
        assert said in difference
    assert give_out(trainer, key, "A longer talk").status_code == 303
    begin(database, made, 2, 3, clock)

    with database.read() as session:
        followed = session.execute(
            select(ProtocolVersion.key, ProtocolVersion.version)
            .join(Cycle, Cycle.protocol_version_id == ProtocolVersion.id)
            .order_by(ProtocolVersion.version)
        ).all()
    assert followed == [(key, 1), (key, 2)]
    pages = [Browser(app, database, clock, made.teachers[n], made.activity_id).get("/") for n in (0, 2)]
    assert ["Talk first" in page for page in pages] == [False, True]
    page = trainer.get(f"/protocols/{key}")
    assert "A longer talk" in page and "As it is" in page
    assert "Talk first" not in trainer.get(f"/protocols/{key}/versions/1")
    assert "It takes 25 minutes now" in trainer.get(f"/protocols/{key}/compare?old=1&new=2")
    assert "Light" in trainer.get(f"/protocols/{key}/compare?old=origin&new=2")


def test_rows_are_added_moved_and_removed(trainer: Browser, key: str, database: Database) -> None:
    path = f"/protocols/{key}/edit/start"

    def asked() -> list[str]:
        return [each["text"]["en"] for each in draft(database, key)["stages"][0]["prompts"]]

    first, second = asked()[:2]
    assert change(trainer, path, do="down p0").location.endswith("#row-p1")
    assert asked()[:2] == [second, first]
    change(trainer, path, do="remove p0")
    assert second not in asked()
    change(trainer, path, **{"text-snew-en": "x", "text-snew-title-en": "Sit down", "snew-minutes": "3"})
    change(trainer, path, **{"text-s0pnew-en": "Where shall we sit?", "s0pnew-kind": "process"})
    (step,) = draft(database, key)["stages"][0]["steps"]
    assert (step["title"], step["minutes"], step["speaks"]) == ({"en": "Sit down", "ga": "Sit down"}, 3, "host")
    assert step["prompts"] == [{"kind": "process", "text": dict.fromkeys(("en", "ga"), "Where shall we sit?")}]
    assert "The same text stands in both languages" in trainer.get(path)
    change(trainer, path, **{"text-s0-title-ga": "Suigh síos"})
    assert draft(database, key)["stages"][0]["steps"][0]["title"] == {"en": "Sit down", "ga": "Suigh síos"}
    change(trainer, path, **{"text-fnew-label-en": "Our place", "fnew-by": "each"})
    added = draft(database, key)["stages"][0]["fields"][-1]
    assert (added["by"], added["seen"], "opens" in added) == ("each", "author", False), "seen by nobody else at first"
    change(trainer, path, **{f"f{len(draft(database, key)['stages'][0]['fields']) - 1}-seen": "pair"})
    assert draft(database, key)["stages"][0]["fields"][-1]["seen"] == "pair"


def test_questions_are_taken_from_the_bank(trainer: Browser, key: str, database: Database) -> None:
    path = f"/protocols/{key}/edit/before"
    to_bank = change(trainer, path, do="bank think_aloud", minutes="12")
    assert to_bank.location.endswith("/prompts?to=think_aloud")
    assert draft(database, key)["stages"][1]["minutes"] == 12, "what was typed is saved on the way"
    page = trainer.get(f"{path}/prompts?to=think_aloud&kind=belief")
    assert page.count('type="checkbox"') < trainer.get(f"{path}/prompts?place=").count('type="checkbox"')
    (ticked, *_more) = re.findall(r'name="prompt" value="(\w+)"', page)
    boxes = {"prompt": ticked, "to": "think_aloud"}
    assert trainer.post(f"{path}/prompts", **boxes).status_code == 303
    taken = draft(database, key)["stages"][1]["steps"][0]["prompts"][-1]
    assert taken["kind"] == "belief" and taken["text"]["en"] and taken["text"]["ga"]
    assert ticked not in trainer.get(f"{path}/prompts?kind=belief"), "what it asks already is left out"
    for odd in ({"prompt": "nonsense"}, {"to": "no_such_step"}, {"kind": "\0"}):
        assert trainer.post(f"{path}/prompts", **odd).status_code == 303
    assert trainer.status(f"{path}/prompts?kind=nonsense&place=%00&guide=x") == 200
    many = {
        "csrf_token": trainer.token,
        "prompt": re.findall(r'value="(\w{16})"', trainer.get(f"{path}/prompts?place=")),
    }
    assert trainer.client.post(f"{trainer.at}{path}/prompts", data=many).status_code == 400
    assert draft(database, key)["stages"][1]["minutes"] == 12


def test_a_checklist_is_replaced_by_the_courses_own(trainer: Browser, database: Database) -> None:
    key = copy_of(trainer, "stages_five")

    def checklist() -> tuple[str, int, dict[str, Any]]:
        return next(
            (stage["key"], i, each)
            for stage in draft(database, key)["stages"]
            for i, each in enumerate(stage.get("fields") or [])
            if "choices" in each
        )

    stage, row, was = checklist()
    path = f"/protocols/{key}/edit/{stage}"
    assert change(trainer, path, **{f"text-f{row}cnew-en": "It asks pupils to listen"}).status_code == 303
    assert change(trainer, path, do=f"remove f{row}c0").status_code == 303
    assert change(trainer, path, do=f"up f{row}c{len(was['choices']) - 1}").status_code == 303
    now = checklist()[2]["choices"]
    assert now[-2]["text"]["en"] == "It asks pupils to listen" and now[-2]["key"] not in str(was["choices"])
    assert {each["key"] for each in was["choices"][1:]} == {each["key"] for each in now} - {now[-2]["key"]}
    while len(checklist()[2]["choices"]) > 2:
        change(trainer, path, do=f"remove f{row}c0")
    wrong = change(trainer, path, do=f"remove f{row}c0")
    assert wrong.status_code == 400 and "from 2 to 40 answers" in wrong.text


def test_a_stage_goes_with_all_that_rests_on_it(trainer: Browser, key: str, database: Database) -> None:
    path = f"/protocols/{key}/edit"
    wrong = change(trainer, path, do="up after")
    assert wrong.status_code == 400 and "that one comes first" in wrong.text
    change(trainer, path, do="remove reflect")
    assert change(trainer, path, do="remove before").status_code == 303
    stages = draft(database, key)["stages"]
    assert [each["key"] for each in stages] == ["start", "after", "reflect"]
    assert "goal" not in str([each.get("shows") for each in stages])
    assert trainer.status(f"/protocols/{key}") == 200


LONG = "long " * 300
WRONG = [
    ("before", {"text-title-en": "", "text-title-ga": " \0 "}, "Write a text here"),
    ("before", {"text-p0-en": LONG, "p0-kind": "belief"}, "This text can have 1200 characters"),
    ("before", {"text-short-en": "a word that is too long for a picture"}, "can have 24 characters"),
    ("before", {"minutes": "ten"}, "whole number from 0 to 480"),
    ("before", {"minutes": "9999"}, "whole number from 0 to 480"),
    ("before", {"minutes": "-1"}, "whole number from 0 to 480"),
    ("before", {"s0-minutes": "1e3"}, "whole number from 0 to 480"),
    ("before", {"s0-minutes": "200"}, "and the stage has 10"),
    ("before", {"do": "remove s0"}, "asks about beliefs"),
    ("after", {"text-f0-label-en": "", "text-f0-label-ga": ""}, "Write a text here"),
]


def test_what_cannot_be_kept_is_said_beside_its_box_and_comes_back(
    trainer: Browser, key: str, database: Database
) -> None:
    before = draft(database, key)
    for stage, typed, said in WRONG:
        wrong = change(trainer, f"/protocols/{key}/edit/{stage}", **{"text-purpose-en": "Typed <b>too</b>"} | typed)
        assert wrong.status_code == 400 and said in wrong.text, typed
        assert "Typed &lt;b&gt;too&lt;/b&gt;" in wrong.text, "nothing typed is lost"
        for target in re.findall(r'<li><a href="#([^"]+)"', wrong.text):
            assert f'id="{target}"' in wrong.text, "the summary leads to the box"
    assert draft(database, key) == before


ODD: list[dict[str, str]] = [
    {"do": "up p99"},
    {"do": "down zz"},
    {"do": "remove s0f0"},
    {"p0-kind": "nonsense", "s0-speaks": "the principal"},
    {"f0-seen": "everybody"},
    {"f0-key": "no_such_field", "text-f99-label-en": "x", "f99-key": "another"},
    {"text-p77-en": "a row that was not there"},
    {"s1-key": "../../etc", "text-s1-title-en": "A step"},
    {"text-p²-en": "x", "p²-kind": "belief"},
]


def test_odd_forms_are_no_errors_and_widen_nothing(trainer: Browser, key: str, database: Database) -> None:
    def audience() -> dict[str, Any]:
        stages = draft(database, key)["stages"]
        return {each["key"]: (each["seen"], each.get("opens")) for s in stages for each in s.get("fields") or []}

    before = audience()
    for odd in ODD:
        assert change(trainer, f"/protocols/{key}/edit/after", **odd).status_code in (303, 400), odd
        now = audience()
        assert {each: now[each] for each in before} == before, odd
        assert not any(opens for _seen, opens in (now[each] for each in now.keys() - before.keys())), odd


def test_what_opens_late_is_never_opened_at_once(trainer: Browser, database: Database) -> None:
    key = copy_of(trainer, "collegial")
    path = f"/protocols/{key}/edit/visit"
    fields = draft(database, key)["stages"][2]["fields"]
    late = [i for i, each in enumerate(fields) if each.get("opens")]
    assert late
    change(trainer, path, **{f"f{i}-seen": "pair" for i in late})
    assert [draft(database, key)["stages"][2]["fields"][i].get("opens") for i in late] == [
        fields[i]["opens"] for i in late
    ]


def test_of_two_trainers_at_once_the_second_is_told_and_keeps_what_they_typed(
    app: Flask, trainer: Browser, key: str, database: Database, clock: Any, made: MadeCourse
) -> None:
    with database.write() as session:
        session.add(ActivityTrainer(activity_id=made.activity_id, membership_id=made.guest, created_at=clock.now))
    other = Browser(app, database, clock, made.guest, made.activity_id)
    path = f"/protocols/{key}/edit/before"
    mine = Boxes(trainer.get(path), path).found | {"minutes": "40", "text-pnew-en": "Mine?"}
    mine |= {"text-fnew-label-en": "My text", "fnew-by": "coach"}
    assert change(other, path, minutes="50").status_code == 303
    assert change(other, f"/protocols/{key}/edit/after", minutes="60").status_code == 303
    answer = trainer.post(path, **mine)
    assert answer.status_code == 409
    assert (
        "Another trainer changed this" in answer.text and "It takes 40 minutes now; before, it took 50" in answer.text
    )
    assert draft(database, key)["stages"][1]["minutes"] == 50, "nothing is overwritten"
    kept = Boxes(answer.text, path).found
    assert kept["minutes"] == "40" and "Mine?" in kept.values()
    assert trainer.post(path, **kept).status_code == 303
    stages = draft(database, key)["stages"]
    assert (stages[1]["minutes"], stages[2]["minutes"]) == (40, 60), "another stage is nobody's conflict"
    added = stages[1]["fields"][-1]
    assert (added["label"]["en"], added["by"]) == ("My text", "coach")

    given = Boxes(trainer.get(f"/protocols/{key}/compare"), f"/{key}/publish").found
    change(other, path, minutes="45")
    late = trainer.post(f"/protocols/{key}/publish", **given | {"text-note": "Typed"})
    assert late.status_code == 409 and "Typed" in late.text and "45 minutes" in late.text
    change(other, f"/protocols/{key}/edit", do="remove after")
    gone = trainer.post(f"/protocols/{key}/edit/after", **mine)
    assert gone.status_code == 409 and "Mine?" in gone.text


def test_giving_out_twice_makes_one_version(trainer: Browser, key: str, database: Database) -> None:
    form = Boxes(trainer.get(f"/protocols/{key}/compare"), f"/{key}/publish").found
    for _ in range(2):
        assert trainer.post(f"/protocols/{key}/publish", **form).status_code == 303
    with database.read() as session:
        assert session.scalars(select(ProtocolVersion.version).where(ProtocolVersion.key == key)).all() == [1]
    assert "there is nothing to give out" in trainer.get(f"/protocols/{key}/edit")


def test_an_archived_protocol_stays_with_the_activity_that_has_it(
    app: Flask, trainer: Browser, key: str, database: Database, clock: Any, made: MadeCourse
) -> None:
    give_out(trainer, key)
    trainer.post("/activity", what=f"cycle:{key}", audience="everyone")
    with database.write() as session:
        other = Activity(
            course_id=made.course_id, resource_link_id="b", title="B", status="open", protocol="light",
            created_at=clock.now,
        )  # fmt: skip
        session.add(other)
        session.flush()
        session.add(ActivityTrainer(activity_id=other.id, membership_id=made.trainer, created_at=clock.now))
    there = Browser(app, database, clock, made.trainer, other.id)
    assert f"cycle:{key}" in there.get("/activity")
    assert trainer.post(f"/protocols/{key}/archive").status_code == 303
    assert f"cycle:{key}" not in there.get("/activity")
    assert there.post("/activity", what=f"cycle:{key}").status_code == 400
    assert trainer.post("/activity", what=f"cycle:{key}", purpose="As before").status_code == 303
    begin(database, made, 0, 1, clock)
    with database.read() as session:
        followed = session.scalar(select(ProtocolVersion.key).join(Cycle))
    assert followed == key
    trainer.post(f"/protocols/{key}/reopen")
    assert f"cycle:{key}" in there.get("/activity")


def test_a_protocol_is_only_offered_where_it_fits(trainer: Browser, database: Database, made: MadeCourse) -> None:
    alone = copy_of(trainer, "reflection")
    give_out(trainer, alone)
    assert f"cycle:{alone}" not in trainer.get("/activity")
    assert trainer.post("/activity", what=f"cycle:{alone}").status_code == 400
    with database.write() as session:
        session.execute(update(Activity).values(kind="reflection", protocol="reflection"))
    assert f"reflection:{alone}" in trainer.get("/activity")


@pytest.fixture
def others(app: Flask, database: Database, clock: Any, made: MadeCourse) -> Iterator[dict[str, Browser]]:
    elsewhere = make_course(database, teachers=1, now=clock.now)
    yield {
        "teacher": Browser(app, database, clock, made.teachers[0], made.activity_id),
        "leader": Browser(app, database, clock, made.leader, made.activity_id),
        "guest": Browser(app, database, clock, made.guest, made.activity_id),
        "trainer elsewhere": Browser(app, database, clock, elsewhere.trainer, elsewhere.activity_id),
    }


def test_teachers_read_what_was_given_out_and_leaders_nothing(
    trainer: Browser, key: str, others: dict[str, Browser], database: Database
) -> None:
    change(trainer, f"/protocols/{key}/edit", **{"text-summary-en": "A canary"})
    for who, browser in others.items():
        library = browser.status("/protocols")
        assert library == (404 if who == "leader" else 200), who
        assert library == 404 or "A canary" not in browser.get("/protocols"), who
        for path in ("", "/edit", "/edit/before", "/compare", "/file", "/compare?new=draft"):
            assert browser.status(f"/protocols/{key}{path}") == 404, (who, path)
        for path in ("own", "edit", "edit/before", "publish", "archive", "reopen"):
            assert browser.post(f"/protocols/{key}/{path}").status_code == 404, (who, path)
        assert browser.post("/protocols/bring").status_code == (404 if "trainer" not in who else 400)
    give_out(trainer, key)
    change(trainer, f"/protocols/{key}/edit", **{"text-summary-en": "A second canary"})
    page = others["teacher"].get(f"/protocols/{key}")
    assert "A canary" in page and "A second canary" not in page and "/edit" not in page
    assert others["teacher"].status(f"/protocols/{key}/compare?new=draft") == 404
    assert (
        others["leader"].status(f"/protocols/{key}") == others["trainer elsewhere"].status(f"/protocols/{key}") == 404
    )
    assert others["leader"].status("/protocols/light") == 404
    with database.read() as session:
        assert session.scalars(select(OwnProtocol.key)).all() == [key]


def test_no_page_costs_more_the_more_there_are(trainer: Browser, key: str, database: Database) -> None:
    for _ in range(6):
        give_out(trainer, copy_of(trainer, key))
    for path in ("", "/light", f"/{key}", f"/{key}/edit", f"/{key}/edit/before", f"/{key}/compare"):
        with recorded(database) as statements:
            trainer.get(f"/protocols{path}")
        assert len(statements) <= 8, (path, [one for one, _ in statements])
    with recorded(database) as statements:
        trainer.get("/activity")
    assert len(statements) <= 12


def test_the_next_step_costs_no_more_with_a_protocol_of_the_courses_own(
    app: Flask, trainer: Browser, database: Database, clock: Any, made: MadeCourse
) -> None:
    key = copy_of(trainer, "collegial")
    give_out(trainer, key)
    trainer.post("/activity", what=f"cycle:{key}", audience="everyone")
    teacher = Browser(app, database, clock, made.teachers[0], made.activity_id)
    for page in ("before a partner is found", "in a cycle"):
        service._parsed.clear()
        with recorded(database) as cold:
            assert 'href="' in teacher.get("/")
        with recorded(database) as warm:
            teacher.get("/")
        assert len(warm) <= len(cold) <= 12, page
        if "before" in page:
            begin(database, made, 0, 1, clock)


def test_getting_started_stays_with_what_is_signed_in_it(trainer: Browser, key: str, database: Database) -> None:
    path = f"/protocols/{key}/edit"
    (signed,) = [i for i, each in enumerate(draft(database, key)["stages"][0]["fields"]) if each["key"] == "norms"]
    assert f'remove f{signed}"' not in trainer.get(f"{path}/start")
    wrong = change(trainer, f"{path}/start", do=f"remove f{signed}")
    assert wrong.status_code == 400 and "Keep the text that they sign" in wrong.text
    for do in ("remove start", "down start", "up before"):
        change(trainer, path, do=do)
    assert draft(database, key)["stages"][0]["kind"] == "start"


def test_a_new_text_and_a_new_answer_outlive_a_mistake_beside_them(trainer: Browser, database: Database) -> None:
    key = copy_of(trainer, "stages_five")
    stage, row = next(
        (stage, i)
        for stage in draft(database, key)["stages"]
        for i, each in enumerate(stage.get("fields") or [])
        if "choices" in each
    )
    path = f"/protocols/{key}/edit/{stage['key']}"
    new = {f"text-f{row}cnew-en": "One more", "text-fnew-label-en": "Our own", "fnew-by": "host"}
    wrong = change(trainer, path, minutes="abc", **new)
    assert wrong.status_code == 400
    assert trainer.post(path, **Boxes(wrong.text, path).found | {"minutes": "480"}).status_code == 303
    fields = next(each for each in draft(database, key)["stages"] if each["key"] == stage["key"])["fields"]
    assert (fields[-1]["label"]["en"], fields[-1]["by"], fields[-1]["seen"]) == ("Our own", "host", "author")
    assert fields[row]["choices"][-1]["text"]["en"] == "One more"
    assert fields[row]["choices"][:-1] == stage["fields"][row]["choices"]


def test_what_another_trainer_moved_meanwhile_is_not_mistaken_for_its_neighbour(
    trainer: Browser, database: Database
) -> None:
    key = copy_of(trainer, "stages_five")
    stage, row, was = next(
        (stage["key"], i, each["choices"])
        for stage in draft(database, key)["stages"]
        for i, each in enumerate(stage.get("fields") or [])
        if "choices" in each
    )
    path = f"/protocols/{key}/edit/{stage}"
    mine = Boxes(trainer.get(path), path).found | {f"text-f{row}c1-en": "Mine"}
    change(trainer, path, do=f"up f{row}c1")
    kept = trainer.post(path, **mine)
    assert kept.status_code == 409
    assert trainer.post(path, **Boxes(kept.text, path).found).status_code == 303
    body = next(each for each in draft(database, key)["stages"] if each["key"] == stage)
    now = {each["key"]: each["text"]["en"] for each in body["fields"][row]["choices"]}
    assert now == {each["key"]: each["text"]["en"] for each in was} | {was[1]["key"]: "Mine"}


@pytest.mark.parametrize("of", ["consultancy", "stages_five"])
def test_a_draft_that_was_saved_as_it_was_says_nothing_new(trainer: Browser, database: Database, of: str) -> None:
    key = copy_of(trainer, of)
    give_out(trainer, key)
    for stage in draft(database, key)["stages"]:
        assert change(trainer, f"/protocols/{key}/edit/{stage['key']}").status_code == 303
    assert change(trainer, f"/protocols/{key}/edit").status_code == 303
    assert "there is nothing to give out" in trainer.get(f"/protocols/{key}/edit")
