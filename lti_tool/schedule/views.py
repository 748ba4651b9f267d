"""All pages of time, collected on one blueprint."""

from lti_tool.schedule.views_base import blueprint

__all__ = ["blueprint"]
