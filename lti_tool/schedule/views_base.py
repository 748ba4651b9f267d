"""The two blueprints of the room.

`blueprint` has the pages of signed-in people, under /at/<handle>/. A module of pages here begins with
`from lti_tool.schedule.views_base import blueprint` and hangs its routes on it; its name is in the list of `views`,
which imports it, so that the routes are there before the blueprint is registered. Addresses are
`url_for("schedule.<function>")`, so the functions of all these modules have names of their own.

`feed` has the private addresses that calendar programs read, under /calendar: without a sign-in.
"""

from flask import Blueprint

blueprint = Blueprint("schedule", __name__)
feed = Blueprint("calendar_feed", __name__)
