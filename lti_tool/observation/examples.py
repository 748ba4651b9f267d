"""An example of each kind of instrument in use, to be drawn where a pair chooses. Pure: always the same; of nobody."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from lti_tool.observation.entries import Entry
from lti_tool.observation.instrument import KINDS, TEACHER, Instrument
from lti_tool.observation.layouts import laid_out

MINUTES = 30
_MINUTE = 60_000
Said = dict[str, Any]


def example(begun: Instrument, texts: Sequence[str]) -> tuple[Instrument, list[Entry]]:
    """What could be noted in MINUTES with an instrument as it ships; `texts`: sentences that could be heard."""
    kind = KINDS[begun.kind]
    used = replace(
        begun,
        plan=laid_out("pairs", 2, 4) if kind.plan else None,
        rows=tuple(replace(each, expected=texts[0]) for each in begun.rows) if kind.expects else begun.rows,
    )
    said = sorted(_SAY[begun.kind](used, texts), key=lambda each: int(each["at_ms"]))
    return used, [Entry("example", number, **each) for number, each in enumerate(said, 1)]


def _spread(count: int, most: int) -> list[int]:
    """`count` whole numbers below `most` that look as if nobody had ordered them, with the first ones more often."""
    return [(i * i * 7 + i * 3 + 1) % 11 * (i % 3 + 1) % most for i in range(count)]


def _taps(count: int) -> list[int]:
    """Times of so many taps."""
    return [int((i + 0.3 + (i * 7 % 5) / 8) * MINUTES * _MINUTE / (count + 1)) for i in range(count)]


def _lines(used: Instrument, texts: Sequence[str]) -> Iterator[Said]:
    keys = [each.key for each in used.codes]
    for i, (at, which) in enumerate(zip(_taps(12), _spread(12, len(keys)), strict=True)):
        yield {"at_ms": at, "code": keys[which], "text": texts[i % len(texts)]}


def _codes(used: Instrument, _texts: Sequence[str]) -> Iterator[Said]:
    keys = [each.key for each in used.codes]
    for at, which in zip(_taps(24), _spread(24, len(keys)), strict=True):
        yield {"at_ms": at, "code": keys[which]}


def _waits(_used: Instrument, _texts: Sequence[str]) -> Iterator[Said]:
    for i, at in enumerate(_taps(16)):
        yield {"at_ms": at, "code": "question" if i % 3 else "answer"}
        yield {"at_ms": at + (600, 900, 3100, 1400, 2200, 5200)[i % 6], "code": "speech"}


def _sweep(used: Instrument, _texts: Sequence[str]) -> Iterator[Said]:
    keys = [each.key for each in used.codes]
    seats = used.plan.seats if used.plan else ()
    for round_ in range(5):
        for each, which in zip(seats, _spread(len(seats), len(keys)), strict=True):
            at = round_ * used.interval_s * 1000 + each.number * 4000
            yield {"at_ms": at, "seat": each.number, "code": keys[(which + (round_ * each.number) % 3) % len(keys)]}


def _flow(used: Instrument, _texts: Sequence[str]) -> Iterator[Said]:
    keys = [each.key for each in used.codes]
    for i, (at, seat) in enumerate(zip(_taps(18), _spread(18, 8), strict=True)):
        ways = ((TEACHER, seat + 1), (seat + 1, TEACHER), (seat + 1, (seat + 3) % 8 + 1))
        yield {"at_ms": at, "seat": ways[i % 3][0], "to_seat": ways[i % 3][1], "code": keys[i % len(keys)]}


def _path(_used: Instrument, _texts: Sequence[str]) -> Iterator[Said]:
    where = ((2.5, 0.5), (0.5, 1.5), (2.5, 2.5), (4.5, 1.5), (2.5, 0.5), (2.5, 3.5), (0.5, 2.5))
    for at, (x, y) in zip(_taps(len(where)), where, strict=True):
        yield {"at_ms": at, "x": x, "y": y}


def _turns(used: Instrument, _texts: Sequence[str]) -> Iterator[Said]:
    keys = [each.key for each in used.codes]
    for i, (at, seat) in enumerate(zip(_taps(24), _spread(24, 6), strict=True)):
        yield {"at_ms": at, "seat": TEACHER} if i % 3 == 0 else {
            "at_ms": at, "seat": seat + 1, "code": keys[i % len(keys)],
        }  # fmt: skip


def _intervals(used: Instrument, _texts: Sequence[str]) -> Iterator[Said]:
    keys = [each.key for each in used.codes]
    for i in range(MINUTES * 60 // used.interval_s):
        for which in {i // 4 % len(keys), (i // 3 + 4) % len(keys)}:
            yield {"at_ms": i * used.interval_s * 1000 + 9000 + which, "code": keys[which]}


def _rows(used: Instrument, texts: Sequence[str]) -> Iterator[Said]:
    needs = KINDS[used.kind].needs
    many = 1 if "code" in needs else 2
    for i, at in enumerate(_taps(many * len(used.rows))):
        said = {"at_ms": at, "row": used.rows[i % len(used.rows)].key}
        text = {"text": texts[i % len(texts)]} if "text" in needs else {}
        yield said | text | ({"code": used.codes[i % len(used.codes)].key} if used.codes else {})


def _cards(_used: Instrument, texts: Sequence[str]) -> Iterator[Said]:
    for at, text in zip(_taps(len(texts)), texts, strict=True):
        yield {"at_ms": at, "text": text}
    yield {"at_ms": 17 * _MINUTE, "column": "question", "text": texts[-1]}


_SAY: dict[str, Callable[[Instrument, Sequence[str]], Iterator[Said]]] = {
    "lines": _lines,
    "quotes": _lines,
    "questions": _codes,
    "waits": _waits,
    "sweep": _sweep,
    "flow": _flow,
    "path": _path,
    "tally": _codes,
    "intervals": _intervals,
    "turns": _turns,
    "predicted": _rows,
    "cards": _cards,
    "voices": _rows,
    "checklist": _rows,
}
