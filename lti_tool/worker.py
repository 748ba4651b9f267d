"""The background worker: which work there is, and the process that does it."""

import signal
import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from lti_tool.activities import selections
from lti_tool.completion import service as completion
from lti_tool.cycles import texts
from lti_tool.lti import logins
from lti_tool.lti.service import LtiDoor
from lti_tool.ownership import retention
from lti_tool.pairing.service import lapse_due
from lti_tool.people import roster, sign_ins
from lti_tool.privacy.keyring import Keyring
from lti_tool.progress.service import forget_old_nudges
from lti_tool.progress.totals import service as totals
from lti_tool.rounds import answers, calculation, wishes
from lti_tool.schedule import reminder_choices, reminders, timetables
from lti_tool.schools import service as schools
from lti_tool.settings import Settings
from lti_tool.store import jobs
from lti_tool.store.database import Database
from lti_tool.store.jobs import Handler, Periodic
from lti_tool.store.queue import Queue
from moodle_sync import calendar, groups, messages, sync, writing  # noqa: F401 (carriers enter themselves)

log = structlog.get_logger(__name__)

Clock = Callable[[], datetime]


def open_queue(settings: Settings) -> Queue:
    """The queue of these settings; connects at first use."""
    return Queue(settings.queue_url, settings.secret_key.get_secret_value())


def handlers(database: Database, lti: LtiDoor, keyring: Keyring, clock: Clock) -> Mapping[str, Handler]:
    """Every kind of job → the function that does it."""
    return {
        roster.JOB: partial(roster.read, database=database, http=lti.http, tokens=lti.tokens, clock=clock),
        completion.JOB: partial(completion.deliver, database=database, http=lti.http, tokens=lti.tokens, clock=clock),
        calculation.JOB: partial(calculation.run, database=database, keyring=keyring, clock=clock),
        timetables.JOB: partial(
            timetables.read_address, database=database, keyring=keyring, http=lti.http, clock=clock
        ),
        sync.JOB: partial(sync.read_due, database=database, masters=keyring.masters, http=lti.http, clock=clock),
        writing.JOB: partial(writing.carry_out, database=database, masters=keyring.masters, http=lti.http, clock=clock),
    }


def periodic(settings: Settings, database: Database, keyring: Keyring, clock: Clock) -> tuple[Periodic, ...]:
    """What is done again and again, however many workers run."""

    def in_transaction(task: Callable[[Session, datetime], Any]) -> Callable[[], None]:
        def run() -> None:
            with database.write() as session:
                task(session, clock())

        return run

    return (
        Periodic("forget_old_logins", timedelta(minutes=10), lambda: logins.forget_old(database, clock())),
        Periodic("remove_expired_sign_ins", timedelta(hours=1), in_transaction(sign_ins.remove_expired)),
        Periodic("forget_old_selections", timedelta(hours=1), in_transaction(selections.forget_old)),
        Periodic("deliver_completions", timedelta(minutes=15), in_transaction(completion.look_after_waiting)),
        Periodic("forget_school_visits", timedelta(hours=1), in_transaction(schools.remove_expired)),
        Periodic("lapse_invitations", timedelta(hours=1), in_transaction(lapse_due)),
        Periodic("lapse_proposals", timedelta(minutes=10), in_transaction(partial(_lapse_proposals, keyring))),
        Periodic("look_after_runs", timedelta(minutes=5), in_transaction(calculation.look_after)),
        Periodic("delete_old_wishes", timedelta(hours=1), in_transaction(partial(_delete_old_wishes, keyring))),
        Periodic("delete_due_notes", timedelta(hours=1), partial(retention.delete_due_notes, database, keyring, clock)),
        Periodic("forget_deleted_texts", timedelta(hours=24), in_transaction(texts.forget_deleted)),
        Periodic("forget_bytes", timedelta(minutes=10), database.forget_deleted),
        Periodic("read_calendars", timedelta(minutes=5), in_transaction(timetables.read_due)),
        Periodic("read_moodle", timedelta(minutes=15), in_transaction(sync.look_after)),
        Periodic("write_to_moodle", timedelta(minutes=5), lambda: writing.look_after(database, clock)),
        Periodic("remind", reminders.EVERY, lambda: reminders.run_all(database, keyring, settings, clock)),
        Periodic("forget_old_reminders", timedelta(hours=1), in_transaction(partial(_forget_reminders, keyring))),
        Periodic("forget_old_nudges", timedelta(hours=1), in_transaction(forget_old_nudges)),
        Periodic("count_totals", timedelta(hours=6), in_transaction(totals.count_month)),
    )


def _lapse_proposals(keyring: Keyring, session: Session, now: datetime) -> None:
    answers.lapse_due(session, now)
    answers.forget_over(session, keyring, now)


def _forget_reminders(keyring: Keyring, session: Session, now: datetime) -> None:
    reminder_choices.forget_old(session, keyring, now)


def _delete_old_wishes(keyring: Keyring, session: Session, now: datetime) -> None:
    wishes.delete_old(session, keyring, now)


def run(settings: Settings, clock: Clock) -> None:
    """Works until SIGINT or SIGTERM, then finishes what it has in hand."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    database = Database(settings.database_url)
    work_until(stop, settings, database, clock)
    database.dispose()


def work_until(stop: threading.Event, settings: Settings, database: Database, clock: Clock) -> None:
    """Does all work that is due or comes in, until `stop` is set."""
    queue = open_queue(settings)
    # A job may ask for another one.
    database.on_work = queue.wake
    keyring = Keyring.of(settings, database)
    tasks = periodic(settings, database, keyring, clock)
    jobs.schedule(database, tasks, clock())
    lti = LtiDoor(settings, database, clock)
    reminders.SENDERS["lms"] = messages.Messages(database, keyring.masters, lti.http, clock)
    kinds = handlers(database, lti, keyring, clock)

    def work() -> None:
        try:
            jobs.run_due(database, kinds, tasks, clock, stop=stop.is_set)
        except SQLAlchemyError as error:
            # The database is away for a moment; the next poll tries again.
            log.error("database_unreachable", error=type(error).__name__)

    queue.serve(work, stop)
