"""All pages of time, collected on one blueprint."""

from lti_tool.schedule import (
    booking_views,
    calendar_views,
    ledger_views,
    reminder_views,
    timetable_views,
    week_views,
)
from lti_tool.schedule.views_base import blueprint, feed

__all__ = [
    "blueprint",
    "booking_views",
    "calendar_views",
    "feed",
    "ledger_views",
    "reminder_views",
    "timetable_views",
    "week_views",
]
