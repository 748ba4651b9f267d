"""Reminders as messages of Moodle, at most once: what was sent cannot be found again, so nothing is sent twice.

A row of MoodleWrite is kept before a message leaves. It says that there was one and how it ended: not to whom, and not
what it said. Where no answer came it stays unknown, and that is what the operator reads.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from lti_tool.lti.http import Http
from lti_tool.people.models import Person, Platform
from lti_tool.privacy.sealing import Masters
from lti_tool.store.base import new_id
from lti_tool.store.database import Database
from lti_tool.store.upsert import insert_into
from moodle_sync.client import MoodleClient
from moodle_sync.errors import MoodleError
from moodle_sync.models import MoodleSite, MoodleWrite
from moodle_sync.sites import client_of

_SEND = "core_message_send_instant_messages"
_PLAIN = 2
"""Moodle's FORMAT_PLAIN."""
Said = tuple[str, str]
"""How sending ended (done, unknown, failed), and the code of what went wrong, or empty."""


@dataclass(frozen=True, slots=True)
class Messages:
    """Sends words to people of Moodle sites that allow it, in the name of the token's account."""

    database: Database
    masters: Masters
    http: Http
    clock: Callable[[], datetime]

    def offers(self, session: Session, person_id: str) -> bool:
        """Whether messages can go to somebody: their site is connected and allows it."""
        return _address(session, person_id) is not None

    def send_once(self, person_id: str, text: str, key: str = "") -> str:
        """Sends a message, unless one with this key was ever tried: done, unknown (it may have arrived) or failed.

        `key`: 60 characters at most; without one each call is another message. Call it with no transaction open.
        """
        key = key or new_id()
        with self.database.read() as session:
            address = _address(session, person_id)
        if address is None:
            return "failed"
        if not self._keep(address.platform_id, key):
            with self.database.read() as session:
                before = session.scalar(select(MoodleWrite.status).where(*_this(address.platform_id, key)))
            return before if before in ("done", "failed") else "unknown"
        status, problem = self._try(address, text)
        with self.database.write() as session:
            session.execute(
                update(MoodleWrite)
                .where(*_this(address.platform_id, key))
                .values(status=status, problem=problem, tried_at=self.clock())
            )
        return status

    def _keep(self, platform_id: str, key: str) -> bool:
        """Says that a message is about to leave; False if that was said before."""
        now = self.clock()
        with self.database.write() as session:
            kept = session.execute(
                insert_into(session, MoodleWrite)
                .values(
                    id=new_id(), platform_id=platform_id, course_id=None, kind="message", key=key, wanted=True,
                    wanted_state="", there_state="", status="sending", attempts=1, problem="", made_at=now,
                    tried_at=now, body={},
                )
                .on_conflict_do_nothing(index_elements=["platform_id", "kind", "key"])
                .returning(MoodleWrite.id)
            ).first()  # fmt: skip
        return kept is not None

    def _try(self, address: "_Address", text: str) -> Said:
        try:
            with self.database.read() as session:
                client = client_of(session, address.platform_id, self.masters, self.http)
            if client is None:
                return "failed", "not_connected"
            return _send(client, address.user_id, text)
        except MoodleError as error:
            return "unknown" if error.may_be_done else "failed", error.code


@dataclass(frozen=True, slots=True)
class _Address:
    platform_id: str
    user_id: int


def _address(session: Session, person_id: str) -> _Address | None:
    """Where somebody is in Moodle; None where no message can go to them."""
    row = session.execute(
        select(Person.platform_id, Person.sub)
        .join(Platform, Platform.id == Person.platform_id)
        .join(MoodleSite, MoodleSite.platform_id == Platform.id)
        .where(Person.id == person_id, Person.erased_at.is_(None), Platform.status == "active", MoodleSite.messages)
    ).one_or_none()
    if row is None or not (row.sub.isascii() and row.sub.isdigit() and len(row.sub) < 19):
        return None
    return _Address(row.platform_id, int(row.sub))


def _send(client: MoodleClient, user_id: int, text: str) -> Said:
    """Raises MoodleError. Of a message that reached nobody Moodle says so in the entry of a success."""
    messages = [{"touserid": user_id, "text": text, "textformat": _PLAIN}]
    said: Any = client.call(_SEND, {"messages": messages}, reads=False)
    if not (isinstance(said, list) and len(said) == 1 and isinstance(said[0], dict)):
        return "unknown", "invalidresponse"
    if said[0].get("errormessage") or said[0].get("msgid") == -1:
        return "failed", "not_taken"
    return ("done", "") if isinstance(said[0].get("msgid"), int) else ("unknown", "invalidresponse")


def _this(platform_id: str, key: str) -> tuple[Any, ...]:
    return MoodleWrite.platform_id == platform_id, MoodleWrite.kind == "message", MoodleWrite.key == key
