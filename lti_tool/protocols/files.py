"""A protocol as one file: the same bytes for the same protocol, and nothing in it of people or courses.

What the course calls it inside, its key, stays here; the number of the version goes along, and is counted on.
"""

from collections.abc import Mapping
from typing import Any

import yaml

from lti_tool.protocols import reader
from lti_tool.protocols.reader import ProtocolError
from lti_tool.protocols.rules import named

_KEY = "own"
_HEAD = """\
# A coaching protocol, to be brought into a course of Meitheal: Protocols, then "Bring a protocol".
# It holds no names and nothing that anybody wrote in a cycle.
"""
MAX_FILE = 4 * reader.MAX_CHARACTERS
"""Bytes of a file that is looked into."""


def as_file(body: Mapping[str, Any]) -> str:
    """The file of a protocol."""
    text = yaml.dump(named(body, _KEY, body["version"]), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)
    return f"{_HEAD}{text}"


def from_file(content: bytes, name: str) -> dict[str, Any]:
    """The body of a protocol in a file that somebody brought. Raises ProtocolError with the line of each problem."""
    if len(content) > MAX_FILE:
        raise ProtocolError(f"{name}: longer than {reader.MAX_CHARACTERS} characters. Shorten it.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ProtocolError(f"{name}, line 1: has characters that are no text. Save it as UTF-8 text.") from None
    return dict(reader.read(text, name).body)


class _Dumper(yaml.SafeDumper):
    """Writes the same list or words twice where they are there twice: references are not read again."""

    def ignore_aliases(self, data: Any) -> bool:
        return True
