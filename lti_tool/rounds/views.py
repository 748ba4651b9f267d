"""All pages of pairing rounds, collected on one blueprint."""

from lti_tool.rounds import answer_views, manager_views, review_views, setting_views, wish_views
from lti_tool.rounds.views_base import blueprint

__all__ = ["answer_views", "blueprint", "manager_views", "review_views", "setting_views", "wish_views"]
