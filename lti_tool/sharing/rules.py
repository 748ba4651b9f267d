"""Decisions about shared passages: values in, values out."""

from collections.abc import Iterable
from datetime import datetime, tzinfo
from typing import Protocol, TypeVar

from lti_tool.people.rules import fold

AUDIENCES = ("partner", "cohort", "trainer", "portfolio")
"""In the order in which they are offered: the smallest that reads it first, one's own collection last."""


def is_passage_of(passage: str, text: str) -> bool:
    """Whether `passage` stands in `text` word for word; how much white space there is makes no difference.

    So nobody can release what they did not submit. An empty passage is none.
    """
    wanted = " ".join(passage.split())
    return bool(wanted) and wanted in " ".join(text.split())


class Shared(Protocol):
    """What the order of a list looks at."""

    @property
    def id(self) -> str: ...

    @property
    def author(self) -> str: ...

    @property
    def shared_at(self) -> datetime: ...


_Share = TypeVar("_Share", bound=Shared)


def by_month(shares: Iterable[_Share], zone: tzinfo) -> list[_Share]:
    """The newest month first (in `zone`), and in a month by name: an order that compares nobody (R38)."""
    by_name = sorted(shares, key=lambda share: (fold(share.author), share.id))
    return sorted(by_name, key=lambda share: _month(share, zone), reverse=True)


def _month(share: Shared, zone: tzinfo) -> tuple[int, int]:
    local = share.shared_at.astimezone(zone)
    return local.year, local.month
