"""Pictures of what was written down: scripting, word for word, moments, three pupils, what pupils say, a list."""

from collections.abc import Sequence

from lti_tool.observation.entries import Entry
from lti_tool.observation.instrument import Instrument, letters
from lti_tool.observation.pictures.parts import bars, counted, keys, lanes, of_each, text_of
from lti_tool.observation.pictures.shapes import Canvas, Cell, Line, Picture, Table, clock, ids
from lti_tool.observation.said import Said


def timeline(instrument: Instrument, entries: Sequence[Entry], total_ms: int) -> Picture:
    """Scripting: a lane for each speaker, and the lines."""
    canvas = Canvas()
    by_code = letters(instrument.codes)
    lanes(canvas, {letter: [e for e in entries if e.code == key] for key, letter in by_code.items()}, total_ms)
    seats = any(each.seat is not None for each in entries)
    heads: list[Cell] = [
        Said("head_time"),
        Said("head_what"),
        *([Said("head_seat")] if seats else []),
        Said("head_line"),
    ]
    lines = tuple(
        Line((clock(e.at_ms), text_of(instrument, e.code), *([_seat(e)] if seats else []), e.text), (e.id,))
        for e in entries
    )
    return Picture(
        instrument.name,
        (Said("lines", {"count": len(entries)}), *of_each(entries, instrument.codes)),
        tuple(canvas.shapes),
        canvas.y,
        keys(instrument.codes),
        (Table(Said("table_lines"), tuple(heads), lines, as_cards=True),),
    )


def quotes(instrument: Instrument, entries: Sequence[Entry], total_ms: int) -> Picture:
    """Word for word: counts, when they were said, and the list."""
    canvas = Canvas()
    by_code = letters(instrument.codes)
    counts = counted(entries, instrument.codes)
    bars(canvas, [(f"{by_code[each.key]}  {each.text}", counts[each.key]) for each in instrument.codes])
    lanes(canvas, {letter: [e for e in entries if e.code == key] for key, letter in by_code.items()}, total_ms)
    found = timeline(instrument, entries, total_ms)
    return Picture(
        instrument.name,
        (Said("quotes", {"count": len(entries)}), *of_each(entries, instrument.codes)),
        tuple(canvas.shapes),
        canvas.y,
        tables=found.tables,
    )


def cards(instrument: Instrument, entries: Sequence[Entry], total_ms: int) -> Picture:
    """Moments: when they were, and a card for each."""
    canvas = Canvas()
    lanes(canvas, {"•": entries}, total_ms)
    lines = tuple(Line((clock(each.at_ms), each.text), (each.id,)) for each in entries)
    return Picture(
        instrument.name,
        (Said("moments", {"count": len(entries)}),),
        tuple(canvas.shapes),
        canvas.y,
        tables=(Table(Said("table_moments"), (Said("head_time"), Said("head_moment")), lines, as_cards=True),),
    )


def predicted(instrument: Instrument, entries: Sequence[Entry], total_ms: int) -> Picture:
    """A few pupils: when something of each was noted, and what was expected beside what was seen."""
    canvas = Canvas()
    by_row = letters(instrument.rows)
    of = {row.key: [each for each in entries if each.row == row.key] for row in instrument.rows}
    lanes(canvas, {by_row[key]: found for key, found in of.items()}, total_ms)
    lines = tuple(
        Line(
            (row.text, row.expected, tuple(f"{clock(each.at_ms)} {each.text}" for each in of[row.key])),
            ids(of[row.key]),
        )
        for row in instrument.rows
    )
    heads = (Said("head_pupil"), Said("head_expected"), Said("head_seen"))
    return Picture(
        instrument.name,
        (
            Said("noted", {"count": len(entries)}),
            *(Said("noted_of", {"name": row.text, "count": len(of[row.key])}) for row in instrument.rows),
        ),
        tuple(canvas.shapes),
        canvas.y,
        keys(instrument.rows),
        (Table(Said("table_pupils"), heads, lines, as_cards=True, names_cells=True),),
    )


def voices(instrument: Instrument, entries: Sequence[Entry], total_ms: int) -> Picture:
    """What pupils say: how often each theme came up, and the answers under their questions."""
    del total_ms  # When somebody said it tells nothing, and could tell who it was.
    canvas = Canvas()
    counts = counted(entries, instrument.codes)
    bars(
        canvas,
        [
            *((each.text, counts[each.key]) for each in instrument.codes),
            *([(Said("no_theme"), counts[""])] if counts.get("") and instrument.codes else []),
        ],
    )
    lines = tuple(
        Line((row.text, each.text, *([text_of(instrument, each.code)] if instrument.codes else [])), (each.id,))
        for row in instrument.rows
        for each in sorted((e for e in entries if e.row == row.key), key=lambda e: e.text)
    )
    heads = (Said("head_question"), Said("head_answer"), *([Said("head_theme")] if instrument.codes else []))
    return Picture(
        instrument.name,
        (Said("answers", {"count": len(entries)}), *of_each(entries, instrument.codes)),
        tuple(canvas.shapes),
        canvas.y,
        tables=(Table(Said("table_answers"), heads, lines, as_cards=True),),
    )


def checklist(instrument: Instrument, entries: Sequence[Entry], total_ms: int) -> Picture:
    """A list of the pair's own: what was tapped last in each row, and the remarks to it. Nothing is added up."""
    del total_ms
    lines = []
    for row in instrument.rows:
        found = [each for each in entries if each.row == row.key]
        said: Cell = text_of(instrument, found[-1].code) if found else Said("not_said")
        remarks = tuple(f"{clock(each.at_ms)} {each.text}" for each in found if each.text)
        lines.append(Line((row.text, said, remarks), ids(found)))
    heads = (Said("head_row"), Said("head_what"), Said("head_remarks"))
    return Picture(
        instrument.name,
        (Said("rows_said", {"count": sum(bool(each.entries) for each in lines), "of": len(lines)}),),
        tables=(Table(Said("table_list"), heads, tuple(lines), as_cards=True),),
    )


def note(title: Said, head: Said, entries: Sequence[Entry]) -> Table:
    """Lines of another column than what was seen and heard."""
    return Table(
        title, (Said("head_time"), head), tuple(Line((clock(e.at_ms), e.text), (e.id,)) for e in entries), as_cards=True
    )


def _seat(entry: Entry) -> Cell:
    return "" if entry.seat is None else Said("seat", {"number": entry.seat})
