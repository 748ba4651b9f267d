"""What the page of one's own says, and the readable file that one takes away."""

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

from flask import render_template
from flask_babel import gettext as _

from lti_tool.cycles import words
from lti_tool.cycles.rules import Cycle
from lti_tool.ownership.service import InCycle
from lti_tool.rounds.rules import Topic
from lti_tool.rounds.words import topic
from lti_tool.schedule import week_words


def as_json(taken: Mapping[str, Any]) -> str:
    """All that is kept of a person (service.collect), for machines; moments in UTC as ISO 8601."""
    return json.dumps(taken, default=_plain, ensure_ascii=False, indent=1)


def as_html(taken: Mapping[str, Any]) -> str:
    """The same for people: one page that needs nothing from anywhere."""
    return render_template(
        "ownership/taken.html",
        taken=taken,
        words=words,
        language=words.language(),
        topic=topic,
        days=[long for _short, long in week_words.days()],
    )


def _plain(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Topic):
        return topic(value)
    raise TypeError(type(value).__name__)


def what_happens(cycle: Cycle, name: str, here: InCycle) -> list[str]:
    """What deleting in a cycle means for the partner, before it is done; sentences."""
    if cycle.is_alone:
        return [_("Nobody but you can read this.")]
    if cycle.is_group:
        said = [
            _("What only you wrote goes for all of you: %(name)s cannot read it any more either.", name=name),
            _(
                "What you wrote together stays, readable to the group as agreed: texts that all of you write, once "
                "somebody else wrote in them too or signed them."
            ),
        ]
        if any(not part.facts.is_together and part.partner_reads for part in here.parts):
            said.append(_("Nobody is told. Where the text was, the others find nothing."))
        return said
    said = [
        _("What only you wrote goes for both of you: %(name)s cannot read it any more either.", name=name),
        _(
            "What you wrote together stays, readable to the two of you as agreed: texts that both of you write, once "
            "%(name)s wrote in them too or signed them.",
            name=name,
        ),
    ]
    if any(not part.facts.is_together and part.partner_reads for part in here.parts):
        said.append(_("%(name)s is not told. Where the text was, %(name)s finds nothing.", name=name))
    return said
