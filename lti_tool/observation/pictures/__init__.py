"""Pictures of an observation, drawn from its entries. Pure: the same entries give the same picture, on every device."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from lti_tool.observation.entries import Entry, standing
from lti_tool.observation.instrument import Instrument
from lti_tool.observation.pictures import counts, seats, talk
from lti_tool.observation.pictures.parts import whole
from lti_tool.observation.pictures.shapes import Picture
from lti_tool.observation.said import Said

_Draw = Callable[[Instrument, Sequence[Entry], int], Picture]
_DRAW: Mapping[str, _Draw] = {
    "lines": talk.timeline,
    "quotes": talk.quotes,
    "questions": counts.questions,
    "waits": counts.waits,
    "sweep": seats.sweep,
    "flow": seats.flow,
    "path": seats.path,
    "tally": counts.tally,
    "intervals": counts.intervals,
    "turns": seats.turns,
    "predicted": talk.predicted,
    "cards": talk.cards,
    "voices": talk.voices,
    "checklist": talk.checklist,
}


def draw(instrument: Instrument, entries: Iterable[Entry], minutes: int) -> Picture:
    """The picture of a visit of so many minutes.

    `entries` come in any order and from any number of devices; what was taken back is left out. Who draws it leaves
    out the column of the coach (`mine`) for everybody else.
    """
    found = standing(entries)
    seen = [each for each in found if each.column == "seen"]
    picture = _DRAW[instrument.kind](instrument, seen, whole(seen, minutes))
    notes = [
        talk.note(Said(f"table_{column}"), Said(f"head_{column}"), lines)
        for column in ("question", "mine")
        if (lines := [each for each in found if each.column == column])
    ]
    return replace(picture, tables=(*picture.tables, *notes))
