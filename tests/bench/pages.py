"""SQL statements of a warm launch and of each page that a teacher or a trainer opens."""

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs, urlsplit

from factories import csrf_token, make_settings, sign_in
from flask.testing import FlaskClient
from platform_double import CLIENT_ID, ISSUER, Platform
from population import fill
from sqlalchemy import event, select

from lti_tool.activities.models import Activity, ActivityTrainer
from lti_tool.people.models import Course, Membership
from lti_tool.store.database import Database
from lti_tool.web.app import create_app


def statements_per_page(platform: Platform, members: int) -> tuple[int, dict[str, int]]:
    """(statements of a warm launch, page → statements), BEGIN and COMMIT not counted."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/meitheal.db"
        fill(url, platform, members=members)
        database = Database(url)
        app = create_app(make_settings(database_url=url), database=database)
        client = app.test_client()
        client.set_cookie("__Host-cookies", "1", domain="localhost")
        with counting(database) as count:
            _launch(client, platform, count)
            launch = _launch(client, platform, count)
            pages: dict[str, int] = {}
            for name, path in _pages(database, client):
                before = count[0]
                answer = client.get(path, base_url="http://localhost:8000")
                assert answer.status_code == 200, (name, answer.status_code)
                pages[name] = count[0] - before
        database.dispose()
        return launch, pages


@contextmanager
def counting(database: Database) -> Iterator[list[int]]:
    """A list whose only number goes up with each statement."""
    count = [0]

    def seen(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.split()[0].upper() not in ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE"):
            count[0] += 1

    event.listen(database.engine, "before_cursor_execute", seen)
    try:
        yield count
    finally:
        event.remove(database.engine, "before_cursor_execute", seen)


def _launch(client: FlaskClient, platform: Platform, count: list[int]) -> int:
    """Walks through a launch; returns the statements of /lti/launch."""
    target = "http://localhost:8000/lti/launch"
    answer = client.get(
        "/lti/login",
        base_url="http://localhost:8000",
        query_string={"iss": ISSUER, "client_id": CLIENT_ID, "login_hint": "1", "target_link_uri": target},
    )
    asked = parse_qs(urlsplit(answer.headers["Location"]).query)
    before = count[0]
    answer = client.post(
        "/lti/launch",
        base_url="http://localhost:8000",
        data={"state": asked["state"][0], "id_token": platform.token(asked["nonce"][0], target)},
    )
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return count[0] - before


def _pages(database: Database, client: FlaskClient) -> Iterator[tuple[str, str]]:
    """Every page of a teacher without and with a partner, and of the trainer, as found by following their links."""
    with database.read() as session:
        activity, course = session.execute(
            select(Activity.id, Course.id).join(Course).where(Course.context_key == "context:2")
        ).one()
        trainer = session.scalars(select(ActivityTrainer.membership_id)).first()
        host, coach = session.scalars(
            select(Membership.id).where(Membership.course_id == course, Membership.lms_role == "learner").limit(2)
        )
    assert trainer
    at_trainer = sign_in(database, client, trainer, activity)
    at_host = sign_in(database, client, host, activity)
    at_coach = sign_in(database, client, coach, activity)
    yield from (
        ("trainer's page", f"{at_trainer}/"),
        ("home, no partner", f"{at_host}/"),
        ("about", f"{at_host}/about"),
    )
    yield "find a partner", f"{at_host}/partner"
    yield "invite", f"{at_host}/partner/{coach}"
    client.post(
        f"{at_host}/partner/{coach}",
        base_url="http://localhost:8000",
        data={"csrf_token": csrf_token(client, at_host)},
    )
    yield "home, invited", f"{at_coach}/"
    page = client.get(f"{at_coach}/", base_url="http://localhost:8000").get_data(as_text=True)
    accept = re.search(r'action="([^"]+/accept)"', page)
    assert accept, page
    client.post(accept.group(1), base_url="http://localhost:8000", data={"csrf_token": csrf_token(client, at_coach)})
    yield "home, in a cycle", f"{at_host}/"
    page = client.get(f"{at_host}/", base_url="http://localhost:8000").get_data(as_text=True)
    cycle = re.search(r"/cycles/([0-9a-z]{16})", page)
    assert cycle
    for stage in ("start", "before", "visit", "after", "reflect"):
        yield f"stage {stage}", f"{at_host}/cycles/{cycle.group(1)}/{stage}"
    yield "pair", f"{at_host}/pair"
    yield "past cycles", f"{at_host}/cycles"
    yield "poll", f"{at_host}/cycles/{cycle.group(1)}/texts?revision=-1"
