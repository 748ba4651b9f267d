"""Fixtures of the whole suite: a database (on PostgreSQL too, where there is one), the app, a clock that obeys."""

import gc
import os
import uuid
import zlib
from collections.abc import Iterator
from copy import copy
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest
from factories import make_settings
from flask import Flask
from flask.templating import Environment
from flask.testing import FlaskClient
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from sqlalchemy import Connection, Engine, create_engine, inspect, text
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.engine import make_url
from sqlalchemy.util import LRUCache
from werkzeug.routing import Rule

from lti_tool.privacy import keyring_store
from lti_tool.settings import Settings
from lti_tool.store import database as store
from lti_tool.store.base import Base
from lti_tool.store.database import Database
from lti_tool.store.tables import import_all_models
from lti_tool.web.app import create_app

import_all_models()

POSTGRES = os.environ.get("MEITHEAL_TEST_POSTGRES", "")
"""URL of a PostgreSQL server where tests may create databases; the suite runs on SQLite alone without it."""


class _Compiled(BytecodeCache):
    """Templates as they were compiled for the first app of this process; every test makes an app of its own."""

    kept: ClassVar[dict[str, bytes]] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self.kept:
            bucket.bytecode_from_string(self.kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self.kept[bucket.key] = bucket.bytecode_to_string()


COMPILED = ("_parts", "_trace", "_converters", "arguments", "_build", "_build_unknown")
"""What Werkzeug makes of the words of an address."""


class Clock:
    """A clock that stands still until it is told to go on."""

    def __init__(self) -> None:
        # Close to the real moment, so that tokens and cookies made by other parts of a test fit.
        self.now = datetime.now(UTC).replace(microsecond=0)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "database_kind" in metafunc.fixturenames:
        metafunc.parametrize("database_kind", ["sqlite", "postgresql"] if POSTGRES else ["sqlite"])


SAMPLED = (
    *("activities", "door", "doors", "friends", "groups", "home", "interop", "moodle_sync", "observation", "ownership"),
    *("people", "privacy", "progress", "protocols", "reflection", "rhythm", "rounds", "schedule", "schools", "sharing"),
    *("threads", "web"),
)
"""Folders of tests about pages. The other rooms' tests try the statements behind them on both databases, so a fixed
eighth of these is enough on PostgreSQL from day to day; the others of them belong to the long runs."""


NOT_OF_DATABASES = {
    *("test_sweep.py", "test_odd_input.py", "test_headers.py", "test_conversation.py", "test_wish_pages.py"),
    *("test_answer_pages.py", "test_changes.py", "test_capture_door.py", "test_capture_deleting.py"),
    *("test_week_pages.py", "test_timetable_pages.py", "test_reminder_pages.py"),
    *("test_rehearsal.py", "test_events.py", "test_events_page.py"),
}
"""Files that ask hundreds of pages what no database decides: day by day on SQLite alone."""
LONG = {
    *("journeys", "test_sweep.py", "test_killed_server.py", "test_editor_moves.py", "test_wheel.py", "test_demo.py"),
    *("test_leaks.py", "test_killed_writing.py"),
}
"""Folders and files whose tests take more than ten seconds."""

NOT_EVERY_DAY = {
    # Walks through pages that others walk through too, or that change seldom.
    "test_the_pages_of_other_kinds_of_activities_are_too",
    "test_the_pages_of_a_school_are_too",
    "test_three_form_a_group_and_get_started",
    "test_two_find_each_other[cookies allowed]",
    "test_the_main_steps_by_keyboard_alone",
    "test_an_instrument_from_the_first_tap_to_its_picture[case_pupils]",
    "test_hints_and_rehearsals",
    "test_bells_and_a_timetable_are_said_on_a_phone",
    "test_changing_the_headings_loses_nothing_typed",
    "test_a_round_from_its_settings_to_the_first_cycle",
    "test_a_box_that_is_being_typed_in_is_left_alone",
    "test_two_tabs_of_one_person_do_not_fight",
    "test_a_page_without_the_box_sends_what_was_kept_for_it",
    "test_a_pair_writes_to_each_other_and_opens_its_doors",
    "test_a_passage_is_shared_read_and_taken_back",
    "test_a_trainer_makes_a_protocol_of_their_own",
    "test_canvas_is_registered_by_hand",
    "test_a_light_cycle_without_javascript",
    "test_a_trainer_places_three_activities_and_teachers_open_them[without]",
    "test_tool_and_sandbox_know_each_other_and_stop_together[15-lmss1]",
    "test_the_check_notices_an_answer_that_is_sent_before_the_commit",
    "test_the_check_notices_a_worker_that_sends_twice",
    "test_the_check_notices_a_worker_that_makes_and_sends_twice",
    "test_ten_thousand_members_take_seconds_and_a_constant_number_of_statements_per_thousand[postgresql]",
    # Of observation: what is tried there in short, and what goes wrong less often.
    "test_both_follow_and_a_next_step_points_at_a_row",
    "test_the_tab_opens_from_the_frame_and_on_another_device",
    "test_every_instrument_is_rehearsed",
    "test_every_state_of_the_page_is_accessible",
    "test_names_and_judging_words_are_asked_about_and_never_held_back",
    "test_a_draft_outlives_the_tab_and_keeps_its_time",
    "test_a_database_that_the_browser_closes_is_opened_again[closed]",
    "test_a_database_that_the_browser_closes_is_opened_again[another version]",
    "test_a_database_that_the_browser_closes_is_opened_again[invalid state]",
    "test_a_database_that_the_browser_closes_is_opened_again[silent]",
    "test_a_window_that_keeps_nothing_says_so_before_the_lesson[refused]",
    "test_a_full_visit_holds_nothing_else_back_and_is_copied",
    "test_a_remark_that_was_typed_outlives_a_reload_and_is_not_closed_over",
    "test_a_copied_phone_gets_numbers_of_its_own",
    "test_entries_outlive_a_crash_of_the_browser",
    "test_an_old_visit_that_is_sent_is_cleared_away",
    "test_who_may_send_no_more_keeps_what_is_there",
    "test_a_visit_that_has_not_begun_stays_when_another_is_opened",
    "test_an_entry_that_moved_in_is_taken_back",
    "test_an_entry_that_a_silent_database_took_counts_once[True]",
    "test_an_entry_that_a_silent_database_took_counts_once[False]",
    "test_a_visit_opened_while_the_database_failed_opens_again",
    "test_a_page_that_waits_opens_by_itself",
    "test_a_visit_that_is_opened_again_in_the_evening_goes_on_at_its_end",
    "test_two_taps_at_once_in_a_stretch_note_it_once",
    "test_the_page_is_kept_later_where_it_could_not_be_at_once_and_never_by_half",
}
"""Long tests of what is tried in shorter ones, too, most of them without a browser: they belong to the long runs."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if _can_wait(item):
            item.add_marker(pytest.mark.soak)
    if os.environ.get("MEITHEAL_SOAK") != "1":
        kept = [item for item in items if "soak" not in item.keywords]
        config.hook.pytest_deselected(items=[item for item in items if "soak" in item.keywords])
        items[:] = kept
    # The longest first, so that none of them is what everybody waits for at the end.
    items.sort(key=lambda item: not LONG & set(item.path.relative_to(config.rootpath).parts))


def pytest_collection_finish() -> None:
    """What is loaded by now stays: to look through all of it again and again for what can go takes an eighth of all."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: journeys mostly wait for a page."""
    return (os.cpu_count() or 1) + 1


def _can_wait(item: pytest.Item) -> bool:
    if item.name in NOT_EVERY_DAY:
        return True
    called = getattr(item, "callspec", None)
    if called is None or called.params.get("database_kind") != "postgresql":
        return False
    is_of_pages = item.path.parent.name in SAMPLED and zlib.crc32(item.name.encode()) % 8 != 0
    if "at_the_same_moment" in item.name:  # the locks differ
        return False
    return is_of_pages or item.path.name in NOT_OF_DATABASES


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """With MEITHEAL_REQUIRE_ALL a skip is a failure: a checking machine must not pass by leaving tests out."""
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    if report.skipped and os.environ.get("MEITHEAL_REQUIRE_ALL") == "1":
        report.outcome = "failed"
        report.longrepr = f"skipped, but nothing may be skipped here: {report.longrepr}"


@pytest.fixture(autouse=True, scope="session")
def _apps_are_made_quickly() -> Iterator[None]:
    """Templates and addresses are compiled for the first app only, which is most of what an app costs."""
    make, compile_rule = Environment.__init__, Rule.compile
    compiled: dict[tuple[object, ...], dict[str, Any]] = {}

    def with_cache(self: Environment, app: Flask, **options: Any) -> None:
        make(self, app, **(options | {"bytecode_cache": _Compiled()}))

    def compile_once(self: Rule) -> None:
        key = (self.rule, self.subdomain, self.host, self.strict_slashes, self.merge_slashes)
        if self.defaults or key not in compiled:
            compile_rule(self)
            if not self.defaults:
                compiled[key] = {name: vars(self)[name] for name in COMPILED}
            return
        for name, value in compiled[key].items():
            # Builders are bound to the rule they were made for.
            setattr(self, name, value.__func__.__get__(self) if name.startswith("_build") else copy(value))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Environment, "__init__", with_cache)
        patch.setattr(Rule, "compile", compile_once)
        yield


@pytest.fixture(autouse=True, scope="session")
def _statements_are_compiled_once() -> Iterator[None]:
    """Every test has an engine of its own; what SQLAlchemy makes of a statement is kept for the next one, as it is for
    the next request where the tool runs."""
    make = store.create_engine
    kept: dict[type, LRUCache[Any, Any]] = {}

    def with_cache(url: str, **options: Any) -> Engine:
        engine = make(url, **options)
        engine._compiled_cache = kept.setdefault(type(engine.dialect), LRUCache(5_000))
        return engine

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "create_engine", with_cache)
        # Part of the key of what is kept. All engines for one kind of database are made in the same way.
        for dialect in (SQLiteDialect_pysqlite, PGDialect_psycopg):
            patch.setattr(dialect, "__eq__", lambda self, other: type(self) is type(other))
            patch.setattr(dialect, "__hash__", lambda self: hash(type(self)))
        yield


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def settings() -> Settings:
    return make_settings()


@pytest.fixture(scope="session")
def _empty_sqlite(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of a database with all tables and no rows: copying them is quicker than making tables each time."""
    file = tmp_path_factory.mktemp("empty") / "empty.db"
    database = Database(f"sqlite:///{file}")
    Base.metadata.create_all(database.engine)
    # Closing the last connection also brings the write-ahead log into the file.
    database.dispose()
    return file.read_bytes()


@pytest.fixture(scope="session")
def _postgres_database() -> Iterator[str]:
    """Address of a PostgreSQL database with all tables, one for each process that tests."""
    name = f"meitheal_{uuid.uuid4().hex}"
    admin = create_engine(_psycopg(POSTGRES), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    url = _psycopg(POSTGRES, name)
    made = Database(url)
    Base.metadata.create_all(made.engine)
    made.dispose()
    yield url
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture
def database_url(database_kind: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """Address of an empty database with all tables, for this test alone."""
    if database_kind == "sqlite":
        file = request.getfixturevalue("tmp_path") / "meitheal.db"
        file.write_bytes(request.getfixturevalue("_empty_sqlite"))
        yield f"sqlite:///{file}"
        return
    url = request.getfixturevalue("_postgres_database")
    yield url
    # Emptied, not made anew: CREATE DATABASE takes longer than most tests.
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text(f"DROP SCHEMA IF EXISTS {keyring_store.SCHEMA} CASCADE"))
        if set(inspect(connection).get_table_names()) == set(Base.metadata.tables):
            _empty(connection)
        else:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
            Base.metadata.create_all(connection)
    engine.dispose()


def _empty(connection: Connection) -> None:
    """Deletes all rows. TRUNCATE makes every table anew, which takes a hundred times longer: it is for many rows."""
    sizes = text(
        "SELECT relname, pg_relation_size(oid) FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        " AND relkind = 'r' AND pg_relation_size(oid) > 0"
    )
    written = {row.relname: row.pg_relation_size for row in connection.execute(sizes)}
    if sum(written.values()) > 4_000_000:
        connection.execute(text(f"TRUNCATE {', '.join(Base.metadata.tables)} CASCADE"))
        return
    for table in reversed(Base.metadata.sorted_tables):
        if table.name in written:
            connection.execute(text(f"DELETE FROM {table.name}"))


def _psycopg(url: str, name: str | None = None) -> str:
    made = make_url(url).set(drivername="postgresql+psycopg")
    return (made.set(database=name) if name else made).render_as_string(hide_password=False)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    made = Database(database_url)
    yield made
    made.dispose()


@pytest.fixture(autouse=True)
def _no_connection_stays(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Closes the pools of every database that a test opened, also of keyrings: PostgreSQL's driver warns of others."""
    made: list[Database] = []
    begin = Database.__init__

    def remembered(self: Database, url: str) -> None:
        begin(self, url)
        made.append(self)

    monkeypatch.setattr(Database, "__init__", remembered)
    yield
    for each in made:
        each.dispose()


@pytest.fixture
def app(settings: Settings, database: Database, clock: Clock) -> Iterator[Flask]:
    made = create_app(settings, database=database, clock=clock)
    made.testing = True
    # An unexpected error becomes the page a person would get, as when it is served.
    made.config["PROPAGATE_EXCEPTIONS"] = False
    yield made
    made.extensions["meitheal"].keyring.database.dispose()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()
