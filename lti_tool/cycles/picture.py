"""The geometry of the cycle's picture: values in, numbers out. An open ring, one arc per stage, clockwise."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

_CENTRE = (180.0, 122.0)
"""In a box of 360 × 206, as the template draws it."""
_RADIUS = 76.0
_OPEN = 70.0
"""Degrees left open at the bottom: a cycle has a beginning, and an end from which it goes on."""
_GAP = 7.0
"""Degrees between two arcs."""
_TO_LABEL = 22.0


@dataclass(frozen=True, slots=True)
class Arc:
    """One stage: its path, and where its word stands."""

    path: str
    x: float
    y: float
    anchor: str
    """start, middle or end, as SVG's text-anchor."""
    here_x: float
    here_y: float
    """Middle of the arc, where "you are here" is marked."""
    state: str
    word: str


def arcs(stages: Sequence[tuple[str, str]]) -> list[Arc]:
    """An arc for each (state, word), from the lower left over the top to the lower right."""
    span = (360 - _OPEN) / max(1, len(stages))
    first = 90 + _OPEN / 2
    found = []
    for index, (state, word) in enumerate(stages):
        begin, end = first + index * span + _GAP / 2, first + (index + 1) * span - _GAP / 2
        middle = (begin + end) / 2
        (x1, y1), (x2, y2) = _point(begin, _RADIUS), _point(end, _RADIUS)
        here, label = _point(middle, _RADIUS), _point(middle, _RADIUS + _TO_LABEL)
        side = math.cos(math.radians(middle))
        found.append(
            Arc(
                path=f"M{x1} {y1} A{_RADIUS:g} {_RADIUS:g} 0 0 1 {x2} {y2}",
                x=label[0],
                y=round(label[1] + 4, 1),
                anchor="middle" if abs(side) < 0.3 else "start" if side > 0 else "end",
                here_x=here[0],
                here_y=here[1],
                state=state,
                word=word,
            )
        )
    return found


def _point(degrees: float, radius: float) -> tuple[float, float]:
    angle = math.radians(degrees)
    return round(_CENTRE[0] + radius * math.cos(angle), 1), round(_CENTRE[1] + radius * math.sin(angle), 1)
