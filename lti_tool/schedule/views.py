"""All pages of time, collected on one blueprint."""

from lti_tool.schedule import timetable_views, week_views
from lti_tool.schedule.views_base import blueprint

__all__ = ["blueprint", "timetable_views", "week_views"]
