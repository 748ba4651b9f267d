"""All pages of time, collected on one blueprint."""

from lti_tool.schedule import booking_views, timetable_views, week_views
from lti_tool.schedule.views_base import blueprint

__all__ = ["blueprint", "booking_views", "timetable_views", "week_views"]
