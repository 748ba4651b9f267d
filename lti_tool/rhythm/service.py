"""Use cases of the rhythm of a pair. Who may is asked before, by the views; nothing here is shown to anybody above."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from lti_tool.cycles.models import Cycle, CycleMember
from lti_tool.pairing.models import Pair, PairMember


@dataclass(frozen=True, slots=True)
class Roles:
    """How often somebody was host, and coach, in the cycles of a pair; the running one counts too."""

    host: int = 0
    coach: int = 0


def say_weeks(session: Session, pair_id: str, weeks: int | None) -> None:
    """Keeps how often a pair would like to coach (rules.NO_HINT: no hint; None: as the activity says)."""
    session.execute(update(Pair).where(Pair.id == pair_id, Pair.status != "ended").values(cadence_weeks=weeks))


def put_away(session: Session, pair_id: str, membership_id: str, now: datetime) -> None:
    """A member puts the hint away, for themselves alone, until after the next cycle."""
    session.execute(
        update(PairMember)
        .where(PairMember.pair_id == pair_id, PairMember.membership_id == membership_id)
        .values(hint_away_at=now)
    )


def roles(session: Session, pair_id: str) -> dict[str, Roles]:
    """Membership id → how often they were host and coach in a pair; one statement. A cycle that stopped counts for
    nobody."""
    rows = session.execute(
        select(CycleMember.membership_id, CycleMember.role, func.count().label("times"))
        .join(Cycle, Cycle.id == CycleMember.cycle_id)
        .where(Cycle.pair_id == pair_id, Cycle.status != "stopped")
        .group_by(CycleMember.membership_id, CycleMember.role)
    )
    times: dict[str, dict[str, int]] = {}
    for row in rows:
        times.setdefault(row.membership_id, {})[row.role] = row.times
    return {member: Roles(each.get("host", 0), each.get("coach", 0)) for member, each in times.items()}
