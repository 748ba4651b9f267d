"""What goes and what stays when a teacher deletes their words: values in, values out (decision 0014)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from lti_tool.cycles.rules import Cycle
from lti_tool.privacy.rules import WordsFacts, readers
from lti_tool.protocols.recipe import Field

REFLECTION = "reflection"
"""Stands for a whole reflection: drafts, versions, and passages shared from it."""
PLACES = "places"
"""Stands for the places of meetings that one has typed."""
CAPTURED = "captured"
"""Stands for what one captured in a visit."""
BUILT = "built"
"""Stands for instruments that nobody else wrote in or approved."""


@dataclass(frozen=True, slots=True)
class Part:
    """A text of a cycle that the viewing member wrote in."""

    field: Field
    facts: WordsFacts
    partner_reads: bool
    """Whether the partner can read it now."""


def own_parts(cycle: Cycle, writers: Mapping[str, Collection[str]]) -> tuple[Part, ...]:
    """The texts in which the viewing member wrote, in the order of the protocol; reflections are not among them.

    `writers`: field key → person ids of all who wrote a version of it.
    """
    found = []
    # Of the whole protocol: what was written before the pair went less far is kept, too, though no page shows it.
    for stage in cycle.all_stages:
        for field in stage.fields if stage.kind != "reflection" else ():
            authors = writers.get(field.key, ())
            if cycle.viewer_id not in authors:
                continue
            facts = cycle.text_facts(field, cycle.viewer_id)
            is_shown = field.key in {each.key for here in cycle.stages for each in here.fields}
            found.append(
                Part(
                    field,
                    WordsFacts(cycle.facts, cycle.viewer_id, is_together(cycle, field, authors)),
                    is_shown and any(each.person_id != cycle.viewer_id for each in readers(facts)),
                )
            )
    return tuple(found)


def is_together(cycle: Cycle, field: Field, authors: Collection[str]) -> bool:
    """Whether a text belongs to all: all may write it, and another did, or signed what it says.

    What only one role may write is always theirs, and so is everything once all others were erased.
    """
    others = [each for each in cycle.members if each.person_id != cycle.viewer_id and not each.is_former]
    if field.by not in ("both", "member"):
        return False
    whole = cycle.with_left_out
    items = {agreement.key for stage in whole.stages for agreement in stage.agreements if field.key in agreement.fields}
    memberships = {each.membership_id for each in others}
    has_signed = any(each.item in items and each.membership_id in memberships for each in cycle.signatures)
    return has_signed or any(each.person_id in authors for each in others)
