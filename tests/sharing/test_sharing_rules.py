"""The decisions of sharing: what is a passage, who may release and read it, and the order of a list."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from factories import A_TEACHER

from lti_tool.people.actor import Actor
from lti_tool.privacy.rules import (
    Action,
    ActivityFacts,
    CycleFacts,
    Member,
    PassageFacts,
    ReflectionFacts,
    ReleaseFacts,
    may,
)
from lti_tool.sharing.rules import AUDIENCES, by_month, is_passage_of

TEXT = "I waited longer.\r\n\r\nThree pupils  asked each other, and Seán's idea helped."
AUTHOR = A_TEACHER
PARTNER = replace(A_TEACHER, person_id="coach", membership_id="m-coach")
COLLEAGUE = replace(A_TEACHER, person_id="other", membership_id="m-other")
TRAINER = replace(COLLEAGUE, person_id="trainer", lms_role="instructor", is_trainer=True)
TEACHER_WHO_IS_TRAINER = replace(COLLEAGUE, person_id="both", is_trainer=True)
PEOPLE = {
    "author": AUTHOR,
    "author who left": replace(AUTHOR, is_active=False),
    "author who leads": replace(AUTHOR, is_leader=True),
    "author in another activity": replace(AUTHOR, activity_id="another"),
    "partner": PARTNER,
    "partner who left": replace(PARTNER, is_active=False),
    "partner who leads": replace(PARTNER, is_leader=True),
    "partner in another activity": replace(PARTNER, activity_id="another"),
    "partner who is instructor now": replace(PARTNER, lms_role="instructor"),
    "colleague": COLLEAGUE,
    "colleague who left": replace(COLLEAGUE, is_active=False),
    "colleague outside the audience": replace(COLLEAGUE, is_in_audience=False),
    "colleague of another course": replace(COLLEAGUE, course_id="elsewhere"),
    "colleague in another activity": replace(COLLEAGUE, activity_id="another"),
    "facilitator": replace(COLLEAGUE, is_facilitator=True),
    "facilitator, instructor": replace(COLLEAGUE, is_facilitator=True, lms_role="instructor"),
    "trainer": TRAINER,
    "trainer who left": replace(TRAINER, is_active=False),
    "trainer who leads": replace(TRAINER, is_leader=True),
    "trainer who administers": replace(TRAINER, is_administrator=True),
    "trainer in another activity": replace(TRAINER, activity_id="another"),
    "teacher who is trainer": TEACHER_WHO_IS_TRAINER,
    "guest": replace(COLLEAGUE, lms_role="instructor"),
    "leader": replace(COLLEAGUE, lms_role="instructor", is_leader=True),
    "leader enrolled as participant": replace(COLLEAGUE, is_leader=True),
    "administrator": replace(COLLEAGUE, lms_role="other", is_administrator=True),
}
ALWAYS = {"author", "author who left", "author who leads", "author in another activity"}
READ_IT = {
    "partner": ALWAYS | {"partner", "partner who is instructor now"},
    "cohort": ALWAYS | {"partner", "colleague", "facilitator"},
    "trainer": ALWAYS | {"trainer", "teacher who is trainer"},
    "portfolio": ALWAYS,
    "everybody": ALWAYS,
}


def _facts(actor: Actor, audience: str, status: str = "open") -> PassageFacts:
    return PassageFacts(
        ActivityFacts("course", status), "activity", "host", audience, actor.person_id in ("host", "coach")
    )


@pytest.mark.parametrize("audience", READ_IT)
@pytest.mark.parametrize("status", ["open", "archived"])
def test_who_reads_a_passage(audience: str, status: str) -> None:
    read = {who for who, actor in PEOPLE.items() if may(actor, Action.READ_PASSAGE, _facts(actor, audience, status))}
    assert read == READ_IT[audience]


@pytest.mark.parametrize("audience", AUDIENCES)
def test_only_its_author_takes_it_back_from_wherever_they_are(audience: str) -> None:
    back = {who for who, actor in PEOPLE.items() if may(actor, Action.TAKE_BACK_PASSAGE, _facts(actor, audience))}
    assert back == ALWAYS


def test_who_sees_the_list_of_what_is_shared() -> None:
    activity = ActivityFacts("course", "open")
    seen = {who for who, actor in PEOPLE.items() if may(actor, Action.SEE_SHARED, activity)}
    assert seen == {
        "author", "author in another activity", "partner", "partner in another activity", "colleague",
        "colleague in another activity", "facilitator", "trainer", "trainer in another activity",
        "teacher who is trainer",
    }  # fmt: skip


@pytest.mark.parametrize("is_running", [True, False])
@pytest.mark.parametrize(
    ("who", "audiences"),
    [
        ("author", set(AUDIENCES)),
        ("author who left", set(AUDIENCES)),
        ("author who leads", set(AUDIENCES)),
        ("author in another activity", set()),
        ("partner", set()),
        ("colleague", set()),
        ("trainer", set()),
        ("leader", set()),
    ],
)
def test_who_shares(who: str, audiences: set[str], is_running: bool) -> None:
    members = (Member("host", "m-host", "host"), Member("coach", "m-coach", "coach"))
    reflection = ReflectionFacts(CycleFacts("activity", members, is_running), "host")
    found = {
        each
        for each in (*AUDIENCES, "everybody", "")
        if may(PEOPLE[who], Action.SHARE_PASSAGE, ReleaseFacts(reflection, each))
    }
    assert found == audiences


def test_who_reflects_alone_has_no_partner_to_share_with() -> None:
    reflection = ReflectionFacts(CycleFacts("activity", (Member("host", "m-host", "host"),)), "host")
    found = [each for each in AUDIENCES if may(AUTHOR, Action.SHARE_PASSAGE, ReleaseFacts(reflection, each))]
    assert found == ["cohort", "trainer", "portfolio"]


@pytest.mark.parametrize(
    ("passage", "is_one"),
    [
        (TEXT, True),
        ("I waited longer.", True),
        ("I waited longer. Three pupils asked", True),
        ("pupils\nasked  each other", True),
        ("waited longer. Three", True),
        ("", False),
        ("  \r\n ", False),
        ("i waited longer.", False),
        ("I waited. Three pupils", False),
        ("I waited longer. Seán's idea helped.", False),
        ("I waited longer.\0", False),
        ("I did not wait.", False),
    ],
)
def test_a_passage_is_ones_own_words(passage: str, is_one: bool) -> None:
    assert is_passage_of(passage, TEXT) is is_one


@dataclass(frozen=True)
class Shared:
    id: str
    author: str
    shared_at: datetime


def test_the_newest_month_comes_first_and_then_names() -> None:
    shares = [
        Shared("1", "Seán", datetime(2026, 11, 2, tzinfo=UTC)),
        Shared("2", "Úna", datetime(2026, 11, 30, 12, tzinfo=UTC)),
        Shared("3", "Áine", datetime(2026, 11, 1, tzinfo=UTC)),
        Shared("4", "Aoife", datetime(2026, 10, 31, 23, 30, tzinfo=UTC)),
        Shared("5", "Zoe", datetime(2027, 1, 1, tzinfo=UTC)),
    ]
    assert [share.id for share in by_month(shares, UTC)] == ["5", "3", "1", "2", "4"]
    # In winter Warsaw is an hour ahead: the last half hour of October is November there.
    assert [share.id for share in by_month(shares, ZoneInfo("Europe/Warsaw"))] == ["5", "3", "4", "1", "2"]
