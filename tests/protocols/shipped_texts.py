"""The protocols that ship, read from their files, for the tests of what they say."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lti_tool.protocols import reader
from lti_tool.protocols.recipe import Protocol, Stage

FOLDER = Path(reader.__file__).with_name("shipped")


def protocol(key: str) -> Protocol:
    return reader.load(FOLDER / f"{key}.yaml")


def conversations(found: Protocol) -> list[Stage]:
    return [stage for stage in found.stages if stage.kind == "conversation"]


def texts(body: Any) -> Iterator[Mapping[str, str]]:
    """All texts of a body in both languages, wherever they stand."""
    if isinstance(body, Mapping):
        if set(body) == {"en", "ga"}:
            yield body
        else:
            for each in body.values():
                yield from texts(each)
    elif isinstance(body, list):
        for each in body:
            yield from texts(each)
