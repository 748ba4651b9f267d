"""Quiet hints at words that judge and at names: the same in Python and in the browser; and the words of a course."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from browsers import Browser
from factories import MadeCourse, make_course
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from playwright._impl._driver import compute_driver_executable

from lti_tool.observation import hints, word_lists
from lti_tool.observation.hints import Hit
from lti_tool.observation.word_lists import OwnWords
from lti_tool.store.database import Database

CASES = yaml.safe_load(Path(__file__).with_name("hint_cases.yaml").read_text("utf-8"))
SCRIPT = Path(__file__).resolve().parents[2] / "lti_tool" / "web" / "static" / "hints.js"
ASK_SCRIPT = """
import { readFileSync } from "node:fs";
import { Finder } from "./hints.mjs";
const { lists, texts } = JSON.parse(readFileSync(0, "utf-8"));
const finder = new Finder(lists);
const found = texts.map((text) => [finder.judging(text).map(({ said, ask }) => [said, ask]), finder.names(text)]);
console.log(JSON.stringify(found));
"""


def in_a_browser(folder: Path, lists: hints.Lists, texts: list[str]) -> list[Any]:
    """What the script finds in each text: [judging, names]. Run by the node that comes with Playwright."""
    (folder / "hints.mjs").write_text(SCRIPT.read_text("utf-8"), "utf-8")
    (folder / "ask.mjs").write_text(ASK_SCRIPT, "utf-8")
    told = subprocess.run(
        [compute_driver_executable()[0], "ask.mjs"],
        cwd=folder,
        input=json.dumps({"lists": lists.to_json("en"), "texts": texts}),
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(told.stdout)  # type: ignore[no-any-return]


def of(found: list[Hit]) -> list[list[str]]:
    return [[each.said, each.ask] for each in found]


@pytest.mark.parametrize("case", CASES["judging"], ids=lambda case: case["text"])
def test_words_that_judge_are_found_and_speech_is_left_alone(case: dict[str, Any]) -> None:
    assert of(hints.judging(case["text"], hints.shipped())) == case["said"]


@pytest.mark.parametrize("case", CASES["names"], ids=lambda case: case["text"])
def test_what_may_be_a_name_is_found(case: dict[str, Any]) -> None:
    assert hints.names(case["text"], hints.shipped()) == case["said"]


def test_the_browser_finds_the_same(tmp_path: Path) -> None:
    lists = hints.shipped()
    texts = [case["text"] for case in (*CASES["judging"], *CASES["names"])]
    # Each phrase in a few sentences and forms; so the two stay the same where no case has thought of it.
    for language, phrase, _ask in lists.phrases:
        wrapped = ("bhí sé go {} ann", "d’{}, an-{}") if language == "ga" else ("It was very {}ly", "{}ed, “{}” {}s")
        texts += [each.replace("{}", phrase) for each in wrapped]
    texts += [f"Bhí {each} ann, agus {each}" for each in (*lists.given, *lists.ordinary)]
    here = [[of(hints.judging(text, lists)), hints.names(text, lists)] for text in texts]
    for text, ours, theirs in zip(texts, here, in_a_browser(tmp_path, lists, texts), strict=True):
        assert theirs == ours, text


def test_each_shipped_phrase_is_found_as_it_stands_and_none_is_there_twice() -> None:
    lists = hints.shipped()
    for language, phrase, ask in lists.phrases:
        asked = [each.ask for each in hints.judging(f"x {phrase.replace('*', 'mhall')} x", lists)]
        assert asked == ([] if ask == hints.PLAIN else [ask]), (language, phrase)
    assert len({(language, hints.words_of(phrase)) for language, phrase, _ in lists.phrases}) == len(lists.phrases)
    for language in hints.LANGUAGES:
        assert len([1 for of_, _, ask in lists.phrases if of_ == language and ask != hints.PLAIN]) >= 120
    assert {ask for _, _, ask in lists.phrases} - {hints.PLAIN} <= set(lists.asks)


def test_a_course_adds_and_leaves_out(tmp_path: Path) -> None:
    lists = hints.shipped().of_course({"en": ["chalk and talk"], "ga": ["meirgeach"]}, {"en": ["good"], "ga": ["deas"]})
    text = "Chalk and talk; good, a good job, go deas, go meirgeach"
    found = [["Chalk and talk", "seen"], ["good job", "seen"], ["go meirgeach", "seen"]]
    assert of(hints.judging(text, lists)) == found
    assert in_a_browser(tmp_path, lists, [text])[0][0] == found


@settings(deadline=None)
@given(st.text("aábcdeghmstGÓNÁ'’‘“”\"-., \n𐀀", max_size=60))
def test_no_text_is_too_odd(text: str) -> None:
    lists = hints.shipped()
    for hit in hints.judging(text, lists):
        assert hit.said and hit.ask in lists.asks
    assert all(hints.names(text, lists))


MANY = "".join(f"\nword {chr(97 + n % 26)} {chr(97 + n // 26)}" for n in range(60))


class TestWordsOfACourse:
    @pytest.fixture
    def made(self, database: Database, clock: Any) -> MadeCourse:
        return make_course(database, teachers=2, now=clock.now)

    def test_its_trainer_adds_and_leaves_out_and_all_of_it_are_hinted_so(
        self, app: Flask, database: Database, clock: Any, made: MadeCourse
    ) -> None:
        trainer = Browser(app, database, clock, made.trainer, made.activity_id)
        teacher = Browser(app, database, clock, made.teachers[0], made.activity_id)
        was = re.search(r'name="was" value="([^"]+)"', trainer.get("/words"))
        assert was
        typed = {"added-en": " Chalk  and talk\n\nchalk and talk\n", "left_out-en": "good", "added-ga": "meirgeach"}
        assert trainer.post("/words", was=was[1], **typed).status_code == 303
        with database.read() as session:
            assert word_lists.own(session, made.course_id) == {
                "en": OwnWords("Chalk and talk", "good"),
                "ga": OwnWords("meirgeach", ""),
            }
        lists = json.loads(teacher.get("/words.json"))["lists"]["judging"]
        assert lists["en"]["seen"][0] == "Chalk and talk" and "good" in lists["en"]["plain"]
        page = teacher.get("/words")
        assert "Chalk and talk" in page and "<textarea" not in page
        assert teacher.post("/words", was=was[1], **typed).status_code == 404
        # Somebody who had it open before: nothing of theirs is lost, and nothing overwritten.
        late = trainer.post("/words", **{"was": was[1], "added-en": "Rusty"})
        assert late.status_code == 409 and "Rusty" in late.get_data(as_text=True)

    @pytest.mark.parametrize("typed", ["x" * 61, "…", "*", "* *", "\n".join("b" * n for n in range(1, 61)) + MANY])
    def test_what_could_not_be_found_is_said_and_stays_in_the_box(
        self, app: Flask, database: Database, clock: Any, made: MadeCourse, typed: str
    ) -> None:
        trainer = Browser(app, database, clock, made.trainer, made.activity_id)
        answer = trainer.post("/words", **{"added-ga": typed})
        page = answer.get_data(as_text=True)
        assert answer.status_code == 400 and 'aria-invalid="true"' in page and typed in page
        with database.read() as session:
            assert word_lists.own(session, made.course_id)["ga"] == OwnWords()

    @pytest.mark.parametrize("typed", ["\x00", "a\x00b", "\ud800", "é" * 30_000, "\u202e"])
    def test_odd_input(self, app: Flask, database: Database, clock: Any, made: MadeCourse, typed: str) -> None:
        trainer = Browser(app, database, clock, made.trainer, made.activity_id)
        answer = trainer.client.post(
            f"{trainer.at}/words",
            data={"csrf_token": trainer.token, "added-en": typed.encode("utf-8", "surrogatepass")},
        )
        assert answer.status_code in (400, 409)
