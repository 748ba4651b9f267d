"""Decisions about reflections: values in, values out."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date


def freeze(drafts: Iterable[tuple[str, str]]) -> dict[str, str]:
    """What a submitted version holds: field → text. Two drafts of one field, from two devices, are both kept in it."""
    frozen: dict[str, str] = {}
    for field, text in drafts:
        if text.strip():
            frozen[field] = f"{frozen[field]}\n\n{text}" if field in frozen else text
    return frozen


def has_changed(
    drafts: Iterable[tuple[str, str]], submitted: Mapping[str, str] | None, in_another_frame: bool = False
) -> bool:
    """Whether the drafts say something else than the version submitted last (True when there is none), or say it under
    other headings."""
    return submitted is None or in_another_frame or freeze(drafts) != submitted


# The long view

GOALS = ("goal", "criteria", "aim", "question")
"""Keys of what protocols call a goal: of the goal itself, and of what stands for it where people look at a question."""
NEXT_STEPS = ("next_steps", "next_lesson")


@dataclass(frozen=True, order=True, slots=True)
class Term:
    """A term of a school year, as people remember it; where it begins and ends differs from school to school."""

    year: int
    number: int
    """Within that calendar year: 0 spring (to March), 1 summer (to July), 2 autumn."""

    @property
    def name(self) -> str:
        """spring, summer or autumn."""
        return ("spring", "summer", "autumn")[self.number]


def term_of(day: date) -> Term:
    """The term in which a day lies."""
    return Term(day.year, 0 if day.month <= 3 else 1 if day.month <= 7 else 2)
