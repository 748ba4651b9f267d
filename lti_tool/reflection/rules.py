"""Decisions about reflections: values in, values out."""

from collections.abc import Iterable, Mapping


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
