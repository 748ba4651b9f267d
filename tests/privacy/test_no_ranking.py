"""Nothing here measures or ranks a person (R38): not in the data, not in what is read, not in the order of a list.

What speaks of a score, rank, grade, level, streak, badge or points is found wherever it stands; what may stand there
for another reason is named below with it. A reason that is needed no more has to go, too.
"""

import ast
import enum
import importlib
import importlib.util
import pkgutil
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from html import unescape
from pathlib import Path
from typing import Any

import yaml
from browsers import Browser
from cycles.pair_at_work import make_cycle
from factories import MadeCourse, make_course
from flask import Flask
from sqlalchemy import Column, Integer, MetaData, Table, insert, select, update

import lti_tool
import moodle_sync
from lti_tool.cycles import going_on
from lti_tool.cycles.models import Cycle, StageMark
from lti_tool.doors import service as doors
from lti_tool.people.models import Membership
from lti_tool.protocols.recipe import REFLECTION
from lti_tool.store.base import Base, new_id
from lti_tool.store.database import Database
from lti_tool.threads import service as threads

ROOT = Path(lti_tool.__file__).parents[1]
_file = importlib.util.spec_from_file_location("texts_of_program", ROOT / "tests/packaging/messages.py")
assert _file is not None and _file.loader is not None
messages: Any = importlib.util.module_from_spec(_file)
_file.loader.exec_module(messages)

MEASURES = re.compile(
    r"(?<![a-z])(scor(e|es|ed|ing)|rank(s|ed|ing|ings)?|grad(e|es|ed|ing)|levels?|streaks?|badges?|points|leaderboards?"
    r"|top|stars?|medals?|trophy|trophies|rat(ed|ing|ings)|percentiles?)(?![a-z])",
    re.IGNORECASE,
)
"""Words for how good somebody is, or how much they did beside others; also in names_with_underscores."""
SPOKEN_OTHERWISE = {
    r"Assignment and Grade(s| Services)": "the name of the LTI service, as the LMS shows it to its administrator",
    r"[Gg]rade (service|sync|columns?|rights)": "settings and rights of the LMS, in its words",
    r"(may )?write grades|(return|[Aa]llow|[Aa]ccept) grades": "settings of the LMS, in its words",
    r"no grades for this person|see grades( in the course| sees)": "the gradebook of the LMS",
    r"the full points of this activity's column": "what a completion is in the gradebook, the same for everybody",
    r"Privacy Level": "the name of a setting of Canvas",
    r"a class level": "the level that pupils are in",
    r"the top of (each|the) page": "a place on the page",
    r"Nobody is marked, ranked or compared": "says that it is not done",
    r"points at": "somebody points at a line",
    r"(num|total)\)s points": "how well two people fit, from what both said; of nobody by themselves",
    r"[Aa] star": "the sign * in a list that is typed",
    r"nothing is rated": "says that it is not done",
    r"reads as points": "what no words of an instrument may read as",
    r"It has no points": "says that it is not done",
}
"""What a text may say, by pattern, and why it says nothing of a teacher."""
MARKED_OTHERWISE = {
    r'target="_top"': "the window around a frame",
    r'class="points"': "the box in which somebody points at a line",
    "caption-top": "the words over a table",
}
"""The same of the code of a page."""
NAMED_OTHERWISE = {
    "lti_tool.lms.advice.grades": "a service of the LMS",
    "lti_tool.rounds.manager_files.star": "the sign * in a list that is typed",
}
"""Tables, columns and values of the program, and why they measure nobody."""
ORDERS = {
    # Names and ids, which compare nobody.
    *("name", "given_name", "title", "id", "key", "kind", "deployment_id", "membership_id", "pair_id", "desc", "c"),
    *("platform_id", "sub"),
    # The place of a thing among its own: versions of a text, states of an instrument, cycles of a pair, lines of a log,
    # activities of a plan.
    *("number", "version", "revision", "position", "starts_on"),
    # The entries of one visit, by the phone or tablet of its coach that sent them.
    "device",
    # When something was written, sent or begun: lists of things, of one person or of one pair.
    *("saved_at", "sent_at", "opened_at", "created_at", "started_at", "signed_at", "made_at", "notes_due_at", "at"),
    # When an instrument of a library was kept: those of one person, and of a course the last ones.
    "changed_at",
    # When somebody answered or last came in: to find one row, in no list of people.
    *("answered_at", "launched_at"),
    # Which calculation of a round is the last, and until when its proposals are answered; which of two of one's own
    # words about how far to go counts, the activity's or its round's.
    *("out_at", "answer_by", "activity_id"),
    # When bookings are, and one's own lines of time; which calendar or course of an LMS is to be read next.
    *("starts_at", "said_at", "read_again_at", "read_at"),
    # Which entries for gradebooks wait, for the worker and for the operator.
    *("tried_at", "completed_at", "status", "problem", "is_not"),
}
"""By what the database may order; whatever comes new here is to be thought about first."""


# The data


def in_schema(metadata: MetaData) -> Iterator[str]:
    """Names of tables and columns that measure somebody."""
    for table in metadata.sorted_tables:
        if MEASURES.search(table.name.replace("_", " ")):
            yield table.name
        for column in table.columns:
            if MEASURES.search(column.name.replace("_", " ")):
                yield f"{table.name}.{column.name}"


def enums() -> Iterator[type[enum.Enum]]:
    """All enumerations of the rooms; the sandbox and the commands of the operator hold nothing of teachers."""
    of_sync = pkgutil.walk_packages(moodle_sync.__path__, "moodle_sync.")
    for found in (*pkgutil.walk_packages(lti_tool.__path__, "lti_tool."), *of_sync):
        if not re.search(r"\.(sandbox|ops|migrations|cli|worker)\b", found.name):
            module = importlib.import_module(found.name)
            for value in vars(module).values():
                if isinstance(value, type) and issubclass(value, enum.Enum) and value.__module__ == found.name:
                    yield value


def in_enums(found: Iterable[type[enum.Enum]]) -> Iterator[str]:
    """Values of enumerations that measure somebody."""
    for kind in found:
        for each in kind:
            if MEASURES.search(f"{each.name} {each.value}".replace("_", " ")):
                yield f"{kind.__module__}.{str(each.value).lower()}"


def test_no_table_column_or_value_measures_a_person() -> None:
    found = {*in_schema(Base.metadata), *in_enums(enums())}
    assert found == NAMED_OTHERWISE.keys()


# What is read


def in_text(text: str) -> set[str]:
    """Words of a text that measure somebody, apart from what is spoken otherwise."""
    for pattern in SPOKEN_OTHERWISE:
        text = re.sub(rf"\b{pattern}\b", "", text)
    return {match.group().lower() for match in MEASURES.finditer(text)}


def spoken() -> Iterator[tuple[str, str]]:
    """(Where, text) of all English that a person can read: from the program, the pages, and the shipped protocols."""
    for message in messages.gathered():
        for text in message.id if isinstance(message.id, tuple) else (message.id,):
            yield str(message.locations[:1]), text
    for path in sorted((ROOT / "lti_tool").rglob("*.yaml")):
        for text in _english(yaml.safe_load(path.read_text(encoding="utf-8"))):
            yield path.name, text


def _english(body: Any) -> Iterator[str]:
    if isinstance(body, dict):
        for key, value in body.items():
            yield from [value] if key == "en" and isinstance(value, str) else _english(value)
    elif isinstance(body, list):
        for each in body:
            yield from _english(each)


def in_markup(template: str) -> set[str]:
    """Words of a template beside its code and its texts that measure somebody: classes, ids, pictures."""
    plain = re.sub(r"{#.*?#}|{%.*?%}|{{.*?}}", " ", template, flags=re.DOTALL)
    for pattern in MARKED_OTHERWISE:
        plain = plain.replace(pattern, "")
    return in_text(plain.replace("-", " "))


def test_nothing_that_a_person_reads_measures_a_person() -> None:
    texts = list(spoken())
    assert len(texts) > 1000
    found = {f"{where}: {in_text(text)} in {text[:80]!r}" for where, text in texts if in_text(text)}
    for path in sorted((ROOT / "templates").rglob("*.html")):
        if words := in_markup(path.read_text(encoding="utf-8")):
            found.add(f"{path.relative_to(ROOT)}: {words}")
    assert not found, "\n".join(sorted(found))
    every = "\n".join(text for _where, text in texts)
    unused = {pattern for pattern in SPOKEN_OTHERWISE if not re.search(rf"\b{pattern}\b", every)}
    assert not unused, "these reasons are needed no more"


# The order of lists


def orders(source: str) -> Iterator[str]:
    """By what a module lets the database order: names of columns, and of functions as `count()`."""
    for node in ast.walk(ast.parse(source)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "order_by"):
            continue
        for part in (each for argument in node.args for each in ast.walk(argument)):
            if isinstance(part, ast.Call) and _is_function(part):
                yield f"{part.func.attr}()"  # type: ignore[attr-defined]
            elif isinstance(part, ast.Attribute):
                yield part.attr


def _is_function(call: ast.Call) -> bool:
    called = call.func
    return isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name) and called.value.id == "func"


def counting_keys(source: str) -> Iterator[str]:
    """Sorting, in a module or a template, by how many there are of something."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and (key := next((each for each in node.keywords if each.arg == "key"), None)):
            named = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            for part in ast.walk(key.value) if named in ("sorted", "sort") else ():
                if isinstance(part, ast.Call) and getattr(part.func, "id", "") in ("len", "sum"):
                    yield ast.unparse(node)


HAVE_NO_LISTS = ("lti", "matching", "store", "sandbox", "translations")


def rooms() -> Iterator[Path]:
    """The modules that can list people: not the protocol core, the store's own jobs, or the embedded LMS; nor the
    search for pairs, which knows people as numbers and shows no list."""
    for path in sorted((ROOT / "lti_tool").rglob("*.py")):
        if path.relative_to(ROOT / "lti_tool").parts[0] not in HAVE_NO_LISTS:
            yield path
    yield from sorted((ROOT / "moodle_sync").rglob("*.py"))


def test_the_database_orders_by_names_and_moments_only() -> None:
    found = {
        f"{path.relative_to(ROOT)}: {each}"
        for path in rooms()
        for each in orders(path.read_text(encoding="utf-8"))
        if each not in ORDERS and not each[0].isupper()
    }
    found |= {
        f"{path.relative_to(ROOT)}: {each}"
        for path in rooms()
        for each in counting_keys(path.read_text(encoding="utf-8"))
    }
    for path in sorted((ROOT / "templates").rglob("*.html")):
        if re.search(r"\|\s*(dict)?sort\b", path.read_text(encoding="utf-8")):
            found.add(f"{path.relative_to(ROOT)} sorts by itself")
    assert not found, "\n".join(sorted(found))


LISTS = {"trainer": ("/", "/roles", "/activity/people"), "teacher": ("/partner", "/doors", "/shared")}
"""Pages with names of people, and who sees them."""


def test_who_did_more_stands_no_higher(app: Flask, database: Database, clock: Any) -> None:
    """Two courses with the same people: in one the first pair is the busy one, in the other the second."""
    seen = []
    for busy in (0, 1):
        course = make_course(database, teachers=5, now=clock.now)
        for pair in (0, 1):
            _work(app, database, course, pair, 3 if pair == busy else 1, clock.now)
        browsers = {
            "trainer": Browser(app, database, clock, course.trainer, course.activity_id),
            "teacher": Browser(app, database, clock, course.teachers[4], course.activity_id),
        }
        seen.append({(who, path): _names(browsers[who].get(path)) for who, paths in LISTS.items() for path in paths})
    assert seen[0] == seen[1]
    assert all(len(seen[0][page]) == 4 for page in (("trainer", "/"), ("teacher", "/partner"), ("teacher", "/doors")))


def _work(app: Flask, database: Database, course: MadeCourse, pair: int, times: int, now: datetime) -> None:
    """A pair goes through so many cycles, writes and opens as much."""
    keyring = app.extensions["meitheal"].keyring
    host, coach = course.teachers[2 * pair], course.teachers[2 * pair + 1]
    first = make_cycle(database, course, now, host=2 * pair, coach=2 * pair + 1)
    with database.write() as session:
        pair_id = session.scalars(select(Cycle.pair_id).where(Cycle.id == first)).one()
        for number in range(2, times + 1):
            roles = {host: "host", coach: "coach"}
            going_on.start(
                session, pair_id=pair_id, activity_id=course.activity_id, roles=roles, number=number, now=now
            )
        for cycle_id in session.scalars(select(Cycle.id).where(Cycle.pair_id == pair_id)).all():
            session.execute(
                insert(StageMark),
                [
                    {"cycle_id": cycle_id, "stage": REFLECTION, "membership_id": each, "at": now}
                    for each in (host, coach)
                ],
            )
        session.execute(update(Cycle).where(Cycle.pair_id == pair_id).values(status="finished", finished_at=now))
        for member in (host, coach):
            person = session.scalars(select(Membership.person_id).where(Membership.id == member)).one()
            for _ in range(times):
                threads.send(session, keyring, pair_id, person, "x", new_id(), now)
                doors.offer(
                    session,
                    keyring,
                    activity_id=course.activity_id,
                    person_id=person,
                    topic="x",
                    suits="",
                    ticket=new_id(),
                    now=now,
                )


def _names(page: str) -> list[str]:
    """Names in the order in which they first come."""
    shown = unescape(page.partition("<main")[2].partition("</main>")[0])
    found = re.findall("Niamh Ní Bhriain|Seán Ó Dónaill|Gráinne Byrne|Oisín Mac Cárthaigh", shown)
    return list(dict.fromkeys(found))


# That it would be seen


class _Praise(enum.Enum):
    GOLD = "gold_badge"


def test_what_is_planted_is_found() -> None:
    planted = MetaData()
    Table("teachers", planted, Column("id", Integer), Column("activity_points", Integer))
    Table("leaderboards", planted, Column("id", Integer))
    assert set(in_schema(planted)) == {"teachers.activity_points", "leaderboards"}
    assert list(in_enums([_Praise])) == [f"{__name__}.gold_badge"]
    for text in ("You are at the top.", "Your coaching level", "A streak of three weeks", "Top coaches", "your grade"):
        assert in_text(text), text
    assert in_text("Everybody who may see grades in the course. Your rank is 3.") == {"rank"}
    assert in_markup('{{ x }}<span class="text-badge">') == {"badge"}
    assert not in_markup('{{ ui.card(title, level=1) }}{# top #}<h2 class="stage-title">')
    assert "count()" in set(orders("q.order_by(func.count(Share.id).desc())"))
    assert "cycles_done" in set(orders("select(x).order_by(Person.cycles_done, Person.name)"))
    assert list(counting_keys("sorted(people, key=lambda each: -len(each.cycles))"))
