"""A teacher's own instruments: kept without what belongs to one class, released to a course, taken back, deleted."""

import re
from typing import Any

import pytest
from browsers import recorded
from cycles.pair_at_work import make_cycle
from factories import make_course
from observation.builders import Pair, pair
from observation.made import made
from sqlalchemy import func, select, update

from lti_tool.observation import library
from lti_tool.observation.library import names_in
from lti_tool.observation.models import OwnInstrument
from lti_tool.observation.shipped import shipped
from lti_tool.people.models import Membership
from lti_tool.privacy.looks.models import Look
from lti_tool.privacy.models import ContentKey

__all__ = ["pair"]


def kept(pair: Pair, base: str = "tally", **typed: Any) -> str:
    """Keeps an instrument of the host, and returns the id it has in their library."""
    before = set(ids(pair))
    answer = pair.send(pair.host, pair.begin(f"base:{base}"), do="keep", **typed)
    assert answer.status_code == 303 and answer.location.endswith("/instruments?told=kept")
    (found,) = set(ids(pair)) - before
    return found


def ids(pair: Pair) -> list[str]:
    with pair.database.read() as session:
        return list(session.scalars(select(OwnInstrument.id)))


def test_it_is_kept_once_sealed_and_begun_from_again(pair: Pair) -> None:
    at = pair.begin("base:verbal_flow")
    laid = pair.send(pair.host, at + "/plan", do="lay-out", layout=["rows"]).text
    pair.send(pair.host, at + "/plan", laid)
    page = pair.host.get(at)
    for _ in range(2):
        assert pair.send(pair.host, at, page, do="keep", name=["canary-own"]).status_code == 303
    (own,) = ids(pair)
    assert "canary-own" in pair.host.get("/instruments") and "canary-own" not in pair.coach.get("/instruments")
    assert "<svg" not in pair.host.get("/instruments"), "the plan is left out unless they keep it"
    with pair.database.read() as session:
        assert "canary" not in repr(session.execute(select(*OwnInstrument.__table__.columns)).all())
    pair.send(pair.host, at, do="keep", **{"with-plan": "1"})
    assert pair.host.get("/instruments").count("<svg") == 1
    pair.clock.advance(60)
    begun = pair.begin(f"own:{own}")
    assert "Not drawn yet" in pair.host.get(begun) and "canary-own" in pair.coach.get(begun)
    assert pair.coach.post(pair.at, **{"from": f"own:{own}"}).status_code == 409
    assert pair.coach.post(f"/instruments/{own}/delete").status_code == 404
    assert pair.host.post(f"/instruments/{own}/delete").status_code == 303
    assert "canary-own" in pair.coach.get(begun), "what was begun from it stays"
    with pair.app.extensions["meitheal"].keyring.database.read() as session:
        assert not session.scalar(select(func.count()).select_from(ContentKey).where(ContentKey.scope_id == own))


def test_what_belongs_to_one_class_is_not_kept(pair: Pair) -> None:
    kept(pair, "case_pupils", **{"row-expected": ["canary-expected", "", ""]})
    pair.clock.advance(60)
    begun = pair.begin(f"own:{ids(pair)[0]}")
    assert "canary-expected" not in pair.host.get(begun)
    kept(pair, "student_voice", option=["agreed"])
    assert "agreed" in pair.built()[-1].instrument.options
    assert "Nothing yet." in pair.host.get("/instruments")


def test_others_of_the_course_use_what_is_released_and_it_is_taken_back_at_any_time(pair: Pair) -> None:
    own = kept(pair, name=["canary-released"])
    other = make_cycle(pair.database, pair.course, pair.clock.now, host=2, coach=3)
    third = pair.browser(pair.course.teachers[2])
    theirs = f"/cycles/{other}/visit-instrument"
    assert "canary-released" not in third.get(theirs)
    assert third.post(theirs, **{"from": f"released:{own}"}).status_code == 409
    assert third.post(f"/instruments/{own}/release", **{"no-names": "1"}).status_code == 404
    unsure = pair.host.post(f"/instruments/{own}/release")
    assert unsure.status_code == 400 and f'href="#no-names-{own}"' in unsure.text
    assert pair.host.post(f"/instruments/{own}/release", **{"no-names": "1"}).status_code == 303
    for path in (theirs, "/instruments"):
        page = third.get(path)
        assert "canary-released" in page and "Niamh" in page
    with pair.database.read() as session:
        assert "library" in session.scalars(select(Look.what)).all()
    for membership in (pair.course.trainer, pair.course.guest, pair.course.leader, pair.course.administrator):
        assert "canary-released" not in pair.browser(membership).get("/instruments")
    elsewhere = make_course(pair.database, teachers=1, now=pair.clock.now)
    assert "canary-released" not in pair.browser(elsewhere.teachers[0], elsewhere.activity_id).get("/instruments")
    begun = third.post(theirs, **{"from": f"released:{own}"})
    assert begun.status_code == 303
    assert third.post(f"/instruments/{own}/take-back").status_code == 404
    assert pair.host.post(f"/instruments/{own}/take-back").status_code == 303
    assert "canary-released" not in third.get("/instruments")
    assert third.post(theirs, **{"from": f"released:{own}"}).status_code == 409
    assert "canary-released" in third.get(theirs + "/" + begun.location.rsplit("/", 1)[1])


def test_who_leaves_takes_it_along_and_a_leader_can_still_take_it_back(pair: Pair) -> None:
    own = kept(pair, name=["canary-released"])
    pair.host.post(f"/instruments/{own}/release", **{"no-names": "1"})
    third = pair.browser(pair.course.teachers[2])
    me = update(Membership).where(Membership.id == pair.course.teachers[0])
    for values in ({"is_active": False}, {"is_active": True, "is_leader": True}):
        assert "canary-released" in third.get("/instruments") or values["is_active"]
        with pair.database.write() as session:
            session.execute(me.values(**values))
        assert "canary-released" not in third.get("/instruments")
        assert "canary-released" in pair.host.get("/instruments")
    assert pair.host.post(f"/instruments/{own}/take-back").status_code == 303
    assert pair.host.post(f"/instruments/{own}/release", **{"no-names": "1"}).status_code == 404


@pytest.mark.parametrize("own", ["0" * 16, "x" * 300, "%00", "😀"])
def test_odd_ids_are_not_there(pair: Pair, own: str) -> None:
    for what in ("release", "take-back", "delete"):
        assert pair.host.post(f"/instruments/{own}/{what}", **{"no-names": "1"}).status_code == 404


def test_a_full_library_and_its_page(pair: Pair) -> None:
    at = pair.begin()
    with pair.database.write() as session:
        person = select(Membership.person_id).where(Membership.id == pair.course.teachers[0])
        me, keyring = session.scalars(person).one(), pair.app.extensions["meitheal"].keyring
        for number in range(library.MOST):
            library.keep(session, keyring, me, made("tally"), f"{number}", pair.clock.now, with_plan=False)
    with recorded(pair.database) as statements:
        page = pair.host.get("/instruments")
    assert len(statements) <= 12 and len(re.findall('id="own-', page)) == library.MOST
    assert pair.send(pair.host, at, do="keep").status_code == 409
    with recorded(pair.database) as statements:
        pair.host.get(pair.at)
    assert len(statements) <= 12


def test_what_looks_like_a_name_is_said() -> None:
    for base in shipped().values():
        for language in ("en", "ga"):
            assert not names_in(base.begin(language))
