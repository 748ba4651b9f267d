"""What is to be said to somebody: a key and values. `words` makes a sentence of it in the language of a page."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Said:
    """One sentence or short phrase that is not in anybody's language yet."""

    key: str
    """One of those that `words.say` knows."""
    values: Mapping[str, "int | float | str"] = field(default_factory=dict)
    """Numbers, and texts that people wrote."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What cannot be taken as it is: where, and what is to be done about it."""

    place: tuple[str | int, ...]
    """Keys and indexes from 0 down to the value, such as ("codes", 2, "text"); empty for the whole."""
    said: Said

    def __str__(self) -> str:
        where = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.place).lstrip(".")
        values = ", ".join(f"{key}={value}" for key, value in self.said.values.items())
        return f"{where or 'all of it'}: {self.said.key}{f' ({values})' if values else ''}"


class RefusedError(Exception):
    """Values that cannot be taken, with every problem of them."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(str(each) for each in problems))
        self.problems = tuple(problems)
