"""A sandbox Moodle that is served here, a client of its web services, and the platform it is to the tool."""

from collections.abc import Iterator
from typing import Any

import pytest
from factories import make_settings
from live_moodle import Moodle

from lti_tool.lti.http import Http
from lti_tool.people.models import Platform
from lti_tool.privacy.sealing import Masters
from lti_tool.store.database import Database
from moodle_sync.client import MoodleClient


@pytest.fixture
def moodle() -> Iterator[Moodle]:
    made = Moodle()
    yield made
    made.stop()


@pytest.fixture
def http() -> Iterator[Http]:
    made = Http(make_settings().network.allow_private)
    yield made
    made.close()


@pytest.fixture
def pauses() -> list[float]:
    """How long the client would have waited before it tried again."""
    return []


@pytest.fixture
def services(http: Http, moodle: Moodle, pauses: list[float]) -> MoodleClient:
    return MoodleClient(http, moodle.address, moodle.token, sleep=pauses.append)


@pytest.fixture
def masters() -> Masters:
    return Masters.of(make_settings())


@pytest.fixture
def platform_id(database: Database, moodle: Moodle, clock: Any) -> str:
    """The platform whose launches come from the sandbox."""
    with database.write() as session:
        platform = Platform(
            name="Coláiste Abhainn Rua",
            family="moodle",
            issuer=moodle.address,
            client_id="meitheal",
            authorization_url=f"{moodle.address}/mod/lti/auth.php",
            token_url=f"{moodle.address}/mod/lti/token.php",
            jwks_url=f"{moodle.address}/mod/lti/certs.php",
            created_at=clock(),
        )
        session.add(platform)
        session.flush()
        return platform.id
