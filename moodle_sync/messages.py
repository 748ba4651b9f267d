"""Reminders as messages of Moodle, at most once: what was sent cannot be found again, so nothing is sent twice.

A row of MoodleWrite is kept before a message leaves. It says that there was one and how it ended: not to whom, and not
what it said. Where no answer came it stays unknown, and that is what the operator reads.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from lti_tool.lti.http import Http
from lti_tool.people.models import Person, Platform
from lti_tool.privacy.sealing import Masters
from lti_tool.schedule.reminder_rules import Outcome
from lti_tool.store.base import new_id
from lti_tool.store.database import Database
from lti_tool.store.upsert import insert_into
from moodle_sync.client import MoodleClient
from moodle_sync.errors import AddressWrong, MoodleError, TokenRefused
from moodle_sync.models import MoodleSite, MoodleWrite
from moodle_sync.sites import client_of

_SEND = "core_message_send_instant_messages"
_PLAIN = 2
"""Moodle's FORMAT_PLAIN."""
_LEFT_ALONE_FOR = timedelta(minutes=5)
"""After a call that did not get through to a site, no other is tried for so long."""


@dataclass(frozen=True, slots=True)
class Messages:
    """Sends reminders to people of Moodle sites that allow it, in the name of the token's account: a
    reminders.Sender."""

    database: Database
    masters: Masters
    http: Http
    clock: Callable[[], datetime]
    down: dict[str, datetime] = field(default_factory=dict)
    """Platform → when a call last did not get through to it."""

    def offers(self, session: Session, person_id: str) -> bool:
        """Whether messages can go to somebody: their site is connected and allows it."""
        return _address(session, person_id) is not None

    def send(self, person_id: str, subject: str, text: str) -> Outcome:
        """See reminders.Sender."""
        return self.send_once(person_id, f"{subject}\n\n{text}", new_id())

    def send_once(self, person_id: str, text: str, key: str) -> Outcome:
        """Sends a message, unless one with this key (60 characters at most) was tried before: then says what came of
        that. No transaction may be open."""
        with self.database.read() as session:
            address = _address(session, person_id)
        if address is None:
            return Outcome("failed", "no_address")
        if self._is_down(address.platform_id):
            return Outcome("later", "unreachable")
        if not self._keep(address.platform_id, key):
            return self._before(address.platform_id, key)
        outcome = self._try(address, text)
        with self.database.write() as session:
            this = _this(address.platform_id, key)
            if outcome.status == "later":
                self.down[address.platform_id] = self.clock()
                session.execute(delete(MoodleWrite).where(*this))
            else:
                status = "done" if outcome.status == "sent" else outcome.status
                session.execute(
                    update(MoodleWrite)
                    .where(*this)
                    .values(status=status, problem=outcome.problem, tried_at=self.clock())
                )
        return outcome

    def _is_down(self, platform_id: str) -> bool:
        since = self.down.get(platform_id)
        return since is not None and self.clock() - since < _LEFT_ALONE_FOR

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

    def _before(self, platform_id: str, key: str) -> Outcome:
        with self.database.read() as session:
            row = session.execute(
                select(MoodleWrite.status, MoodleWrite.problem).where(*_this(platform_id, key))
            ).one_or_none()
        if row is not None and row.status in ("done", "failed"):
            return Outcome("sent" if row.status == "done" else "failed", row.problem[:20])
        return Outcome("unknown", "no_answer")

    def _try(self, address: "_Address", text: str) -> Outcome:
        try:
            with self.database.read() as session:
                client = client_of(session, address.platform_id, self.masters, self.http)
            return _send(client, address.user_id, text) if client else Outcome("failed", "no_address")
        except MoodleError as error:
            later = error.is_passing or isinstance(error, (AddressWrong, TokenRefused))
            status = "unknown" if error.may_be_done else "later" if later else "failed"
            return Outcome(status, error.code[:20])


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


def _send(client: MoodleClient, user_id: int, text: str) -> Outcome:
    """Raises MoodleError. Of a message that reached nobody Moodle says so in the entry of a success."""
    messages = [{"touserid": user_id, "text": text, "textformat": _PLAIN}]
    said: Any = client.call(_SEND, {"messages": messages}, reads=False)
    entry = said[0] if isinstance(said, list) and len(said) == 1 and isinstance(said[0], dict) else {}
    if entry.get("errormessage") or entry.get("msgid") == -1:
        return Outcome("failed", "not_taken")
    return Outcome("sent") if isinstance(entry.get("msgid"), int) else Outcome("unknown", "invalidresponse")


def _this(platform_id: str, key: str) -> tuple[Any, ...]:
    return MoodleWrite.platform_id == platform_id, MoodleWrite.kind == "message", MoodleWrite.key == key
