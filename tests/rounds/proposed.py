"""Runs of a pairing round with their proposals, as a calculation leaves them to a trainer."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from factories import make_settings
from sqlalchemy import func, select

from lti_tool.privacy.keyring import Keyring
from lti_tool.rounds import answers
from lti_tool.rounds.models import Proposal, ProposalMember, RoundLeft, RoundRun
from lti_tool.rounds.rules import Why
from lti_tool.store.base import new_id
from lti_tool.store.database import Database


def keyring_of(database: Database) -> Keyring:
    """The keyring that a tool with the settings of tests has for this database."""
    return Keyring.of(make_settings(), database)


def reviewed(
    database: Database,
    activity_id: str,
    groups: Sequence[Sequence[str]],
    now: datetime,
    *,
    left: Mapping[str, str] | None = None,
    why: Why | None = None,
) -> tuple[str, list[str]]:
    """(Id of a run that its trainer reviews, ids of its proposals), for groups of membership ids; `left`: membership →
    what would help."""
    run_id, proposals = new_id(), [new_id() for _ in groups]
    with database.write() as session:
        number = session.scalar(select(func.count()).where(RoundRun.activity_id == activity_id)) or 0
        keys = keyring_of(database).opened(session, run_id, now)
        session.add(
            RoundRun(
                id=run_id, activity_id=activity_id, number=number + 1, status="review", seed=1, summary={},
                problem=keys.seal(run_id, "what was calculated", f"round_runs/{run_id}"), created_at=now,
            )
        )  # fmt: skip
        session.flush()
        session.add_all(Proposal(id=id_, run_id=run_id, status="draft") for id_ in proposals)
        session.flush()
        for id_, members in zip(proposals, groups, strict=True):
            for member in members:
                text = json.dumps((why or Why()).to_json())
                sealed = keys.seal(run_id, text, f"round_proposal_members/{id_}/{member}")
                session.add(ProposalMember(proposal_id=id_, membership_id=member, why=sealed))
        for member, helps in (left or {}).items():
            session.add(RoundLeft(run_id=run_id, membership_id=member, helps=helps))
    return run_id, proposals


def asked(
    database: Database, activity_id: str, groups: Sequence[Sequence[str]], now: datetime, **more: Any
) -> list[str]:
    """Ids of proposals that their members have just been asked about; as `reviewed`."""
    run_id, proposals = reviewed(database, activity_id, groups, now, **more)
    with database.write() as session:
        assert answers.publish(session, keyring_of(database), run_id, now)
    return proposals
