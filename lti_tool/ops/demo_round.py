"""The pairing round of the demonstration: 23 of the teachers have said what they would like, so that a trainer can have
pairs calculated at once. An odd number, in two schools, with line managers: enough to see what a round does.

All of it goes the way of real people: arrival, roster, settings and wishes are written by the use cases of the pages.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from random import Random
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from lti_tool.activities import links
from lti_tool.activities import rules as activity_rules
from lti_tool.activities import service as activities
from lti_tool.lti.launch import Launch
from lti_tool.lti.names_roles import Member
from lti_tool.people import roster
from lti_tool.people.arrival import arrive
from lti_tool.people.models import Deployment, Membership, Person
from lti_tool.privacy.keyring import Keyring
from lti_tool.rounds import managers, setting, wishes
from lti_tool.rounds.rules import DAYS, TOPICS, Settings, Wish, cell
from lti_tool.schools import service as schools
from lti_tool.schools.files import Listed
from lti_tool.store.database import Database

TITLE = "Partners for the year"
SEED = 2026
WHO_ASK = 23
"""Teachers who would like a partner; the others of the course have not said anything yet."""
_SCHOOLS = ("Coláiste Abhainn Rua", "Gaelscoil Abhainn Rua")
_ROLE = "http://purl.imsglobal.org/vocab/lis/v2/membership#"
_SUBJECTS = ("Irish", "English", "Mathematics", "Science", "History", "Geography", "Art", "Music", "Special education")
_LEVELS = ("First to third year", "Transition year", "Fifth and sixth year", "")


def fill(
    placed: dict[str, Any],
    people: Sequence[dict[str, Any]],
    database: Database,
    keyring: Keyring,
    clock: Callable[[], datetime],
) -> bool:
    """Sets the round up behind an activity that was just placed in the sandbox, and says what its teachers would like.

    `placed`: the sandbox's answer, with `id` and `course`; `people`: its list of people, with `id`, `name` and `role`
    in that course. False where the deployment is not known to the tool before the first launch: then there is no round.
    """
    here = [each for each in people if each["role"] in ("student", "teacher", "editingteacher")]
    teachers = [each for each in here if each["role"] == "student"]
    with database.write() as session:
        opened = open_activity(session, placed, people, TITLE, ("pairing", ""), clock())
        if opened is None:
            return False
        activity_id, course_id, platform_id = opened
        setting.keep(session, activity_id, Settings(between_schools=True, rounds=3))
    members = [Member(str(each["id"]), str(each["name"]), *_parts(str(each["name"])), _roles(each)) for each in here]
    roster.apply(database, course_id, platform_id, members, begun_at=clock(), now=clock())
    with database.write() as session:
        listed = [Listed(str(each["id"]), _SCHOOLS[number % 3 == 2]) for number, each in enumerate(here)]
        schools.import_listed(session, platform_id, listed, clock())
        rows = session.execute(select(Person.sub, Membership.id).join(Person).where(Membership.course_id == course_id))
        of = {row.sub: row.id for row in rows}
        ids = [of[str(each["id"])] for each in teachers]
        managers.add(session, course_id, [(ids[5], ids[6]), (ids[5], ids[9]), (ids[11], ids[2])])
        for membership_id, wish in zip(ids, _wishes(ids[:WHO_ASK]), strict=False):
            wishes.say(session, keyring, membership_id, activity_id, wish, clock())
    return True


def open_activity(
    session: Session, placed: dict[str, Any], people: Sequence[dict[str, Any]], title: str, what: tuple[str, str],
    now: datetime,
) -> tuple[str, str, str] | None:  # fmt: skip
    """The trainer comes in by a link that was just placed and opens its activity to everybody: ids of the activity, its
    course and its platform. `what`: kind and protocol. None where the deployment is not known to the tool yet."""
    trainer = next(each for each in people if each["role"] == "editingteacher")
    deployment = session.execute(select(Deployment.platform_id, Deployment.deployment_id)).first()
    if deployment is None:
        return None
    launch = Launch(
        deployment_id=deployment.deployment_id,
        sub=str(trainer["id"]),
        resource_link_id=str(placed["id"]),
        roles=_roles(trainer),
        context_id=str(placed["course"]),
        name=str(trainer["name"]),
    )
    arrived = arrive(session, deployment.platform_id, launch, now)
    if arrived is None:
        return None
    course_id, link = arrived.course.id, launch.resource_link_id
    activity_id = links.find_or_create_link(session, course_id=course_id, resource_link_id=link, title=title, now=now)
    activity = activities.find(session, activity_id)
    assert activity is not None
    kind, protocol = what
    chosen = activity_rules.Settings(
        kind=kind,
        protocol=protocol,
        title=title,
        purpose="",
        starts_on=None,
        ends_on=None,
        audience="everyone",
        schools=(),
        pairs_from="",
        reports_completion=False,
    )
    activities.set_up(session, activity, arrived.membership_id, chosen, now)
    return activity_id, course_id, deployment.platform_id


def _wishes(ids: Sequence[str]) -> Iterator[Wish]:
    """What the teachers say, the same at each start."""
    random = Random(SEED)  # noqa: S311 - a demonstration, no secret
    cells = [cell(day, period) for day in range(DAYS) for period in range(len(Settings().periods))]
    for membership_id in ids:
        wants = tuple(random.sample(TOPICS, random.randint(1, 4)))
        offers = tuple(random.sample([key for key in TOPICS if key not in wants], random.randint(1, 4)))
        week = {each: random.choices(("teaching", "free", "away"), (70, 20, 10))[0] for each in cells}
        others = [each for each in ids if each != membership_id]
        says_when = random.random() < 0.9
        yield Wish(
            is_in=True,
            wants=wants,
            offers=offers,
            focus=wants[0],
            languages=random.choices((("en",), ("ga",), ("en", "ga"), ()), (50, 5, 30, 15))[0],
            subject=random.choice(_SUBJECTS),
            level=random.choice(_LEVELS),
            free=tuple(each for each in cells if week[each] == "free") if says_when else (),
            teaching=tuple(each for each in cells if week[each] == "teaching") if says_when else (),
            same_step=random.random() < 0.1,
            other_school=random.random() < 0.5,
            not_with=tuple(random.sample(others, 1)) if random.random() < 0.15 else (),
        )


def _parts(name: str) -> tuple[str, str]:
    given, _space, family = name.partition(" ")
    return given, family


def _roles(person: dict[str, Any]) -> tuple[str, ...]:
    return (_ROLE + ("Learner" if person["role"] == "student" else "Instructor"),)
