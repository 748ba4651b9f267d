"""Where the views find the school of the running application."""

from typing import TYPE_CHECKING, cast

from flask import current_app

if TYPE_CHECKING:
    from lti_tool.sandbox.school import School


def the_school() -> "School":
    return cast("School", current_app.extensions["sandbox"])
