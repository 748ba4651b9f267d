"""Parts that several pictures have: bars, lanes over time, and keys to the letters."""

from collections.abc import Iterable, Mapping, Sequence
from math import ceil

from lti_tool.observation.entries import Entry
from lti_tool.observation.instrument import Code, Instrument, Row, letters
from lti_tool.observation.pictures.shapes import FILLS, SIZE, Canvas, Key
from lti_tool.observation.said import Said

MINUTE = 60_000
LEFT, RIGHT = 24, 312
"""Between them is time; before them are letters."""
_STRETCH = 15 * MINUTE
"""Of a lesson, on one line."""
_LANE = 20


def keys(lines: Sequence[Code | Row], *, looks: bool = False) -> tuple[Key, ...]:
    """The key to the letters of codes or rows, with their looks where areas have them."""
    found = letters(lines)
    return tuple(Key(found[each.key], FILLS[i] if looks else "", each.text) for i, each in enumerate(lines))


def counted(entries: Iterable[Entry], lines: Sequence[Code | Row], of: str = "code") -> dict[str, int]:
    """Key → how many entries have it, for every line, in their order; and "" for entries without one, if there are."""
    found = {each.key: 0 for each in lines}
    for entry in entries:
        key = getattr(entry, of)
        found[key] = found.get(key, 0) + 1
    return found


def of_each(entries: Iterable[Entry], codes: Sequence[Code]) -> list[Said]:
    """How often each code was noted, as sentences."""
    counts = counted(entries, codes)
    return [Said("of_code", {"code": each.text, "count": counts[each.key]}) for each in codes]


def text_of(instrument: Instrument, key: str) -> str:
    """Of a code; empty where an entry has none."""
    code = instrument.code(key)
    return code.text if code else ""


def bars(canvas: Canvas, labelled: Iterable[tuple[str | Said, int]]) -> None:
    """One bar under the other: a label, a bar of that length, and the number at its end."""
    rows = list(labelled)
    most = max((count for _label, count in rows), default=0) or 1
    for label, count in rows:
        canvas.text(0, canvas.y + SIZE, label)
        canvas.rect(0, canvas.y + 21, max(1.0, 270 * count / most), 15, "ink" if count else "clear")
        canvas.text(max(1.0, 270 * count / most) + 6, canvas.y + 33.5, str(count), bold=True)
        canvas.y += 46


def lanes(canvas: Canvas, by_letter: Mapping[str, Iterable[Entry]], total_ms: int) -> None:
    """A lane for each letter, with a stroke for each entry at its time; a new line every quarter of an hour."""
    for start in range(0, max(total_ms, MINUTE), _STRETCH):
        end = min(start + _STRETCH, max(total_ms, MINUTE))
        scale = (RIGHT - LEFT) / _STRETCH
        for letter, entries in by_letter.items():
            canvas.text(0, canvas.y + SIZE, letter, bold=True)
            canvas.path([(LEFT, canvas.y + _LANE - 2), (LEFT + (end - start) * scale, canvas.y + _LANE - 2)], 0.6)
            for entry in entries:
                if start <= entry.at_ms < end or entry.at_ms == end == total_ms:
                    canvas.rect(LEFT - 1 + (entry.at_ms - start) * scale, canvas.y + 2, 2.4, _LANE - 4, "ink")
            canvas.y += _LANE
        minutes(canvas, [(LEFT + (at - start) * scale, at // MINUTE) for at in range(start, end + 1, 5 * MINUTE)])
        canvas.y += 6


def minutes(canvas: Canvas, marks: Sequence[tuple[float, int]]) -> None:
    """Minutes under an axis: (where, which). The first one says that they are minutes."""
    for i, (x, minute) in enumerate(marks):
        canvas.path([(x, canvas.y - 2), (x, canvas.y + 3)], 0.8)
        if i == 0:
            canvas.text(max(x - 10, 0), canvas.y + 17, Said("axis_minute", {"minute": minute}))
        else:
            canvas.text(x, canvas.y + 17, str(minute), "middle")
    canvas.y += 22


def whole(entries: Sequence[Entry], lasting_minutes: int) -> int:
    """How long the drawing goes on, in thousandths of a second: the lesson, or to its last entry, in whole minutes."""
    last = max((each.at_ms for each in entries), default=0)
    return max(lasting_minutes, 1, ceil(last / MINUTE)) * MINUTE


def share(part: int, of: int) -> int:
    """Per cent, whole."""
    return round(100 * part / of) if of else 0
