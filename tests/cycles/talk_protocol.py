"""A small protocol with all that a guided conversation can have, for the tests of it."""

from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import select, update

from lti_tool.cycles.models import Cycle, ProtocolVersion
from lti_tool.protocols import reader
from lti_tool.protocols.recipe import Protocol
from lti_tool.store.base import new_id
from lti_tool.store.database import Database

SPOKEN = "spoken"
"""A text that no step names."""


def _words(text: str) -> dict[str, str]:
    return {"en": text, "ga": text}


def _prompt(kind: str, guide: str, text: str) -> dict[str, Any]:
    return {"kind": kind, "guide": guide, "text": _words(text)}


def _field(key: str, by: str, label: str, **more: Any) -> dict[str, Any]:
    return {"key": key, "by": by, "seen": "pair", "label": _words(label), **more}


def _stage(key: str, kind: str, title: str, **more: Any) -> dict[str, Any]:
    return {
        "key": key, "kind": kind, "title": _words(title), "short": _words(key), "purpose": _words(f"About {key}."),
        **more,
    }  # fmt: skip


BODY: dict[str, Any] = {
    "key": "talk", "version": 1,
    "title": _words("Talk"), "summary": _words("To be talked through."), "source": _words("Our own."),
    "stages": [
        _stage(
            "before", "conversation", "Conversation before", minutes=10, speaks_first="host", recalls=["next_steps"],
            fields=[_field("goal", "host", "The goal", starters=True)],
            prompts=[_prompt("belief", "light", "Belief light.")],
            gates=[{"text": "goal"}],
        ),
        _stage(
            "work", "work", "Plan it together", minutes=20,
            groups=[{"key": "plan", "title": _words("The plan"), "text": _words("Who does what.")}],
            fields=[_field("data", "coach", "Seen and heard"), _field("who", "both", "Who does it", group="plan")],
        ),
        _stage(
            "after", "conversation", "Conversation after", minutes=12, speaks_first="host", first_turn="host",
            shows=["goal", "data"], advice=True, leads="coach",
            fields=[
                _field("looking_back", "host", "What stands out"),
                _field("coach_asks", "coach", "The coach asks", opens="first_turn_done"),
                _field("next_steps", "both", "Next steps", rests_on="data"),
                _field("mood", "both", "How it was", several=True, choices=[
                    {"key": "calm", "text": _words("It was calm")}, {"key": "lively", "text": _words("It was lively")},
                ]),
                _field(SPOKEN, "both", "What else was said"),
            ],
            steps=[
                {
                    "key": "look", "title": _words("What stands out"), "text": _words("The host speaks."),
                    "minutes": 4, "speaks": "host", "first_turn": True, "fields": ["looking_back"],
                    "prompts": [
                        _prompt("evidence", "light", "Evidence light."), _prompt("belief", "full", "Belief full."),
                    ],
                },
                {"key": "think", "title": _words("Time to think"), "text": _words("Nobody speaks."), "minutes": 1,
                 "quiet": True},
                {
                    "key": "suggest", "title": _words("A suggestion"), "text": _words("One at most."), "minutes": 2,
                    "speaks": "coach", "advice": True, "fields": ["coach_asks"],
                    "prompts": [_prompt("advice", "full", "Advice full.")],
                },
                {
                    "key": "steps", "title": _words("Next steps"), "text": _words("Small ones."), "speaks": "all",
                    "fields": ["next_steps", "mood"],
                    "prompts": [_prompt("next_step", "light", "Step light.")],
                },
            ],
            gates=[{"text": "next_steps"}],
        ),
        _stage(
            "reflect", "reflection", "Your reflection",
            fields=[{**_field("own_learning", "each", "What I learned"), "seen": "author"}],
            gates=[{"text": "own_learning"}],
        ),
    ],
}  # fmt: skip


@cache
def protocol() -> Protocol:
    """The protocol, read as a stored one."""
    return reader.parse(BODY, "talk")


def follow_it(database: Database, now: datetime) -> None:
    """From now on all cycles of a test follow this protocol; one that has just begun is at its first stage."""
    with database.write() as session:
        version = session.scalars(select(ProtocolVersion.id).where(ProtocolVersion.key == BODY["key"])).first()
        if version is None:
            version = new_id()
            session.add(ProtocolVersion(id=version, key=BODY["key"], version=1, body=BODY, created_at=now))
            session.flush()
        session.execute(update(Cycle).values(protocol_version_id=version, stage="before"))
