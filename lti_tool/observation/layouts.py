"""Ways in which seats are often put, for a pair to begin the plan of a room from. Pure values."""

from lti_tool.observation.instrument import MOST_DEEP, MOST_SEATS, MOST_WIDE, Mark, Plan, Seat

LAYOUTS = ("rows", "pairs", "groups", "horseshoe", "room")
"""rows: single tables. pairs: with a gap after every second seat. groups: of four, also with gaps between the rows.
horseshoe: one row at the back, and one on each side. room: without seats."""
_FRONT = 2
"""Rows of places that are left free in front of the seats."""


def laid_out(layout: str, rows: int, seats: int) -> Plan | None:
    """A plan of so many rows with so many seats each, numbered from the front left as one reads; the board in front.

    For a horseshoe, `seats` are at the back and `rows` on each side. None where they are too many for a plan.
    """
    if not (1 <= rows <= MOST_DEEP and 1 <= seats <= MOST_WIDE):
        return None
    if layout == "room":
        width, depth, spots = seats, rows, []
    else:
        spots = _horseshoe(rows, seats) if layout == "horseshoe" else _in_rows(layout, rows, seats)
        width, depth = max(x for x, _ in spots) + 1, max(y for _, y in spots) + 1
    if width > MOST_WIDE or depth > MOST_DEEP or len(spots) > MOST_SEATS:
        return None
    numbered = tuple(Seat(number, x, y) for number, (x, y) in enumerate(sorted(spots, key=lambda at: at[::-1]), 1))
    # In the middle, and as wide as one: a mark is one place.
    return Plan(width, depth, numbered, (Mark("board", (width - 1) // 2, 0),))


def _in_rows(layout: str, rows: int, seats: int) -> list[tuple[int, int]]:
    across, along = layout != "rows", layout == "groups"
    return [
        (x + (x // 2 if across else 0), _FRONT + y + (y // 2 if along else 0))
        for y in range(rows)
        for x in range(seats)
    ]


def _horseshoe(rows: int, seats: int) -> list[tuple[int, int]]:
    sides = [(x, _FRONT + y) for y in range(rows) for x in (0, seats + 1)]
    return sides + [(1 + x, _FRONT + rows) for x in range(seats)]
