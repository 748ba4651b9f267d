"""Finding a name as people type it: values in, values out."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Colleague:
    """Another teacher of the course."""

    membership_id: str
    name: str
    """As the LMS gave it; may be empty where the LMS withholds names."""
    given_name: str


def fold(text: str) -> str:
    """`text` without accents and case: "Seán" and "SEAN" are the same to somebody who searches."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return "".join(character for character in plain if not unicodedata.combining(character))


def search(colleagues: Iterable[Colleague], wanted: str) -> list[Colleague]:
    """Those whose name holds every word of `wanted` (all, when it is empty), in alphabetical order.

    The order is by name only, so that it says nothing about anybody (R38).
    """
    words = fold(wanted).split()
    found = [(fold(colleague.name), colleague) for colleague in colleagues]
    matching = [(key, colleague) for key, colleague in found if all(word in key for word in words)]
    return [colleague for _, colleague in sorted(matching, key=lambda item: (item[0], item[1].membership_id))]
