"""All pages of observation, collected on two blueprints."""

from lti_tool.observation import show_views
from lti_tool.observation.views_base import blueprint, visit

__all__ = ["blueprint", "show_views", "visit"]
