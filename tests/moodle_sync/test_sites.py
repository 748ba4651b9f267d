"""Connecting a platform's web services: the right Moodle, a token that nobody sees, and what they offer."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from live_moodle import RELEASE, Moodle
from sqlalchemy import select, text, update

from lti_tool.lti.http import Http
from lti_tool.people.models import Platform
from lti_tool.privacy.sealing import Masters, SealBroken
from lti_tool.store.database import Database
from moodle_sync import errors, sites
from moodle_sync.models import MoodleSite, MoodleWrite
from moodle_sync.sites import NEEDED, SITE_INFO

MEMBERS = "core_group_get_group_members"


@pytest.fixture
def connected(database: Database, masters: Masters, http: Http, moodle: Moodle, platform_id: str, clock: Any) -> str:
    """The platform, once its web services are connected."""
    info = sites.ask(http, moodle.address, moodle.token)
    with database.write() as session:
        sites.connect(session, masters, platform_id, moodle.address, moodle.token, info, clock())
    moodle.school.web_services.calls.clear()
    return platform_id


def known(database: Database, platform_id: str) -> sites.Site:
    with database.read() as session:
        found = sites.site_of(session, platform_id)
    assert found is not None
    return found


def test_what_is_kept_and_that_the_token_is_sealed(
    database: Database, masters: Masters, http: Http, moodle: Moodle, connected: str, clock: Any
) -> None:
    site = known(database, connected)
    assert (site.url, site.release, site.user_id, site.problem) == (moodle.address, RELEASE, 2, "")
    assert all(site.can(use) for use in NEEDED) and not (site.events or site.messages)
    with database.read() as session:
        row = session.execute(text("SELECT * FROM moodle_sites")).one()
        assert moodle.token.encode() not in row.sealed_token and moodle.token not in str(row)
        client = sites.client_of(session, connected, masters, http)
        assert sites.client_of(session, "nobody", masters, http) is None
        assert [each.platform_id for each in sites.sites(session)] == [connected]
    assert client is not None and client.has(MEMBERS)
    assert moodle.calls == {SITE_INFO: 1}


def test_the_moodle_has_to_be_the_one_the_launches_come_from(
    database: Database, masters: Masters, http: Http, moodle: Moodle, platform_id: str, clock: Any
) -> None:
    info = replace(sites.ask(http, moodle.address, moodle.token), site_url="https://other.example")
    with pytest.raises(errors.AddressWrong, match=r"https://other\.example") as caught, database.write() as session:
        sites.connect(session, masters, platform_id, moodle.address, moodle.token, info, clock())
    assert caught.value.code == "other_site"
    with database.read() as session:
        assert sites.site_of(session, platform_id) is None


@pytest.mark.parametrize(
    "url", ["moodle.example", "https://m.example/?a=1", "https://" + "m" * 1000, "ftp://m.example"]
)
def test_an_address_that_is_none(url: str) -> None:
    with pytest.raises(errors.AddressWrong):
        sites.clean(url, "a1")


@pytest.mark.parametrize("token", ["", " ", "a b", "é", "a" * 201, "a&b"])
def test_a_token_that_is_none(token: str) -> None:
    with pytest.raises(errors.TokenRefused):
        sites.clean("https://m.example", token)
    assert sites.clean(" https://m.example/moodle/ ", " a1B2\n") == ("https://m.example/moodle", "a1B2")


def test_a_check_keeps_what_changed_and_what_is_wrong(
    database: Database, masters: Masters, http: Http, moodle: Moodle, connected: str, clock: Any
) -> None:
    moodle.school.web_services.functions.remove(MEMBERS)
    clock.advance(60)
    site = sites.check(database, masters, http, connected, clock())
    assert not site.can("groups") and sites.missing(site.functions) == [MEMBERS]
    assert known(database, connected) == site and site.checked_at == clock()
    moodle.school.web_services.token = "another"
    with pytest.raises(errors.TokenRefused):
        sites.check(database, masters, http, connected, clock())
    broken = known(database, connected)
    assert (broken.problem, broken.release) == ("invalidtoken", RELEASE)
    moodle.school.web_services.token = sites_token(database, masters, connected)
    assert sites.check(database, masters, http, connected, clock()).problem == ""
    with pytest.raises(LookupError):
        sites.check(database, masters, http, "nobody", clock())
    # What answers at the address is another site by now: a copy for trying things, say.
    with database.write() as session:
        session.execute(update(Platform).where(Platform.id == connected).values(issuer="https://moodle.school.example"))
    with pytest.raises(errors.AddressWrong):
        sites.check(database, masters, http, connected, clock())
    assert known(database, connected).problem == "other_site"


def sites_token(database: Database, masters: Masters, platform_id: str) -> str:
    with database.read() as session:
        row = session.scalars(select(MoodleSite)).one()
    return masters.open(row.master, row.sealed_token, f"moodle_sites.sealed_token/{platform_id}".encode()).decode()


def test_what_may_be_written_is_off_until_it_is_allowed_and_stays_with_a_new_token(
    database: Database, masters: Masters, http: Http, moodle: Moodle, connected: str, clock: Any
) -> None:
    with database.write() as session:
        assert sites.allow(session, connected, messages=True).messages
    info = sites.ask(http, moodle.address, moodle.token)
    offers = replace(info, functions=info.functions - {*NEEDED["events"]})
    with database.write() as session:
        sites.connect(session, masters, connected, moodle.address, "new1", offers, clock())
    site = known(database, connected)
    assert (site.events, site.messages) == (False, True)
    with pytest.raises(errors.MissingFunction, match="core_calendar_create"), database.write() as session:
        sites.allow(session, connected, events=True)
    with database.write() as session:
        assert not sites.allow(session, connected, events=False, messages=False).messages
    with pytest.raises(LookupError), database.write() as session:
        sites.allow(session, "nobody", events=True)


def test_what_is_forgotten_sends_nothing_more(database: Database, connected: str, clock: Any) -> None:
    with database.write() as session:
        for kind, status in (("message", "waiting"), ("message", "unknown"), ("group", "waiting")):
            session.add(
                MoodleWrite(platform_id=connected, kind=kind, key=f"{kind}{status}", status=status, made_at=clock())
            )
    with database.write() as session:
        assert sites.forget(session, connected)
        assert not sites.forget(session, connected)
    with database.read() as session:
        assert sites.site_of(session, connected) is None
        assert sorted(session.scalars(select(MoodleWrite.key))) == ["groupwaiting", "messageunknown"]


def test_another_master_key_seals_the_token_anew(
    database: Database, masters: Masters, http: Http, moodle: Moodle, connected: str
) -> None:
    old, new = b"m" * 32, b"n" * 32
    later = Masters(new, [old])
    with database.write() as session:
        assert sites.masters_in_use(session) == {masters.name}
        assert (sites.reseal(session, later), sites.reseal(session, later)) == (1, 0)
        assert sites.masters_in_use(session) == {later.name}
    with database.read() as session:
        client = sites.client_of(session, connected, Masters(new), http)
        assert client is not None and client.site_info().site_url == moodle.address
        with pytest.raises(errors.TokenRefused) as caught:
            sites.client_of(session, connected, masters, http)
    assert caught.value.code == "token_sealed"
    with pytest.raises(SealBroken), database.write() as session:
        sites.reseal(session, masters)


def test_a_sealed_token_opens_for_its_own_platform_only(
    database: Database, masters: Masters, http: Http, connected: str
) -> None:
    with database.write() as session:
        row = session.scalars(select(MoodleSite)).one()
        row.sealed_token = masters.seal(b"token", b"moodle_sites.sealed_token/other")
    with database.read() as session, pytest.raises(errors.TokenRefused):
        sites.client_of(session, connected, masters, http)


def test_the_paper_for_administrators_lists_what_is_asked_of_the_service() -> None:
    paper = (Path(__file__).parents[2] / "docs" / "moodle-administrator.md").read_text(encoding="utf-8")
    listed = {
        use: tuple(re.findall(r"`(core_\w+)`", row))
        for use, row in re.findall(r"^\| (\w+) \| (`core_.*) \|$", paper, re.MULTILINE)
    }
    assert listed == NEEDED
