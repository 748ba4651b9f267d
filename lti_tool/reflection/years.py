"""The long view: a person's own goals, next steps and reflections over time, in all their activities and courses (R15).

Texts of a cycle come along as far as the rules of privacy open them to this person now; reflections are their own.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from lti_tool.activities.models import Activity
from lti_tool.cycles import service as cycles
from lti_tool.cycles.models import Cycle as CycleRow
from lti_tool.cycles.models import CycleMember, ProtocolVersion
from lti_tool.cycles.rules import Cycle
from lti_tool.cycles.texts import OpenedText, Register, read_current_of
from lti_tool.people.models import Course
from lti_tool.privacy.keyring import Keyring, ScopeKeys
from lti_tool.privacy.rules import readers
from lti_tool.protocols.recipe import Field, Words
from lti_tool.reflection import service
from lti_tool.reflection.rules import GOALS, NEXT_STEPS
from lti_tool.reflection.service import Opened

PILLARS = "pillars"
"""Key of the protocol by which somebody looks at their own coaching skills, again and again (R76)."""
PROGRAMME = "programme"
"""Key of the protocol of the reflection at the end of a programme, beside which all earlier ones stand (R15)."""


_MOST_PAGES = 100_000


@dataclass(frozen=True, slots=True)
class Said:
    """A text of a cycle."""

    label: Words
    text: str
    author_id: str | None
    """Whose it is, where one of the cycle writes it; None for what several write together."""


@dataclass(frozen=True, slots=True)
class Line:
    """One cycle in the long view."""

    cycle: Cycle
    course_title: str
    goals: tuple[Said, ...]
    next_steps: tuple[Said, ...]
    reflection: Opened | None
    """The version submitted last."""
    opened_authors: frozenset[str]
    """Whose words are in it."""


@dataclass(frozen=True, slots=True)
class Years:
    """One page of the long view, the newest cycle first."""

    lines: tuple[Line, ...]
    page: int
    pages: int


def read(
    session: Session,
    keyring: Keyring,
    person_id: str,
    *,
    page: int = 1,
    size: int,
    protocol: str = "",
    without: str = "",
    now: datetime,
) -> Years:
    """A page of a person's cycles with their words; who may is asked before.

    `protocol`: only cycles that follow it; `without`: id of a cycle to leave out. Seven statements of the data at most
    and one of the keyring, however many cycles there are.
    """
    which = _cycles_of(person_id, protocol, without).add_columns(func.count().over().label("total"))
    which = which.order_by(CycleRow.started_at.desc(), CycleRow.id).limit(size)
    page = min(max(1, page), _MOST_PAGES)
    rows = session.execute(which.offset((page - 1) * size)).all()
    if not rows and page > 1:
        # There are fewer pages than that by now.
        page = 1
        rows = session.execute(which).all()
    if not rows:
        return Years((), 1, 1)
    courses = {row.id: row.title for row in rows}
    pages = -(-rows[0].total // size)
    found = cycles.load_frames(session, courses, person_id)
    keys = keyring.opened_all(session, courses, now)
    registers = {cycle.id: [each for field in _fields(cycle) for each in _register(cycle, field)] for cycle in found}
    texts = read_current_of(session, keys, registers)
    versions = service.read_latest_of(session, keys, person_id)
    lines = (
        _line(cycle, courses[cycle.id], texts[cycle.id], versions.get(cycle.id), keys[cycle.id]) for cycle in found
    )
    return Years(tuple(lines), page, pages)


def has_any(session: Session, person_id: str, protocol: str) -> bool:
    """Whether a person has a cycle that follows this protocol; one statement."""
    return session.execute(_cycles_of(person_id, protocol, "").limit(1)).first() is not None


def _cycles_of(person_id: str, protocol: str, without: str) -> Select[str, str]:
    which = (
        select(CycleRow.id, Course.title)
        .join(CycleMember, CycleMember.cycle_id == CycleRow.id)
        .join(Activity, Activity.id == CycleRow.activity_id)
        .join(Course, Course.id == Activity.course_id)
        .where(CycleMember.person_id == person_id, CycleRow.id != without)
    )
    if protocol:
        of_protocol = ProtocolVersion.id == CycleRow.protocol_version_id
        which = which.join(ProtocolVersion, of_protocol).where(ProtocolVersion.key == protocol)
    return which


def _fields(cycle: Cycle) -> list[Field]:
    return [
        field
        for stage in cycle.stages
        if stage.kind != "reflection"
        for field in stage.fields
        if field.key in (*GOALS, *NEXT_STEPS)
    ]


def _register(cycle: Cycle, field: Field) -> Iterable[Register]:
    author_id = cycle.viewer_id if field.by == "each" else None
    facts = cycle.text_facts(field, author_id)
    if any(member.person_id == cycle.viewer_id for member in readers(facts)):
        yield Register(field.key, author_id)


def _line(cycle: Cycle, course: str, texts: Sequence[OpenedText], version: Opened | None, keys: ScopeKeys) -> Line:
    def said(wanted: Iterable[str]) -> tuple[Said, ...]:
        return tuple(
            Said(field.label, text.text, None if field.by == "both" else text.author_id)
            for field in _fields(cycle)
            if field.key in wanted
            for text in texts
            if text.field == field.key and text.text.strip()
        )

    return Line(cycle, course, said(GOALS), said(NEXT_STEPS), version, frozenset(keys.opened_authors))
