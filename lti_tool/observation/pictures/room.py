"""A plan, drawn: seats with their numbers, and what else is in the room. The front is at the top."""

from dataclasses import dataclass
from itertools import groupby

from lti_tool.observation.instrument import CLASS, TEACHER, Plan
from lti_tool.observation.pictures.shapes import SIZE, WIDTH, Canvas, Cell, Point
from lti_tool.observation.said import Said

_FRONT = 30
"""Units above the plan, where a teacher stands who has no desk."""
_WIDEST = 46
"""Of a place."""


@dataclass(frozen=True, slots=True)
class Room:
    """Where a plan is on a drawing."""

    plan: Plan
    left: float
    top: float
    unit: float
    """Of one place."""

    @property
    def bottom(self) -> float:
        return self.top + self.plan.depth * self.unit

    def at(self, x: float, y: float) -> Point:
        return self.left + x * self.unit, self.top + y * self.unit

    def seat(self, number: int) -> Point:
        """The middle of a seat, or where the teacher is."""
        found = self.plan.seat(number)
        if found:
            return self.at(found.x + 0.5, found.y + 0.5)
        desk = next((each for each in self.plan.marks if each.what == "desk"), None)
        return self.at(desk.x + 0.5, desk.y + 0.5) if desk else (WIDTH / 2, self.top - _FRONT / 2)

    @property
    def radius(self) -> float:
        """Of a seat."""
        return min(0.4 * self.unit, 15)


def place(canvas: Canvas, plan: Plan, *, named: bool = False) -> Room:
    """Takes the room for a plan on a drawing; the caller draws on it, and the canvas goes on below.

    named: with the letters and numbers beside it that places are named by.
    """
    margin = 22 if named else 1
    unit = min((WIDTH - 2 * margin) / plan.width, _WIDEST)
    canvas.y += SIZE if named else 0
    room = Room(plan, (WIDTH - plan.width * unit) / 2, canvas.y + _FRONT, unit)
    for x in range(plan.width) if named else ():
        canvas.text(room.left + (x + 0.5) * unit, room.top - 5, plan.place(x, 0)[0], "middle")
    for y in range(plan.depth) if named else ():
        canvas.text(room.left - 4, room.top + (y + 0.5) * unit + 5.5, str(y + 1), "end")
    canvas.text(0, canvas.y + (4 if named else _FRONT - 10), Said("front"))
    canvas.y = room.bottom + 8
    return room


def floor(canvas: Canvas, room: Room) -> None:
    """Walls, and what is in the room beside seats; marks of one kind side by side are one."""
    plan = room.plan
    canvas.rect(room.left, room.top, plan.width * room.unit, plan.depth * room.unit, "clear")
    marks = sorted(plan.marks, key=lambda each: (each.what, each.y, each.x))
    for (what, y, _), run in groupby(enumerate(marks), key=lambda each: (each[1].what, each[1].y, each[1].x - each[0])):
        found = [mark for _, mark in run]
        x, top = room.at(found[0].x, y)
        long = len(found) * room.unit
        if what == "board" or what == "screen":
            canvas.rect(x + 1, top + 2, long - 2, 5, "ink" if what == "board" else "paper")
        else:
            canvas.rect(x + 2, top + 2, long - 4, room.unit - 4, "pale")
        if what != "desk":
            # From the wall inwards, so that a long word begins or ends in its box.
            anchor, at = "middle", x + long / 2
            if found[0].x == 0 < plan.width - len(found):
                anchor, at = "start", x + 3
            elif found[-1].x == plan.width - 1 > len(found) - 1:
                anchor, at = "end", x + long - 3
            canvas.text(at, top + room.unit / 2 + 5.5, Said(what), anchor, on="shapes")


def seats(canvas: Canvas, room: Room) -> None:
    """Seats as circles with their numbers, and the teacher."""
    for each in room.plan.seats:
        x, y = room.seat(each.number)
        canvas.circle(x, y, room.radius, "paper")
        canvas.text(x, y + 0.36 * SIZE, str(each.number), "middle")
    if room.plan.seats:
        x, y = room.seat(TEACHER)
        canvas.circle(x, y, 13, "ink")
        canvas.text(x, y + 0.36 * SIZE, Said("teacher_letter"), "middle", bold=True, on="ink")


def tables(canvas: Canvas, room: Room) -> None:
    """Seats as tables with their numbers, where circles mean something else."""
    for each in room.plan.seats:
        x, y = room.seat(each.number)
        canvas.rect(x - room.radius, y - room.radius, 2 * room.radius, 2 * room.radius, "paper")
        canvas.text(x, y + 0.36 * SIZE, str(each.number), "middle")


def who(number: int | None) -> Cell:
    """A seat, the teacher or the class, for a table."""
    if number == TEACHER:
        return Said("teacher")
    return Said("class") if number == CLASS else Said("seat", {"number": number or 0})
