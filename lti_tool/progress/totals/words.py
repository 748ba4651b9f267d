"""The words of totals."""

from dataclasses import dataclass

from babel.dates import format_date
from flask_babel import get_locale
from flask_babel import gettext as _

from lti_tool.progress.totals.service import MonthlyTotals


@dataclass(frozen=True, slots=True)
class TotalLines:
    """What the card of a school says."""

    lines: tuple[tuple[str, str], ...]
    """What is counted, and how many."""
    month: str
    """When it was counted, such as November 2026."""


def lines(monthly: MonthlyTotals | None) -> TotalLines | None:
    """The totals of a school in words; None before they were counted for the first time."""
    if monthly is None:
        return None
    totals = monthly.totals
    return TotalLines(
        (
            (_("Teachers who take part"), _number(totals.taking_part)),
            (_("Of these, have submitted a reflection"), _number(totals.submitted)),
            (_("Of these, have finished a cycle with a colleague"), _number(totals.finished)),
        ),
        str(format_date(monthly.counted_on, "MMMM yyyy", locale=get_locale())),
    )


def _number(number: int | None) -> str:
    return str(_("Not shown") if number is None else _("%(number)s or more", number=number))
