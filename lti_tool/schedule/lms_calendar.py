"""Whether somebody wants their bookings in the calendar of the LMS. Nobody's are written there unasked."""

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from lti_tool.schedule.models import LmsCalendar
from lti_tool.store.upsert import insert_into


def is_wanted(session: Session, person_id: str) -> bool:
    """Whether somebody said that they want it."""
    return session.scalar(select(LmsCalendar.person_id).where(LmsCalendar.person_id == person_id)) is not None


def say(session: Session, person_id: str, *, wanted: bool) -> None:
    """Somebody wants their bookings there, or not any more; who may is asked before."""
    if wanted:
        session.execute(insert_into(session, LmsCalendar).values(person_id=person_id).on_conflict_do_nothing())
    else:
        session.execute(delete(LmsCalendar).where(LmsCalendar.person_id == person_id))


def of_person(session: Session, person_id: str) -> list[dict[str, bool]]:
    """What somebody said of it, for their own copy of what is theirs; empty where they said nothing."""
    return [{"wanted": True}] if is_wanted(session, person_id) else []
