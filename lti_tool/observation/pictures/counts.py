"""Pictures of what is counted in time: kinds of question, silences, counters, stretches of time."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from statistics import median

from lti_tool.observation.entries import Entry
from lti_tool.observation.instrument import Instrument, letters
from lti_tool.observation.pictures.parts import LEFT, MINUTE, RIGHT, bars, counted, minutes, of_each, text_of
from lti_tool.observation.pictures.shapes import SIZE, Canvas, Line, Picture, Table, clock, ids
from lti_tool.observation.said import Said

_BIN = 5 * MINUTE
_HOUR = 12
"""Bins on one line."""
_LONGEST_S = 30
"""Seconds of silence that the axis goes to; longer ones stand at its end."""


def questions(instrument: Instrument, entries: Sequence[Entry], total_ms: int) -> Picture:
    """Kinds of question: bars, and a strip of the questions in their order."""
    del total_ms
    canvas = Canvas()
    by_code = letters(instrument.codes)
    counts = counted(entries, instrument.codes)
    bars(canvas, [(f"{by_code[each.key]}  {each.text}", counts[each.key]) for each in instrument.codes])
    if entries:
        canvas.y += 6
        canvas.text(0, canvas.y + SIZE, Said("in_order"))
        canvas.y += 24
        _strip(canvas, list(by_code.items()), entries)
    lines = tuple(
        Line((i, clock(each.at_ms), text_of(instrument, each.code), each.text), (each.id,))
        for i, each in enumerate(entries, 1)
    )
    heads = (Said("head_number"), Said("head_time"), Said("head_kind"), Said("head_words"))
    return Picture(
        instrument.name,
        (Said("questions", {"count": len(entries)}), *of_each(entries, instrument.codes)),
        tuple(canvas.shapes),
        canvas.y,
        tables=(Table(Said("table_questions"), heads, lines),),
    )


def _strip(canvas: Canvas, codes: list[tuple[str, str]], entries: Sequence[Entry]) -> None:
    """A square for each question from left to right, in the lane of its kind."""
    across = 24 if len(entries) <= 96 else 48
    size = (RIGHT - LEFT) / across
    for start in range(0, len(entries), across):
        here = entries[start : start + across]
        for key, letter in codes:
            canvas.text(0, canvas.y + SIZE, letter, bold=True)
            canvas.path([(LEFT, canvas.y + 17.5), (LEFT + len(here) * size, canvas.y + 17.5)], 0.6)
            for i, each in enumerate(here):
                if each.code == key:
                    canvas.rect(LEFT + i * size + 0.5, canvas.y + 3, size - 1, 13, "ink")
            canvas.y += 19
        canvas.text(LEFT, canvas.y + SIZE, str(start + 1))
        if len(here) > 3:
            canvas.text(LEFT + len(here) * size, canvas.y + SIZE, str(start + len(here)), "end")
        canvas.y += 26


@dataclass(frozen=True, slots=True)
class _Silence:
    """From the end of a question or an answer to the next word; one of the two taps may be missing."""

    start: Entry | None
    end: Entry | None

    @property
    def seconds(self) -> float | None:
        return (self.end.at_ms - self.start.at_ms) / 1000 if self.start and self.end else None


def _silences(entries: Sequence[Entry]) -> list[_Silence]:
    found = []
    start = None
    for entry in entries:
        if entry.code != "speech":
            if start:
                found.append(_Silence(start, None))
            start = entry
        else:
            found.append(_Silence(start, entry))
            start = None
    return [*found, _Silence(start, None)] if start else found


def waits(instrument: Instrument, entries: Sequence[Entry], total_ms: int) -> Picture:
    """Time to think: a dot for each silence, and the one in the middle."""
    del total_ms
    canvas = Canvas()
    silences = _silences(entries)
    words = [Said("silences", {"count": sum(each.seconds is not None for each in silences)})]
    everything = [each.seconds for each in silences if each.seconds is not None]
    end = min(_LONGEST_S, max(5, ceil(max(everything, default=0))))
    step = 1 if end <= 10 else 5
    end = ceil(end / step) * step
    for code in instrument.codes:
        if code.key == "speech":
            continue
        lasting = sorted(
            each.seconds for each in silences if each.seconds is not None and each.start and each.start.code == code.key
        )
        canvas.text(0, canvas.y + SIZE, code.text, bold=True)
        canvas.y += 22
        if lasting:
            middle = median(lasting)
            _dots(canvas, lasting, middle, end)
            words.append(Said("median", {"code": code.text, "count": len(lasting), "seconds": _tenths(middle)}))
        _seconds(canvas, end, step)
    canvas.text(RIGHT, canvas.y + 8, Said("axis_seconds"), "end")
    canvas.y += 14
    if any(each > end for each in everything):
        words.append(Said("longer", {"count": sum(each > end for each in everything), "seconds": end}))
    lines = tuple(
        Line(
            (
                clock((each.start or each.end).at_ms),  # type: ignore[union-attr]
                text_of(instrument, each.start.code) if each.start else Said("no_start"),
                Said("no_end") if each.end is None else "" if each.seconds is None else _tenths(each.seconds),
            ),
            ids(entry for entry in (each.start, each.end) if entry),
        )
        for each in silences
    )
    heads = (Said("head_time"), Said("head_after"), Said("head_seconds"))
    return Picture(
        instrument.name,
        tuple(words),
        tuple(canvas.shapes),
        canvas.y,
        tables=(Table(Said("table_silences"), heads, lines),),
    )


def _dots(canvas: Canvas, lasting: Sequence[float], middle: float, end: int) -> None:
    """Dots on top of each other where silences were as long; a broken line at the one in the middle."""
    columns = 30
    width = (RIGHT - LEFT) / columns
    stacks: dict[int, int] = {}
    for each in lasting:
        column = min(int(each / end * columns), columns - 1)
        stacks[column] = stacks.get(column, 0) + 1
    highest = max(stacks.values())
    apart = min(width, 130 / highest)
    height = highest * apart + 22
    x = LEFT + min(middle / end, 1) * (RIGHT - LEFT)
    canvas.path([(x, canvas.y + 20), (x, canvas.y + height)], 2, dashed=True)
    canvas.text(x, canvas.y + SIZE, Said("middle", {"seconds": _tenths(middle)}), "middle")
    for column, count in stacks.items():
        for i in range(count):
            canvas.circle(LEFT + (column + 0.5) * width, canvas.y + height - (i + 0.5) * apart, width * 0.42, "ink")
    canvas.y += height


def _seconds(canvas: Canvas, end: int, step: int) -> None:
    canvas.path([(LEFT, canvas.y + 2), (RIGHT, canvas.y + 2)], 1)
    for second in range(0, end + 1, step):
        x = LEFT + second / end * (RIGHT - LEFT)
        canvas.path([(x, canvas.y), (x, canvas.y + 6)], 0.8)
        canvas.text(x, canvas.y + 21, str(second), "middle")
    canvas.y += 32


def tally(instrument: Instrument, entries: Sequence[Entry], total_ms: int) -> Picture:
    """Counters: bars for every five minutes, a row for each; a new line every hour."""
    canvas = Canvas()
    bins = max(ceil(total_ms / _BIN), 1)
    place = {each.id: min(each.at_ms // _BIN, bins - 1) for each in entries}
    counts = {code.key: [0] * bins for code in instrument.codes}
    for each in entries:
        counts[each.code][place[each.id]] += 1
    most = max((count for row in counts.values() for count in row), default=0) or 1
    across = min(bins, _HOUR)
    size = (RIGHT - LEFT) / max(across, 6)
    for start in range(0, bins, _HOUR):
        stop = min(start + _HOUR, bins)
        for code in instrument.codes:
            canvas.text(0, canvas.y + SIZE, code.text)
            base = canvas.y + 22 + SIZE + 36
            for i in range(start, stop):
                count = counts[code.key][i]
                if count:
                    x = LEFT + (i - start) * size
                    canvas.rect(x + 2, base - 36 * count / most, size - 4, 36 * count / most, "ink")
                    canvas.text(x + size / 2, base - 36 * count / most - 3, str(count), "middle")
            canvas.path([(LEFT, base), (LEFT + (stop - start) * size, base)], 1)
            canvas.y = base + 6
        _bin_minutes(canvas, start, stop, size, total_ms)
    lines = tuple(
        Line(
            (_span(i * 5, min((i + 1) * 5, total_ms // MINUTE)), *(counts[code.key][i] for code in instrument.codes)),
            ids(each for each in entries if place[each.id] == i),
        )
        for i in range(bins)
    )
    sums = Line((Said("altogether"), *(sum(counts[code.key]) for code in instrument.codes)))
    return Picture(
        instrument.name,
        (Said("noted", {"count": len(entries)}), *of_each(entries, instrument.codes)),
        tuple(canvas.shapes),
        canvas.y,
        tables=(
            Table(
                Said("table_counts"), (Said("head_minutes"), *(each.text for each in instrument.codes)), (*lines, sums)
            ),
        ),
    )


def _bin_minutes(canvas: Canvas, start: int, stop: int, size: float, total_ms: int) -> None:
    step = 3 if stop - start > 6 else 1
    marks = [(LEFT + (i - start) * size, i * 5) for i in range(start, stop + 1, step)]
    minutes(canvas, [(x, minute) for x, minute in marks if minute * MINUTE <= total_ms])
    canvas.y += 8


def intervals(instrument: Instrument, entries: Sequence[Entry], total_ms: int) -> Picture:
    """Stretches of time: a strip for each code, filled where it went on."""
    canvas = Canvas()
    length = instrument.interval_s * 1000
    number = max(ceil(total_ms / length), 1)
    place = {each.id: min(each.at_ms // length, number - 1) for each in entries}
    found = {code.key: {place[each.id] for each in entries if each.code == code.key} for code in instrument.codes}
    across = max(min(number, ceil(60 * MINUTE / length), 60), 1)
    size = (RIGHT - LEFT) / across
    for start in range(0, number, across):
        stop = min(start + across, number)
        for code in instrument.codes:
            canvas.text(0, canvas.y + SIZE, code.text)
            canvas.rect(LEFT, canvas.y + 20, (stop - start) * size, 14, "clear")
            for first, last in _runs(sorted(i for i in found[code.key] if start <= i < stop)):
                canvas.rect(LEFT + (first - start) * size, canvas.y + 20, (last - first + 1) * size, 14, "ink")
            canvas.y += 40
        begins, ends = start * length, stop * length
        step = (5 if ends - begins <= 20 * MINUTE else 10 if ends - begins <= 45 * MINUTE else 15) * MINUTE
        marks = range(ceil(begins / step) * step, ends + 1, step)
        minutes(canvas, [(LEFT + (at - begins) / length * size, at // MINUTE) for at in marks])
        canvas.y += 8
    lines = tuple(
        Line(
            (
                f"{clock(i * length)}–{clock((i + 1) * length)}",
                *("●" if i in found[code.key] else "" for code in instrument.codes),
            ),
            ids(each for each in entries if place[each.id] == i),
        )
        for i in range(number)
    )
    sums = Line((Said("stretches"), *(len(found[code.key]) for code in instrument.codes)))
    return Picture(
        instrument.name,
        (
            Said("noted", {"count": len(entries)}),
            *(
                Said("in_stretches", {"code": code.text, "count": len(found[code.key]), "of": number})
                for code in instrument.codes
            ),
        ),
        tuple(canvas.shapes),
        canvas.y,
        tables=(
            Table(
                Said("table_stretches"),
                (Said("head_stretch"), *(each.text for each in instrument.codes)),
                (*lines, sums),
            ),
        ),
    )


def _runs(numbers: Sequence[int]) -> list[tuple[int, int]]:
    """(First, last) of each run of numbers without a gap."""
    found: list[tuple[int, int]] = []
    for each in numbers:
        if found and found[-1][1] == each - 1:
            found[-1] = (found[-1][0], each)
        else:
            found.append((each, each))
    return found


def _span(first: int, last: int) -> str:
    return f"{first}–{last}"


def _tenths(seconds: float) -> str:
    return f"{seconds:.1f}"
