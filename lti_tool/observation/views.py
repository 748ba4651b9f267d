"""All pages of observation, collected on two blueprints."""

# One name a line, so that whoever adds one changes no other.
from lti_tool.observation import (
    build_views,
    capture_views,
    library_views,
    plan_views,
    rehearsal_views,
    show_views,
    visit_views,
    word_views,
)
from lti_tool.observation.views_base import blueprint, visit

__all__ = [
    "blueprint",
    "build_views",
    "capture_views",
    "library_views",
    "plan_views",
    "rehearsal_views",
    "show_views",
    "visit",
    "visit_views",
    "word_views",
]
