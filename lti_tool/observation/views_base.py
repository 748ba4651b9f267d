"""The two blueprints of the room, and what their pages share.

`blueprint` has the pages of signed-in people, under /at/<handle>/. A module of pages begins with
`from lti_tool.observation.views_base import blueprint` and hangs its routes on it; its name is in the list of `views`,
which imports it, so that the routes are there before the blueprint is registered. Addresses are
`url_for("observation.<function>")`, so the functions of all these modules have names of their own.

`visit` has the pages of the tab of its own that captures a visit, under /visit: without a sign-in, and not in a frame.
"""

from flask import Blueprint

blueprint = Blueprint("observation", __name__)
visit = Blueprint("visit", __name__)
