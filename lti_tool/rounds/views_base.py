"""The one blueprint of the room, and who stands before its pages.

A module of pages here begins with `from lti_tool.rounds.views_base import blueprint` and hangs its routes on it; its
name is in the list of `views`, which imports it, so that the routes are there before the blueprint is registered.
Addresses are `url_for("rounds.<function>")`, so the functions of all these modules have names of their own.
"""

from flask import Blueprint, abort
from sqlalchemy.orm import Session

from lti_tool.activities import service as activities
from lti_tool.activities.service import ActivityView
from lti_tool.pairing.views import teachers_activity
from lti_tool.privacy.rules import Action, may
from lti_tool.web.context import actor

blueprint = Blueprint("rounds", __name__)


def round_of_trainer(session: Session) -> ActivityView:
    """The pairing round that the signed-in person holds as its trainer; a 404 for everybody else."""
    activity = activities.find(session, actor().activity_id or "")
    if activity is None or activity.kind != "pairing" or not may(actor(), Action.HOLD_ROUND, activity.facts):
        abort(404)
    return activity


def round_of_teacher(session: Session) -> ActivityView:
    """The pairing round in which the signed-in person takes part; a 404 for everybody else."""
    activity = teachers_activity(session)
    if activity.kind != "pairing":
        abort(404)
    return activity
