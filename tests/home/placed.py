"""Further activities of a course, as a trainer places them."""

from datetime import datetime
from typing import Any

from factories import MadeCourse

from lti_tool.activities.models import Activity, ActivityTrainer
from lti_tool.store.base import new_id
from lti_tool.store.database import Database


def add_activity(database: Database, course: MadeCourse, now: datetime, **values: Any) -> str:
    """Id of one more activity of the course, open and with the same trainer unless `values` say otherwise."""
    activity = Activity(
        id=new_id(),
        course_id=course.course_id,
        resource_link_id=new_id(),
        created_at=now,
        **{"status": "open"} | values,
    )
    with database.write() as session:
        session.add(activity)
        session.flush()
        session.add(ActivityTrainer(activity_id=activity.id, membership_id=course.trainer, created_at=now))
        return activity.id
