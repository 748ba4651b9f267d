"""Decisions about reflections: values in, values out."""

from collections.abc import Iterable


def freeze(drafts: Iterable[tuple[str, str]]) -> dict[str, str]:
    """What a submitted version holds: field → text. Two drafts of one field, from two devices, are both kept in it."""
    frozen: dict[str, str] = {}
    for field, text in drafts:
        if text.strip():
            frozen[field] = f"{frozen[field]}\n\n{text}" if field in frozen else text
    return frozen


def has_changed(drafts: Iterable[tuple[str, str]], submitted: dict[str, str] | None) -> bool:
    """Whether the drafts say something else than the version submitted last (True when there is none)."""
    return submitted is None or freeze(drafts) != submitted
