"""The bytes of all that is stored or copied: no words of anybody, no name next to sealed words, no token, no key.

A pair writes in every field that its pages offer, with a word of its own in each, through the pages; then the files are
searched: the database with its log, the keyring, both copies of a backup, SQL dumps of them, and what was logged.
"""

import base64
import re
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from conftest import Clock
from cycles.pair_at_work import Desk, Room, open_room
from factories import NAMES, forget_loggers, make_settings
from sqlalchemy import select

from lti_tool.lti.http import Http
from lti_tool.lti.models import ToolKey
from lti_tool.ops import backup
from lti_tool.people.models import Platform
from lti_tool.privacy import keyring_store
from lti_tool.privacy.keyring import Keyring
from lti_tool.privacy.models import ContentKey
from lti_tool.privacy.sealing import Masters
from lti_tool.settings import Settings
from lti_tool.store.database import Database
from lti_tool.web.app import create_app
from moodle_sync import sites
from moodle_sync.client import SiteInfo
from moodle_sync.errors import NotReached

STAGES = ("start", "before", "visit", "after", "reflect")


class Writer:
    """Types a word of its own into each field, and remembers which."""

    def __init__(self) -> None:
        self.words: list[str] = []

    def word(self) -> str:
        """A fresh word that is found nowhere else."""
        self.words.append(f"kingfisher{len(self.words)}canary")
        return self.words[-1]

    def fill(self, desk: Desk, path: str) -> None:
        """Writes in every field of the page at `path`, and saves it."""
        desk.get(path)
        fields = [name for name in desk.form() if name.startswith("text-")]
        desk.press(f"{path}/save", **{name.replace("-", "__", 1): self.word() for name in fields})
        assert desk.status == 303 or not fields, (path, desk.status)


Term = tuple[Path, Room, Writer, dict[str, bytes], str]


@pytest.fixture(scope="module")
def term(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Term]:
    """(folder, room, what was written, secrets by what they are, log) of a cycle with everything in it."""
    folder = tmp_path_factory.mktemp("term")
    log: list[str] = []
    forget_loggers()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("lti_tool.web.logs._StandardError.write", lambda _self, text: log.append(text))
        settings = make_settings(database_url=f"sqlite:///{folder}/meitheal.db", log={"level": "debug"})
        database, clock, writer = Database(settings.database_url), Clock(), Writer()
        app = create_app(settings, database=database, clock=clock)
        keyring: Keyring = app.extensions["meitheal"].keyring
        keyring_store.upgrade(database, keyring.database)
        room = open_room(app, database, clock, "collegial")
        for stage in STAGES:
            for desk in (room.host, room.coach):
                writer.fill(desk, stage)
            if stage == "before":
                room.host.get("start")
                room.host.press("agreements/together")
                room.coach.get("start")
                room.coach.press("agreements/together")
        room.host.get("visit")
        for kind in re.findall(r'name="([a-z]+)-place"', room.host.page) or ["visit"]:
            room.host.press(
                f"visit/meetings/{kind}",
                **{f"{kind}__starts": "2027-01-12T10:00", f"{kind}__place": writer.word()},
            )
        room.host.get("reflect")
        room.host.press("reflect/submit")
        room.host.save_json("norms", writer.word(), editor="e2")
        # What goes wrong is logged, with a number and a code.
        room.host.post(f"agreements/{writer.words[0]}", text__norms=writer.words[1])
        room.host.client.post(f"{room.host.cycle}/start/save", data={"text-norms": writer.words[1]})
        token = app.extensions["meitheal"].lti.keys.sign({"sub": "client"})
        moodle = _open_moodle(settings, database, app.extensions["meitheal"].lti.http, clock)
        shown = room.host.client.post(f"{room.host.at}/calendar", data={"csrf_token": room.host.token()})
        (calendar,) = re.findall(r"/calendar/([\w-]{43})\.ics", shown.get_data(as_text=True))
        assert app.test_client().get(f"/calendar/{calendar}.ics").status_code == 200
        assert app.test_client().post(f"/calendar/{calendar}.ics").status_code == 405
        data, keys = backup.write(database, keyring.database, folder / "copies", clock())
        kept_secret = _secrets(settings.master_key.get_secret_value(), database, keyring) | {
            "secret key": settings.secret_key.get_secret_value(),
            "token": token.encode(),
            "token of Moodle": moodle.encode(),
            "address of a calendar": calendar.encode(),
            "cookie": _cookie(room.host),
        }
        for number, file in enumerate((folder / "meitheal.db", folder / "meitheal-keyring.db", data, keys)):
            with closing(sqlite3.connect(file)) as opened:
                (folder / f"dump{number}.sql").write_text("\n".join(opened.iterdump()), "utf-8")
        yield folder, room, writer, kept_secret, "".join(log)
        database.dispose()
        keyring.database.dispose()


def _open_moodle(settings: Settings, database: Database, http: Http, clock: Clock) -> str:
    """Connects the web services of the platform, and calls them in vain; their token."""
    token, masters = secrets.token_hex(16), Masters.of(settings)
    with database.write() as session:
        platform = session.scalars(select(Platform)).one()
        info = SiteInfo("4.4", 2, frozenset(), platform.issuer)
        sites.connect(session, masters, platform.id, "http://127.0.0.1:9", token, info, clock())
    with database.read() as session:
        client = sites.client_of(session, platform.id, masters, http)
    assert client is not None
    with pytest.raises(NotReached):
        client.call("core_group_delete_groups", {"groupids": [1]}, reads=False)
    return token


def _secrets(master: bytes, database: Database, keyring: Keyring) -> dict[str, bytes]:
    masters = Masters(master)
    with keyring.database.read() as session:
        row = session.execute(select(*ContentKey.__table__.columns)).mappings().first()
    assert row
    content_key = masters.open(
        row["master"], row["sealed_key"], f"content_keys/{row['scope_id']}/{row['author_id']}".encode()
    )
    with database.read() as session:
        own = session.execute(select(ToolKey.id, ToolKey.master, ToolKey.sealed_private)).first()
    assert own and own.sealed_private
    signing = masters.open(own.master, own.sealed_private, f"tool_keys/{own.id}".encode())
    return {"master key": master, "key of content": content_key, "signing key": signing[-300:-200]}


def _cookie(desk: Desk) -> bytes:
    cookies = [cookie.value for cookie in desk.client._cookies.values()]
    assert cookies and all(len(value) > 20 for value in cookies)
    return max(cookies, key=len).encode()


def held(folder: Path) -> dict[str, bytes]:
    files = {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    assert {"meitheal.db", "meitheal-keyring.db", "meitheal.db-wal", "dump0.sql", "dump3.sql"} <= set(files)
    assert len([name for name in files if name.startswith("copies/")]) == 2
    return files


def test_no_words_are_in_any_file_or_log(term: Term) -> None:
    folder, room, writer, _secrets, log = term
    assert len(writer.words) >= 8
    shown = "".join(desk.get(stage) for desk in (room.host, room.coach) for stage in STAGES)
    # Both edit some of the fields, so a few words were replaced by later ones.
    assert sum(word in shown for word in writer.words) >= 25, "the pages have them, so they were saved"
    found = [
        (name, word) for name, content in held(folder).items() for word in writer.words if word.encode() in content
    ]
    assert found == []
    assert "kingfisher" not in log and "reference" in log


def test_no_key_and_no_token_is_in_any_file_or_log(term: Term) -> None:
    folder, _room, _writer, kept_secret, log = term
    for what, secret in kept_secret.items():
        forms = {secret, secret.hex().encode(), secret.hex().upper().encode(), base64.b64encode(secret)}
        assert [name for name, content in held(folder).items() for form in forms if form in content] == [], what
        assert not any(form.decode("latin-1") in log for form in forms), what


def test_names_stand_with_people_only_and_never_with_content(
    term: Term,
) -> None:
    folder = term[0]
    parts = {part for name in NAMES for part in name if len(part) > 3}
    found: dict[str, set[str]] = {}
    with closing(sqlite3.connect(folder / "meitheal.db")) as opened:
        tables = [row[0] for row in opened.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            text = "".join(repr(row) for row in opened.execute(f'SELECT * FROM "{table}"'))
            if here := {part for part in parts if part in text}:
                found[table] = here
    assert set(found) == {"people"}
    keyring = (folder / "meitheal-keyring.db").read_bytes() + (folder / "dump1.sql").read_bytes()
    assert [part for part in parts if part.encode() in keyring] == []


def test_this_search_finds_what_is_there(term: Term) -> None:
    folder, room, _writer, _secrets, _log = term
    files = held(folder)
    assert room.cycle_id.encode() in files["meitheal-keyring.db"] + files.get("meitheal-keyring.db-wal", b"")
    assert "Ní Bhriain".encode() in files["dump0.sql"]
