"""What a course adds to the words at which notes are hinted, and leaves out of them."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from lti_tool.activities.models import Activity
from lti_tool.cycles.models import Cycle
from lti_tool.observation import hints
from lti_tool.observation.hints import LANGUAGES, MAX_PHRASE, MOST_PHRASES, Lists
from lti_tool.observation.models import WordList
from lti_tool.store.upsert import insert_into

MAX_LIST = 4000
"""Characters of one list."""


@dataclass(frozen=True, slots=True)
class OwnWords:
    """What a course says in one language: phrases, one a line."""

    added: str = ""
    left_out: str = ""


def own(session: Session, course_id: str) -> dict[str, OwnWords]:
    """Language → what the course says in it; one statement."""
    rows = session.execute(
        select(WordList.language, WordList.added, WordList.left_out).where(WordList.course_id == course_id)
    )
    said = {row.language: OwnWords(row.added, row.left_out) for row in rows}
    return {language: said.get(language, OwnWords()) for language in LANGUAGES}


def of_course(session: Session, course_id: str) -> Lists:
    """By what notes are hinted at in a course; one statement."""
    return lists_of(own(session, course_id))


def of_cycle(session: Session, cycle_id: str) -> Lists:
    """By what notes of a visit of this cycle are hinted at; two statements."""
    course = select(Activity.course_id).join(Cycle, Cycle.activity_id == Activity.id).where(Cycle.id == cycle_id)
    return of_course(session, session.scalar(course) or "")


def lists_of(said: dict[str, OwnWords]) -> Lists:
    """What ships, with what a course says."""
    return hints.shipped().of_course(
        {language: each.added.split("\n") for language, each in said.items() if each.added},
        {language: each.left_out.split("\n") for language, each in said.items() if each.left_out},
    )


def keep(session: Session, course_id: str, said: dict[str, OwnWords]) -> None:
    """Keeps what a course says from now on."""
    for language, each in said.items():
        insert = insert_into(session, WordList).values(
            course_id=course_id, language=language, added=each.added, left_out=each.left_out
        )
        new = {"added": insert.excluded.added, "left_out": insert.excluded.left_out}
        session.execute(insert.on_conflict_do_update(index_elements=["course_id", "language"], set_=new))


def read(typed: str) -> tuple[str, list[tuple[str, str]]]:
    """What was typed as a list, one phrase a line and none twice; and what cannot be taken: (problem, phrase).

    Problems: long_phrase, no_phrase (nothing that could be found), many (phrases, or characters altogether).
    """
    found: dict[tuple[str, ...], str] = {}
    problems: list[tuple[str, str]] = []
    for line in typed.splitlines():
        phrase = " ".join("".join(sign for sign in line if sign.isprintable() or sign.isspace()).split())
        words = hints.words_of(phrase)
        if not phrase or words in found:
            continue
        if len(phrase) > MAX_PHRASE:
            problems.append(("long_phrase", phrase[:MAX_PHRASE]))
        elif not words or words[0] == "*":
            problems.append(("no_phrase", phrase))
        else:
            found[words] = phrase
    if len(found) > MOST_PHRASES or len("\n".join(found.values())) > MAX_LIST:
        problems.append(("many", ""))
    return "\n".join(found.values()), problems
