"""The rules of who may do what, as tables, and as properties that hold for everybody."""

from dataclasses import replace
from itertools import product

import pytest
from factories import A_TEACHER
from hypothesis import given
from hypothesis import strategies as st

from lti_tool.people.actor import Actor
from lti_tool.privacy import rules
from lti_tool.privacy.rules import (
    Action,
    ActivityFacts,
    AdviceFacts,
    CourseFacts,
    CycleFacts,
    InvitationFacts,
    LogFacts,
    Member,
    ObservationFacts,
    PairFacts,
    ReflectionFacts,
    TextFacts,
    may,
    readers,
)

HOST = TEACHER = A_TEACHER
COACH = replace(TEACHER, person_id="coach", membership_id="m-coach")
OTHER = replace(TEACHER, person_id="other", membership_id="m-other")
TRAINER = replace(OTHER, person_id="trainer", membership_id="m-trainer", lms_role="instructor", is_trainer=True)
GUEST = replace(TRAINER, person_id="guest", membership_id="m-guest", is_trainer=False)
LEADER = replace(GUEST, person_id="leader", membership_id="m-leader", is_leader=True)
TRAINER_WHO_LEADS = replace(TRAINER, is_leader=True)
ADMINISTRATOR = replace(GUEST, person_id="admin", membership_id="m-admin", lms_role="other", is_administrator=True)
LEFT = replace(OTHER, person_id="left", membership_id="m-left", is_active=False)
FACILITATOR = replace(OTHER, person_id="facilitator", membership_id="m-facilitator", is_facilitator=True)
FACILITATING_GUEST = replace(GUEST, person_id="f-guest", membership_id="m-f-guest", is_facilitator=True)
FACILITATOR_WHO_LEADS = replace(FACILITATOR, is_leader=True)
FACILITATOR_WHO_LEFT = replace(FACILITATOR, is_active=False)
EVERYBODY = {
    "host": HOST,
    "coach": COACH,
    "other": OTHER,
    "trainer": TRAINER,
    "guest": GUEST,
    "leader": LEADER,
    "trainer who leads": TRAINER_WHO_LEADS,
    "administrator": ADMINISTRATOR,
    "left": LEFT,
    "facilitator": FACILITATOR,
    "facilitating guest": FACILITATING_GUEST,
    "facilitator who leads": FACILITATOR_WHO_LEADS,
    "facilitator who left": FACILITATOR_WHO_LEFT,
}
CYCLE = CycleFacts("activity", (Member("host", "m-host", "host"), Member("coach", "m-coach", "coach")))
CAPTURED = ObservationFacts(CYCLE, "coach", is_closed=True, is_shown=True)
COACH_LEFT = replace(CYCLE, members=(CYCLE.members[0], replace(CYCLE.members[1], is_gone=True)))
PAIR = PairFacts("activity", ("m-host", "m-coach"))
INVITATION = InvitationFacts("activity", "m-host", "m-coach", "open")
OPEN = ActivityFacts("course", "open")
NEW = ActivityFacts("course", "new")
TRAINERLESS = ActivityFacts("course", "open", has_trainer=False)


@pytest.mark.parametrize(
    ("action", "thing", "allowed"),
    [
        (Action.SET_UP_ACTIVITY, NEW, {"trainer", "guest", "facilitating guest"}),
        (Action.SET_UP_ACTIVITY, OPEN, set()),
        (Action.SET_UP_ACTIVITY, ActivityFacts("elsewhere", "new"), set()),
        (
            Action.PRACTISE,
            CourseFacts("course"),
            {"host", "coach", "other", "trainer", "guest", "facilitator", "facilitating guest"},
        ),
        (Action.PRACTISE, CourseFacts("elsewhere"), set()),
        (Action.EDIT_WORDS, CourseFacts("course"), {"trainer"}),
        (Action.EDIT_WORDS, CourseFacts("elsewhere"), set()),
        (Action.TAKE_PART, OPEN, {"host", "coach", "other", "facilitator"}),
        (Action.TAKE_PART, NEW, set()),
        (Action.TAKE_PART, ActivityFacts("elsewhere", "open"), set()),
        (Action.SEE_PROGRESS, OPEN, {"trainer"}),
        (Action.SEE_PROGRESS, ActivityFacts("elsewhere", "open"), set()),
        (Action.MANAGE_ACTIVITY, OPEN, {"trainer"}),
        (Action.MANAGE_ACTIVITY, ActivityFacts("elsewhere", "open"), set()),
        (Action.SEE_HEALTH, OPEN, {"trainer", "facilitator", "facilitating guest"}),
        (Action.SEE_HEALTH, ActivityFacts("elsewhere", "open"), set()),
        (Action.TAKE_OVER_ACTIVITY, OPEN, set()),
        (Action.TAKE_OVER_ACTIVITY, TRAINERLESS, {"trainer", "guest", "facilitating guest"}),
        (
            Action.TAKE_OVER_ACTIVITY,
            replace(TRAINERLESS, status="archived"),
            {"trainer", "guest", "facilitating guest"},
        ),
        (Action.TAKE_OVER_ACTIVITY, replace(TRAINERLESS, status="new"), set()),
        (Action.TAKE_OVER_ACTIVITY, replace(TRAINERLESS, course_id="elsewhere"), set()),
        (Action.ANSWER_INVITATION, INVITATION, {"coach"}),
        (Action.WITHDRAW_INVITATION, INVITATION, {"host"}),
        (Action.OPEN_PAIR, PAIR, {"host", "coach"}),
        (Action.OPEN_CYCLE, CYCLE, {"host", "coach"}),
        (Action.OPEN_CYCLE, replace(CYCLE, activity_id="elsewhere"), set()),
        (Action.BOOK_VISIT, CYCLE, {"host"}),
        (Action.BOOK_VISIT, replace(CYCLE, is_running=False), set()),
        (Action.BOOK_TALK, CYCLE, {"host", "coach"}),
        (Action.BOOK_TALK, COACH_LEFT, {"host"}),
        (Action.ASK_ADVICE, AdviceFacts(CYCLE), {"host"}),
        (Action.SHARE_DEVICE, CYCLE, {"host"}),
        (Action.SHARE_DEVICE, replace(CYCLE, is_running=False), set()),
        (Action.ASK_ADVICE, AdviceFacts(CYCLE, on_one_device=True), {"host", "coach"}),
        (Action.ASK_ADVICE, AdviceFacts(replace(CYCLE, is_running=False), on_one_device=True), set()),
        (Action.SEE_OBSERVATION, CAPTURED, {"host", "coach"}),
        (Action.SEE_OBSERVATION, replace(CAPTURED, is_shown=False), {"coach"}),
        (Action.SEE_OBSERVATION, replace(CAPTURED, is_closed=False), {"coach"}),
        (Action.SEE_OBSERVATION, replace(CAPTURED, column="question"), {"coach"}),
        (
            Action.SEE_OBSERVATION,
            replace(CAPTURED, column="question", cycle=replace(CYCLE, first_turn_done=True)),
            {"host", "coach"},
        ),
        (
            Action.SEE_OBSERVATION,
            replace(CAPTURED, column="mine", cycle=replace(CYCLE, first_turn_done=True)),
            {"coach"},
        ),
        (Action.SEE_OBSERVATION, replace(CAPTURED, cycle=replace(CYCLE, activity_id="elsewhere")), set()),
        (Action.SEE_OBSERVATION, replace(CAPTURED, coach_id="host", cycle=COACH_LEFT), {"host"}),
        (Action.SHOW_OBSERVATION, replace(CAPTURED, is_shown=False), {"host"}),
        (Action.SHOW_OBSERVATION, replace(CAPTURED, is_shown=False, is_closed=False), set()),
        (Action.SHOW_OBSERVATION, replace(CAPTURED, cycle=replace(CYCLE, is_running=False)), {"host"}),
        (Action.READ_REFLECTION, ReflectionFacts(CYCLE, "host"), {"host"}),
        (Action.READ_REFLECTION, ReflectionFacts(CYCLE, "coach"), {"coach"}),
        (Action.SEE_LOOKS, LogFacts("host"), {"host"}),
        (Action.SEE_LOOKS, LogFacts("leader"), {"leader"}),
    ],
)
def test_who_may(action: Action, thing: object, allowed: set[str]) -> None:
    assert {name for name, actor in EVERYBODY.items() if may(actor, action, thing)} == allowed


@pytest.mark.parametrize(
    ("text", "read", "write"),
    [
        (TextFacts(CYCLE, "both", "pair"), {"host", "coach"}, {"host", "coach"}),
        (TextFacts(CYCLE, "host", "pair"), {"host", "coach"}, {"host"}),
        (TextFacts(CYCLE, "host", "author"), {"host"}, {"host"}),
        (TextFacts(CYCLE, "coach", "pair"), {"host", "coach"}, {"coach"}),
        (TextFacts(CYCLE, "coach", "author"), {"coach"}, {"coach"}),
        (TextFacts(CYCLE, "coach", "pair", "visit_done"), {"coach"}, {"coach"}),
        (TextFacts(replace(CYCLE, visit_done=True), "coach", "pair", "visit_done"), {"host", "coach"}, {"coach"}),
        (TextFacts(CYCLE, "coach", "pair", "first_turn_done"), {"coach"}, {"coach"}),
        (TextFacts(replace(CYCLE, visit_done=True), "coach", "pair", "first_turn_done"), {"coach"}, {"coach"}),
        (
            TextFacts(replace(CYCLE, first_turn_done=True), "coach", "pair", "first_turn_done"),
            {"host", "coach"},
            {"coach"},
        ),
        (TextFacts(replace(CYCLE, first_turn_done=True), "coach", "pair", "advice_asked"), {"coach"}, {"coach"}),
        (TextFacts(replace(CYCLE, advice_asked=True), "coach", "pair", "advice_asked"), {"host", "coach"}, {"coach"}),
        (TextFacts(CYCLE, "each", "author", None, "host"), {"host"}, {"host"}),
        (TextFacts(CYCLE, "each", "pair", None, "host"), {"host", "coach"}, {"host"}),
        (TextFacts(replace(CYCLE, is_running=False), "both", "pair"), {"host", "coach"}, set()),
        (TextFacts(replace(CYCLE, is_running=False), "each", "author", None, "host"), {"host"}, {"host"}),
        (TextFacts(replace(CYCLE, activity_id="elsewhere"), "both", "pair"), set(), set()),
    ],
)
def test_who_reads_and_writes_a_field(text: TextFacts, read: set[str], write: set[str]) -> None:
    assert {name for name, actor in EVERYBODY.items() if may(actor, Action.READ_TEXT, text)} == read
    assert {name for name, actor in EVERYBODY.items() if may(actor, Action.WRITE_TEXT, text)} == write


def test_an_action_without_a_rule_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(rules.RULES, Action.OPEN_CYCLE)
    assert not may(HOST, Action.OPEN_CYCLE, CYCLE)


def test_every_action_has_a_rule() -> None:
    assert set(rules.RULES) == set(Action)


actors = st.builds(
    replace,
    st.just(TEACHER),
    person_id=st.sampled_from(["host", "coach", "stranger"]),
    membership_id=st.sampled_from(["m-host", "m-coach", "m-stranger"]),
    activity_id=st.sampled_from(["activity", "elsewhere", None]),
    lms_role=st.sampled_from(["learner", "instructor", "other"]),
    is_administrator=st.booleans(),
    is_leader=st.booleans(),
    is_active=st.booleans(),
    is_trainer=st.booleans(),
    is_facilitator=st.booleans(),
)
texts = st.builds(
    TextFacts,
    st.builds(
        CycleFacts,
        st.just("activity"),
        st.just(CYCLE.members),
        is_running=st.booleans(),
        visit_done=st.booleans(),
        first_turn_done=st.booleans(),
        advice_asked=st.booleans(),
    ),
    st.sampled_from(["host", "coach", "both", "each"]),
    st.sampled_from(["pair", "author"]),
    st.sampled_from([None, "visit_done", "first_turn_done", "advice_asked"]),
    st.sampled_from(["host", "coach"]),
)


@given(actors, texts)
def test_no_role_opens_content_to_somebody_outside_the_cycle(actor: Actor, text: TextFacts) -> None:
    if actor.person_id == "stranger" or actor.activity_id != "activity":
        assert not may(actor, Action.READ_TEXT, text)
        assert not may(actor, Action.WRITE_TEXT, text)
        assert not may(actor, Action.OPEN_CYCLE, text.cycle)


@given(actors, texts)
def test_whoever_may_write_may_read(actor: Actor, text: TextFacts) -> None:
    if may(actor, Action.WRITE_TEXT, text):
        assert may(actor, Action.READ_TEXT, text)


@given(actors)
def test_nobody_above_sees_progress(actor: Actor) -> None:
    if actor.is_above:
        assert not may(actor, Action.SEE_PROGRESS, OPEN)
        assert not may(actor, Action.SEE_HEALTH, OPEN)
        assert not may(actor, Action.MANAGE_ACTIVITY, OPEN)
        assert not may(actor, Action.TAKE_OVER_ACTIVITY, TRAINERLESS)
        assert not may(actor, Action.SET_UP_ACTIVITY, NEW)
        assert not may(actor, Action.TAKE_PART, OPEN)


@given(texts)
def test_swapping_roles_swaps_rights_and_nothing_else(text: TextFacts) -> None:
    swapped_cycle = replace(text.cycle, members=(Member("host", "m-host", "coach"), Member("coach", "m-coach", "host")))
    swapped_author = {"host": "coach", "coach": "host"}[text.author_id or "host"]
    swapped = replace(text, cycle=swapped_cycle, author_id=swapped_author)
    for action, (one, other) in product((Action.READ_TEXT, Action.WRITE_TEXT), ((HOST, COACH), (COACH, HOST))):
        assert may(one, action, text) == may(other, action, swapped)


@given(texts)
def test_readers_are_members(text: TextFacts) -> None:
    assert set(readers(text)) <= set(text.cycle.members)
