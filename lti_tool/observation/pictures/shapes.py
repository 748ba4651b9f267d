"""What a picture consists of: shapes as plain values, tables, sentences. A template draws them.

Every drawing is 320 units wide and is shown at least 256 px wide (a card on a screen of 320 px), so that its letters
are 12 px high there. What is inked is told apart by patterns and letters, never by colour.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from unicodedata import east_asian_width

from lti_tool.observation.entries import Entry, Id
from lti_tool.observation.said import Said

WIDTH = 320
SIZE = 15.2
"""Of letters."""
FILLS = ("ink", "diagonal", "paper", "dots", "lying", "cross", "upright", "grey")
"""Looks of areas, as different from each other as can be; the first code has the first one."""
LOOKS = (*FILLS, "pale", "clear")
"""pale: a tint behind something. clear: an outline alone."""
_WORD = 64
"""Units that a word takes whose language is not known yet."""
_LETTER = "teacher_letter"

Point = tuple[float, float]
Cell = str | int | Said | tuple[str, ...]
"""Of a table: a text or number, something to be said, or lines one under the other."""


@dataclass(frozen=True, slots=True)
class Rect:
    x: float
    y: float
    width: float
    height: float
    look: str
    kind: str = "rect"


@dataclass(frozen=True, slots=True)
class Circle:
    x: float
    y: float
    r: float
    look: str
    kind: str = "circle"


@dataclass(frozen=True, slots=True)
class Path:
    """A line from point to point."""

    points: tuple[Point, ...]
    width: float
    dashed: bool = False
    kind: str = "path"


@dataclass(frozen=True, slots=True)
class Arrow:
    """A curve from the first point to the last, drawn towards the middle one (quadratic), with a head."""

    points: tuple[Point, Point, Point]
    width: float
    head: tuple[Point, Point, Point]
    kind: str = "arrow"


@dataclass(frozen=True, slots=True)
class Text:
    x: float
    y: float
    """Of the line that letters stand on."""
    said: str | Said
    anchor: str = "start"
    """start, middle or end: which part of the text is at x."""
    bold: bool = False
    on: str = ""
    """What it stands on: nothing, `shapes` (it needs paper around its letters), or `ink` (it is as light as paper)."""
    kind: str = "text"


Shape = Rect | Circle | Path | Arrow | Text


@dataclass(frozen=True, slots=True)
class Key:
    """What a letter or a look of the drawing stands for."""

    letter: str
    look: str
    """One of LOOKS, or empty where only the letter is used."""
    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """A row of a table. Its first cell is its heading."""

    cells: tuple[Cell, ...]
    entries: tuple[Id, ...] = ()
    """The entries that it tells of."""


@dataclass(frozen=True, slots=True)
class Table:
    """What the drawing shows, to be read."""

    title: Said
    heads: tuple[Cell, ...]
    lines: tuple[Line, ...]
    as_cards: bool = False
    """Whether its rows are shown as cards where there is little room: they are mainly text."""
    names_cells: bool = False
    """Whether a card says what each of its texts is."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of what was noted, for the eye, for reading, and as sentences."""

    title: str
    words: tuple[Said, ...]
    shapes: tuple[Shape, ...] = ()
    height: float = 0
    """Units; every drawing is WIDTH wide. 0 where there is none."""
    keys: tuple[Key, ...] = ()
    tables: tuple[Table, ...] = ()
    """In all of them together, each entry is in one line."""

    @property
    def width(self) -> int:
        return WIDTH

    @property
    def size(self) -> float:
        """Of its letters."""
        return SIZE


@dataclass(slots=True)
class Canvas:
    """Takes shapes one after the other, and rounds their numbers."""

    shapes: list[Shape] = field(default_factory=list)
    y: float = 0
    """Where the next part begins."""
    _labels: list[tuple[float, float, float, float]] = field(default_factory=list)

    def rect(self, x: float, y: float, width: float, height: float, look: str) -> None:
        self.shapes.append(Rect(_r(x), _r(y), _r(width), _r(height), look))

    def circle(self, x: float, y: float, r: float, look: str) -> None:
        self.shapes.append(Circle(_r(x), _r(y), _r(r), look))

    def path(self, points: Iterable[Point], width: float, *, dashed: bool = False) -> None:
        self.shapes.append(Path(tuple((_r(x), _r(y)) for x, y in points), _r(width), dashed))

    def text(
        self, x: float, y: float, said: str | Said, anchor: str = "start", *, bold: bool = False, on: str = ""
    ) -> None:
        """Writes it at `x`, moved inwards where it would not fit, and shortened where it is longer than the drawing."""
        if isinstance(said, str):
            said = fitted(said, WIDTH - 4)
        left, right = _before_after(anchor, wide(said))
        self.shapes.append(Text(_r(min(max(x, left + 2), WIDTH - right - 2)), _r(y), said, anchor, bold, on))

    def label(self, x: float, y: float, said: str) -> None:
        """Writes it on other shapes, with its middle at `x` and `y`, unless another label is there already."""
        here = (x - wide(said) / 2, y - 0.4 * SIZE, x + wide(said) / 2, y + 0.4 * SIZE)
        if all(
            here[0] >= right or here[2] <= left or here[1] >= bottom or here[3] <= top
            for left, top, right, bottom in self._labels
        ):
            self._labels.append(here)
            self.text(x, y + 0.36 * SIZE, said, "middle", bold=True, on="shapes")

    def arrow(self, points: tuple[Point, Point, Point], width: float) -> None:
        """A head at the last point, pointing away from the middle one."""
        (cx, cy), (x, y) = points[1], points[2]
        length = max(((x - cx) ** 2 + (y - cy) ** 2) ** 0.5, 0.1)
        ux, uy = (x - cx) / length, (y - cy) / length
        size = 5 + width
        back_x, back_y = x - size * ux, y - size * uy
        half = size * 0.5
        head = ((x, y), (back_x - half * uy, back_y + half * ux), (back_x + half * uy, back_y - half * ux))
        rounded = [(_r(px), _r(py)) for px, py in (points[0], points[1], (back_x, back_y), *head)]
        self.shapes.append(Arrow((rounded[0], rounded[1], rounded[2]), _r(width), (rounded[3], rounded[4], rounded[5])))


def wide(said: str | Said, size: float = SIZE) -> float:
    """About how many units a text takes, rather too many than too few."""
    if isinstance(said, Said):
        return size if said.key == _LETTER else _WORD
    return sum(
        size * (1.0 if east_asian_width(sign) in "WF" else 0.75 if sign.isupper() or sign in "mwMW@%…" else 0.58)
        for sign in said
    )


def fitted(text: str, room: float) -> str:
    """The text, or as much of its beginning as `room` units hold."""
    if wide(text) <= room:
        return text
    while text and wide(text + "…") > room:
        text = text[:-1]
    return text.rstrip() + "…"


def clock(ms: int) -> str:
    """A time from the start, in minutes and seconds: 7:05."""
    seconds = ms // 1000
    return f"{seconds // 60}:{seconds % 60:02}"


def ids(entries: Iterable[Entry]) -> tuple[Id, ...]:
    return tuple(each.id for each in entries)


def box(shape: Shape) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of a shape."""
    if isinstance(shape, Rect):
        return shape.x, shape.y, shape.x + shape.width, shape.y + shape.height
    if isinstance(shape, Circle):
        return shape.x - shape.r, shape.y - shape.r, shape.x + shape.r, shape.y + shape.r
    if isinstance(shape, Text):
        left, right = _before_after(shape.anchor, wide(shape.said))
        return shape.x - left, shape.y - 0.8 * SIZE, shape.x + right, shape.y + 0.25 * SIZE
    # A quadratic curve stays within the triangle of its points.
    points = [*shape.points, *(shape.head if isinstance(shape, Arrow) else ())]
    return (
        min(x for x, _ in points), min(y for _, y in points), max(x for x, _ in points), max(y for _, y in points)
    )  # fmt: skip


def _before_after(anchor: str, width: float) -> tuple[float, float]:
    """What of a text is left of its x, and what is right of it."""
    return {"start": (0.0, width), "middle": (width / 2, width / 2), "end": (width, 0.0)}[anchor]


def _r(number: float) -> float:
    return round(float(number), 1)
