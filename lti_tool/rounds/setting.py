"""How a trainer has a round calculated, and who reports to whom in a course."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from lti_tool.activities.models import Activity
from lti_tool.people.models import Membership, Person
from lti_tool.rounds.models import LineManager, RoundRun, RoundSettings
from lti_tool.rounds.rules import TOPICS, Settings, Topic
from lti_tool.store.upsert import insert_into


def settings(session: Session, activity_id: str) -> Settings:
    """How a round is calculated: as its trainer said, else as rules.Settings has it; one statement."""
    body = session.scalar(select(RoundSettings.body).where(RoundSettings.activity_id == activity_id))
    return Settings.of(body) if body else Settings()


def keep(session: Session, activity_id: str, chosen: Settings) -> None:
    """Keeps what the trainer chose. It counts from the next calculation on."""
    insert = insert_into(session, RoundSettings).values(activity_id=activity_id, body=chosen.to_json())
    session.execute(insert.on_conflict_do_update(index_elements=["activity_id"], set_={"body": insert.excluded.body}))


def lock(session: Session, activity_id: str) -> None:
    """Lets one trainer at a time change a round; SQLite does so by itself."""
    session.execute(select(Activity.id).where(Activity.id == activity_id).with_for_update(key_share=True)).all()


def is_under_way(session: Session, activity_id: str) -> bool:
    """Whether a calculation waits, goes on, or is being reviewed, to which a change comes too late; one statement."""
    current = ("waiting", "working", "review")
    found = select(RoundRun.id).where(RoundRun.activity_id == activity_id, RoundRun.status.in_(current)).limit(1)
    return session.scalar(found) is not None


def has_several_schools(session: Session, course_id: str) -> bool:
    """Whether people of more than one school are in a course; one statement."""
    schools = (
        select(Person.school_id)
        .join(Membership, Membership.person_id == Person.id)
        .where(Membership.course_id == course_id, Membership.is_active.is_(True), Person.school_id.is_not(None))
        .distinct()
        .limit(2)
    )
    return len(session.scalars(schools).all()) > 1


def topics(chosen: Settings) -> tuple[Topic, ...]:
    """The topics of a round in the order of its list, as words.topic says them: those that ship, if it has no own."""
    return chosen.topics or tuple(Topic(key, "") for key in TOPICS)


def managers(session: Session, course_id: str) -> list[tuple[str, str | None]]:
    """(membership id of a manager, of who reports to them; None: see LineManager) of a course; one statement."""
    rows = session.execute(
        select(LineManager.manager_id, LineManager.report_id).where(LineManager.course_id == course_id)
    )
    return [(row.manager_id, row.report_id) for row in rows]
