"""Protocols for two, as texts and as a way: each can be walked to its end, and is said in words of its own."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from protocols.shipped_texts import conversations, protocol, texts

from lti_tool.cycles import rules
from lti_tool.cycles.rules import Cycle, Head, Mark, Meeting, Member, NextStep, Signature
from lti_tool.protocols import reader
from lti_tool.protocols.recipe import ALL, Protocol

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
HOST = Member("mh", "ph", "host", "Niamh")
COACH = Member("mc", "pc", "coach", "Seán")
CARD = ("card_seat", "card_part", "card_pupils", "card_in_out", "card_time", "card_not_recorded")
FILL_CARD = " ".join(f"fill_card:{key}" for key in CARD)
WALKS = {
    # key: stage after stage, what a pair is asked for from the start to the end (the start and the end are the same)
    "five_step": f"""
        talk:goal talk:criteria talk:focus talk:method confirm:goal close_talk
        plan_visit:visit {FILL_CARD} book_debrief:after confirm_visit:visit close_visit:visit
        talk:own_view talk:openings close_talk
        talk_first_turn talk:next_steps close_talk
        talk:process close_talk""",
    "observer_learner": f"""
        talk:open_door talk:goal talk:focus confirm:goal close_talk
        plan_visit:visit {FILL_CARD} confirm_visit:visit close_visit:visit""",
    "stages_five": """
        talk:wants talk:stance close_talk
        talk:goal talk:criteria confirm:goal close_talk
        talk:activity_before talk:activity_after close_talk
        talk:support talk:arrangement talk:log close_talk
        talk:next_steps close_talk""",
    "impact": """
        talk:reality talk:goal talk:criteria talk:strategies confirm:goal close_talk
        talk:in_lines talk:support close_talk
        talk:measured talk:goal_now talk:next_steps close_talk""",
    "grow": "talk:goal talk:next_steps confirm:goal close_talk",
    "planning": "talk:goal talk:criteria talk:own_focus confirm:goal close_talk",
    "reflecting": "talk:looking_back talk:next_steps close_talk",
}
MINE = list(WALKS)
TO_VISIT = {"five_step", "observer_learner"}
PRAISE_OR_SCORE = re.compile(
    r"\b(excellent|great|brilliant|perfect|well done|bravo|scores?|grades?|marks?|ranks?|levels?|rating"
    r"|iontach|thar barr|den scoth|maith thú|maith sibh|comhghairdeas|scóir|scór|grád|gráid|marcanna|rangú|leibhéal)\b",
    re.IGNORECASE,
)


# The way


def carried_out(cycle: Cycle, step: NextStep) -> Cycle:
    """The cycle after the pair has done what the next step asks for."""
    if step.code in ("start", "talk", "fill_card"):
        return written(cycle, step.of)
    if step.code in ("sign", "confirm") and step.of:
        agreement = cycle.protocol.agreement(step.of)
        assert agreement is not None
        now = rules.current_heads(cycle, agreement)
        return replace(
            cycle,
            signatures=(*cycle.signatures, *(Signature(step.of, each.membership_id, now) for each in cycle.members)),
        )
    if step.code == "plan_visit":
        stage = cycle.stage(step.stage)
        assert stage is not None
        lacking = rules.missing_to_book_visit(cycle, stage, HOST)
        assert [lack.of for lack in lacking] == ["visit_purpose"], "R33"
        return replace(written(cycle, "visit_purpose"), meetings=(booked("visit"),))
    if step.code == "book_debrief":
        return replace(cycle, meetings=(*cycle.meetings, booked("after")))
    if step.code == "confirm_visit":
        visit, *others = cycle.meetings
        return replace(cycle, meetings=(replace(visit, confirmed_at=NOW), *others))
    if step.code == "talk_first_turn":
        return marked(cycle, step.stage + rules.FIRST_TURN, HOST)
    stage = cycle.stage(step.stage)
    assert stage is not None
    for member in cycle.members:
        assert not rules.missing_to_close(replace(cycle, viewer_id=member.person_id), stage, member, NOW)
    return marked(cycle, stage.key, COACH)


def written(cycle: Cycle, key: str) -> Cycle:
    field = cycle.protocol.field(key)
    assert field is not None
    author = COACH if field.by == "coach" else HOST
    return replace(cycle, heads=(*cycle.heads, Head(f"of_{key}_{author.role}", 1, key, author.person_id, False)))


def booked(kind: str) -> Meeting:
    return Meeting(kind, kind, NOW - timedelta(hours=1), 30, "ph", 1, None)


def marked(cycle: Cycle, stage: str, member: Member) -> Cycle:
    return replace(cycle, marks=(*cycle.marks, Mark(stage, member.membership_id, NOW)))


@pytest.mark.parametrize("key", MINE)
def test_a_pair_can_walk_from_the_start_to_the_end(key: str) -> None:
    cycle = Cycle(
        id="c", pair_id="p", activity_id="a", activity_title="", number=1, status="running", revision=1,
        started_at=NOW, finished_at=None, closed_at=None, protocol=protocol(key), members=(HOST, COACH),
        viewer_id=HOST.person_id,
    )  # fmt: skip
    asked = []
    while (step := rules.next_step(cycle, NOW)).code != "reflect":
        if step.waits:
            step = rules.next_step(replace(cycle, viewer_id=COACH.person_id), NOW)
            assert not step.waits, "somebody can always do something"
        asked.append(f"{step.code}:{step.of}" if step.of else step.code)
        assert len(asked) < 40, "it goes in circles"
        cycle = carried_out(cycle, step)
    # Who signs last closes the start, see the service.
    assert asked[:3] == ["start:norms", "sign:together", "sign"]
    assert asked[3:] == WALKS[key].split()
    for member in cycle.members:
        lacking = rules.missing_to_close(replace(cycle, viewer_id=member.person_id), cycle.reflection, member, NOW)
        assert [lack.of for lack in lacking] == ["own_learning"]
        cycle = marked(cycle, cycle.reflection.key, member)
    assert all(rules.is_done(cycle, stage) for stage in cycle.stages)


@pytest.mark.parametrize("key", MINE)
def test_no_visit_is_asked_for_where_none_is_needed(key: str) -> None:
    visits = [stage for stage in protocol(key).stages if stage.kind == "visit"]
    assert bool(visits) == (key in TO_VISIT), "R77"
    for visit in visits:
        gates = [(gate.needs, gate.of) for gate in visit.gates]
        assert {("text", card) for card in CARD} <= set(gates), "R60"
        assert gates.index(("text", "visit_purpose")) < gates.index(("meeting", "visit")), "R33"


@pytest.mark.parametrize("key", ["stages_five", "impact"])
def test_five_kinds_of_support_can_be_chosen(key: str) -> None:
    support = protocol(key).field("support")
    assert support is not None and support.by == "host"
    assert [choice.key for choice in support.choices] == ["resource", "co_plan", "model", "team_teach", "observe"], (
        "R77"
    )


# The conversations


@pytest.mark.parametrize("key", MINE)
def test_a_conversation_is_guided_and_the_host_begins(key: str) -> None:
    found = protocol(key)
    assert found.family.en, "the family is named"
    assert conversations(found)
    for stage in conversations(found):
        assert "belief" in {prompt.kind for prompt in stage.all_prompts}, "R70"
        assert stage.speaks_first == "host" and stage.steps[0].speaks in ("host", ALL), "R64"
        assert stage.leads == "coach", "one leads (R46)"
        assert all(step.minutes for step in stage.steps)
    for stage in found.stages:
        if stage.steps:
            given = [each for step in stage.steps for each in step.fields]
            assert sorted(given) == sorted(each.key for each in stage.fields), "each text has its step"
            assert all(step.advice == any(each.kind == "advice" for each in step.prompts) for step in stage.steps)
            ideas = [each.opens for each in stage.fields if each.key == "idea"]
            assert ideas == ["advice_asked"] * any(step.advice for step in stage.steps), "only when the host asks"


@pytest.mark.parametrize("key", MINE)
def test_the_light_guide_shows_about_half_of_the_prompts(key: str) -> None:
    prompts = [prompt for stage in protocol(key).stages for prompt in stage.all_prompts]
    full = sum(prompt.guide == "full" for prompt in prompts)
    assert 0.4 <= full / len(prompts) <= 0.6, "R39"
    for stage in conversations(protocol(key)):
        assert "belief" in {prompt.kind for prompt in stage.all_prompts if prompt.guide == "light"}


def test_what_the_coach_brings_opens_after_the_hosts_first_turn() -> None:
    found = protocol("five_step")
    opens = {field.key: field.opens for stage in found.stages for field in stage.fields if field.by == "coach"}
    own_class = found.field("own_class")
    assert own_class is not None and own_class.seen == "author", "what the coach takes along opens to nobody"
    opens.pop("own_class")
    assert opens == {"notes_seen": "first_turn_done", "openings": "first_turn_done", "idea": "advice_asked"}
    own_view = found.field("own_view")
    assert own_view is not None and own_view.seen == "author", "each thinks alone"


def test_no_feedback_is_owed_by_who_visits_to_learn() -> None:
    found = protocol("observer_learner")
    assert all(stage.kind != "conversation" for stage in found.stages[2:])
    assert found.debrief is found.stage("visit"), "and the notes still end"


def test_the_checklist_keeps_before_beside_after() -> None:
    stage = protocol("stages_five").stage("prepare")
    assert stage is not None
    parts = [group.key for group in stage.groups]
    assert parts == ["aims", "drawn_in", "problem", "technology", "own_lines"], "four parts, and lines of their own"
    for part in parts[:-1]:
        rows = [field for field in stage.fields if field.group == part]
        assert len(rows) == 6
        for before, after in zip(rows[::2], rows[1::2], strict=True):
            assert (before.key.removesuffix("_before"), before.by) == (after.key.removesuffix("_after"), "both")
            assert before.label.en.removeprefix("Before: ") == after.label.en.removeprefix("After: "), "R75"
            assert before.label.ga.removeprefix("Roimhe: ") == after.label.ga.removeprefix("Ina dhiaidh: ")
            assert [choice.key for choice in before.choices] == ["yes_so", "not_yet", "does_not_apply"]
            assert before.choices == after.choices


def test_a_goal_has_five_checks() -> None:
    checks = protocol("impact").field("goal_checks")
    assert checks is not None and checks.several and len(checks.choices) == 5


@pytest.mark.parametrize("key", MINE)
def test_it_ends_with_what_each_learned_for_their_own_teaching(key: str) -> None:
    last = protocol(key).stages[-1]
    assert {(field.by, field.seen) for field in last.fields} == {("each", "author")}
    assert {"happened", "own_learning", "own_next"} <= {field.key for field in last.fields}, "R47"


# The words


@pytest.mark.parametrize("key", MINE)
def test_both_languages_are_calm_and_alike(key: str) -> None:
    found = protocol(key)
    assert found.drafts == ("ga",)
    for both in texts(found.body):
        en, ga = (" ".join(both[language].split()) for language in ("en", "ga"))
        said = f"{en} | {ga}"
        assert not PRAISE_OR_SCORE.search(said), said
        assert not set("!'\"") & set(said), said
        assert en != ga or en == found.family.en == "GROW (Whitmore)", f"not translated: {said}"
        assert [en.endswith(sign) for sign in ".?…:"] == [ga.endswith(sign) for sign in ".?…:"], said
        assert [en.count(sign) for sign in "?…“”"] == [ga.count(sign) for sign in "?…“”"], said


def test_no_family_speaks_in_the_sentences_of_another() -> None:
    """Apart from how every cycle starts and ends, which is the same for all on purpose."""
    first: dict[str, Protocol] = {}
    copied = []
    for found in reader.shipped().values():
        stages = [each for each in found.body["stages"] if each["key"] not in ("start", "reflect")]
        for both in texts([found.body["summary"], stages]):
            for sentence in re.split(r"(?<=[.?])\s+", " ".join(f"{both['en']} {both['ga']}".split())):
                if sentence.endswith((".", "?")) and len(sentence.split()) > 5:
                    other = first.setdefault(sentence, found)
                    # The two maps are of one family, and both belong to these.
                    if (other.family.en or other.key) != (found.family.en or found.key) and {
                        other.key,
                        found.key,
                    } & set(MINE):
                        copied.append(f"{other.key}, {found.key}: {sentence}")
    assert copied == []
