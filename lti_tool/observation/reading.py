"""Reads values that came as JSON from anywhere, and goes on after a problem, so that all of them are said at once."""

import re
from collections.abc import Iterable
from typing import Any
from unicodedata import category

from lti_tool.observation.said import Problem, RefusedError, Said

MAX_TEXT = 300
"""Characters of a text: of a row, and of what is noted in one go."""
MAX_LABEL = 40
"""Characters of a code: it is a button on a phone."""
MAX_NAME = 80
_KEY = re.compile(r"[a-z][a-z0-9_]{0,23}")

Place = tuple[str | int, ...]


class Reader:
    """Reads plain values. A value that cannot be taken is noted as a problem, and something harmless stands for it."""

    def __init__(self) -> None:
        self._problems: list[Problem] = []

    def done(self) -> None:
        """Raises RefusedError where there was a problem."""
        if self._problems:
            raise RefusedError(self._problems)

    def say(self, place: Place, key: str, **values: int | float | str) -> None:
        """Notes a problem; the first one of a place is the one that has to be mended first."""
        if all(each.place != place for each in self._problems):
            self._problems.append(Problem(place, Said(key, values)))

    def mapping(
        self, value: Any, place: Place, required: Iterable[str], optional: Iterable[str] = ()
    ) -> dict[str, Any]:
        if not isinstance(value, dict):
            self.say(place, "no_mapping")
            return {}
        required = tuple(required)
        allowed = {*required, *optional}
        if not allowed.issuperset(value):
            self.say(place, "unknown", allowed=", ".join(sorted(allowed)))
        for key in required:
            if key not in value:
                self.say((*place, key), "missing")
        return {key: value[key] for key in allowed.intersection(value)}

    def items(self, value: Any, place: Place, most: int) -> list[Any]:
        if not isinstance(value, list):
            self.say(place, "no_list")
            return []
        if len(value) > most:
            self.say(place, "too_many", most=most)
        return value[:most]

    def text(self, value: Any, place: Place, most: int = MAX_TEXT, *, empty: bool = False) -> str:
        """One line of text; a line break becomes a space."""
        if not isinstance(value, str):
            self.say(place, "no_text")
            return ""
        if len(value) > 4 * most:
            self.say(place, "too_long", most=most)
            return ""
        if any(category(sign) in ("Cc", "Cs") and not sign.isspace() for sign in value):
            self.say(place, "odd_signs")
            return ""
        found = " ".join(value.split())
        if len(found) > most:
            self.say(place, "too_long", most=most)
        if not found and not empty:
            self.say(place, "empty")
        return found[:most]

    def key(self, value: Any, place: Place) -> str:
        if not isinstance(value, str) or not _KEY.fullmatch(value):
            self.say(place, "no_key")
            return ""
        return value

    def whole(self, value: Any, place: Place, least: int, most: int) -> int:
        if type(value) is not int or not least <= value <= most:
            self.say(place, "no_whole", least=least, most=most)
            return least
        return value

    def part(self, value: Any, place: Place, most: int) -> float:
        """A number from 0 to `most`, to one decimal place."""
        # Comparing before converting: a whole number of a thousand digits is no float.
        if type(value) not in (int, float) or not 0 <= value <= most:
            self.say(place, "no_part", most=most)
            return 0.0
        return round(float(value), 1)

    def choice(self, value: Any, place: Place, allowed: Iterable[str]) -> str:
        offered = list(allowed)
        if not isinstance(value, str) or value not in offered:
            self.say(place, "no_choice", allowed=", ".join(offered))
            return offered[0] if offered else ""
        return value

    def once(self, values: Iterable[tuple[Any, Place]], key: str) -> None:
        """Notes `key` as the problem of each value that was there before."""
        seen: set[Any] = set()
        for value, place in values:
            if value in seen:
                self.say(place, key)
            seen.add(value)
