"""Who captures a visit: as a table; and when its questions open."""

from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from factories import A_TEACHER

from lti_tool.observation.show import Visit
from lti_tool.privacy.rules import Action, CycleFacts, Member, may

CYCLE = CycleFacts("activity", (Member("host", "m-host", "host"), Member("coach", "m-coach", "coach")))
COACH = replace(A_TEACHER, person_id="coach", membership_id="m-coach")
GONE = Member("gone", "m-g", "member", is_gone=True)
GROUP = replace(CYCLE, members=(*CYCLE.members, Member("keeper", "m-k", "keeper"), GONE))


@pytest.mark.parametrize(
    ("who", "cycle", "allowed"),
    [
        (COACH, CYCLE, True),
        (A_TEACHER, CYCLE, False),
        (replace(COACH, person_id="other", membership_id="m-other"), CYCLE, False),
        (replace(COACH, activity_id="another"), CYCLE, False),
        (replace(COACH, is_active=False), CYCLE, False),
        (replace(COACH, is_leader=True), CYCLE, False),
        (replace(COACH, lms_role="instructor", is_trainer=True), CYCLE, False),
        (COACH, replace(CYCLE, is_running=False), False),
        (replace(COACH, person_id="keeper", membership_id="m-k"), GROUP, True),
        (replace(COACH, person_id="gone", membership_id="m-g"), GROUP, False),
    ],
)
def test_whoever_visits_captures(who: Any, cycle: CycleFacts, allowed: bool) -> None:
    assert may(who, Action.CAPTURE, cycle) == allowed


def test_questions_open_with_the_first_turn_of_the_talk_after_the_visit() -> None:
    now, host = datetime(2027, 1, 12, tzinfo=UTC), replace(A_TEACHER, person_id="host", membership_id="m-host")
    visit = Visit("v", "coach", 40, now, now, now, None, None, None)
    spoken = replace(CYCLE, first_turn_done=True)
    for of_visit, is_open in ((CYCLE, False), (spoken, True)):
        cycle: Any = SimpleNamespace(facts=spoken, facts_of_visit=of_visit)
        assert may(host, Action.SEE_OBSERVATION, visit.facts(cycle, "question")) == is_open
