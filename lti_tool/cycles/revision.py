"""The counter by which an open page asks whether there is anything new in a cycle."""

from typing import Any

from sqlalchemy import case, select, update
from sqlalchemy.orm import Session

from lti_tool.cycles.models import Cycle, CycleMember


def bump(session: Session, cycle_id: str, **values: Any) -> None:
    """Counts a change of the cycle, and sets `values` of its row in the same statement."""
    session.execute(update(Cycle).where(Cycle.id == cycle_id).values(revision=Cycle.revision + 1, **values))


def revision(session: Session, cycle_id: str, person_id: str) -> int | None:
    """How often the cycle has changed, for a member of it; 0 for one who left, None for anybody else. One statement."""
    return session.execute(
        select(case((CycleMember.left_at.is_not(None), 0), else_=Cycle.revision))
        .join(CycleMember, CycleMember.cycle_id == Cycle.id)
        .where(Cycle.id == cycle_id, CycleMember.person_id == person_id)
    ).scalar_one_or_none()
