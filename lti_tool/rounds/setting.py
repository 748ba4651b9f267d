"""How a trainer has a round calculated, and who reports to whom in a course."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from lti_tool.rounds.models import LineManager, RoundSettings
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


def topics(chosen: Settings) -> tuple[Topic, ...]:
    """The topics of a round in the order of its list, as words.topic says them: those that ship, if it has no own."""
    return chosen.topics or tuple(Topic(key, "") for key in TOPICS)


def managers(session: Session, course_id: str) -> list[tuple[str, str | None]]:
    """(membership id of a manager, of who reports to them; None: see LineManager) of a course; one statement."""
    rows = session.execute(
        select(LineManager.manager_id, LineManager.report_id).where(LineManager.course_id == course_id)
    )
    return [(row.manager_id, row.report_id) for row in rows]
