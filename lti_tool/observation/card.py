"""The roles card of a visit (R60): what is settled before anybody sits down in a lesson. Pure."""

from lti_tool.cycles.rules import Cycle
from lti_tool.protocols.recipe import Field, Stage

CARD = "card"
"""Group of the fields of a visit that are on its card."""
ABOVE_NOTES = ("card_seat", "card_not_recorded")
"""Lines of it that also stand above what was noted."""


def visit_of(cycle: Cycle) -> Stage | None:
    """The visit of a cycle: the one that is not done, or its last; None where it has none."""
    done = {mark.stage for mark in cycle.marks}
    visits = [each for each in cycle.stages if each.kind == "visit"]
    return next((each for each in visits if each.key not in done), visits[-1] if visits else None)


def lines(stage: Stage) -> tuple[Field, ...]:
    """What the card of a visit asks to be settled, in its order."""
    return tuple(each for each in stage.fields if each.group == CARD)


def empty_lines(cycle: Cycle) -> tuple[Field, ...]:
    """What is not settled yet on the card of the visit; while there is any, nothing can be captured."""
    stage = visit_of(cycle)
    if stage is None:
        return ()
    written = {head.field for head in cycle.heads if not head.is_blank}
    return tuple(each for each in lines(stage) if each.key not in written)
