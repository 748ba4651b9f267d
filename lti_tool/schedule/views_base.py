"""The one blueprint of the room.

A module of pages here begins with `from lti_tool.schedule.views_base import blueprint` and hangs its routes on it; its
name is in the list of `views`, which imports it, so that the routes are there before the blueprint is registered.
Addresses are `url_for("schedule.<function>")`, so the functions of all these modules have names of their own.
"""

from flask import Blueprint

blueprint = Blueprint("schedule", __name__)
