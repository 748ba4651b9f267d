"""What a view reaches for: the running tool's parts, and the person behind the request."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

from flask import abort, current_app, g

from lti_tool.lti.service import LtiDoor
from lti_tool.people.actor import Actor
from lti_tool.privacy.keyring import Keyring
from lti_tool.settings import Settings
from lti_tool.store.database import Database

Clock = Callable[[], datetime]


def utcnow() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Tool:
    """The parts of one running tool."""

    settings: Settings
    database: Database
    clock: Clock
    keyring: Keyring
    lti: LtiDoor


def tool() -> Tool:
    """The parts of the app that answers this request."""
    return cast(Tool, current_app.extensions["meitheal"])


def actor() -> Actor:
    """The signed-in person. Views under /at/<handle>/ may rely on it; elsewhere nobody is, and it is a 404."""
    found = g.get("actor")
    if found is None:
        abort(404)
    return cast(Actor, found)
