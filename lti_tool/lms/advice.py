"""Where in an LMS its administrator finds what the tool needs, by the names of its menus.

As the makers' manuals name them: Moodle 4, Canvas, Blackboard Learn, Brightspace, Sakai 23. An LMS that is not known is
spoken of in words that fit any.
"""

from enum import StrEnum

from flask_babel import gettext as _

from lti_tool.lms.families import family_of


class Need(StrEnum):
    """What an LMS has to let the tool have."""

    ACTIVE = "active"
    """That the tool is switched on."""
    NAMES = "names"
    ROSTER = "roster"
    GRADES = "grades"


def where_to_find(code: str, need: Need) -> str:
    """A sentence that leads to a setting, for a product family code (unknown or empty: for any LMS)."""
    match family_of(code).display_name:
        case "Moodle":
            return _moodle(need)
        case "Canvas":
            return _canvas(need)
        case "Blackboard":
            return _blackboard(need)
        case "Brightspace":
            return _brightspace(need)
        case "Sakai":
            return _sakai(need)
        case _:
            return _any(need)


def _moodle(need: Need) -> str:
    tools = _("Site administration → Plugins → Activity modules → External tool → Manage tools")
    match need:
        case Need.ACTIVE:
            return _("In Moodle: %(tools)s. If the tool is marked as Pending, choose Activate.", tools=tools)
        case Need.NAMES:
            return _(
                "In Moodle: %(tools)s, the cog of the tool, Privacy: set “Share launcher's name with tool” to Always.",
                tools=tools,
            )
        case Need.ROSTER:
            return _(
                "In Moodle: %(tools)s, the cog of the tool, Services: set “IMS LTI Names and Role Provisioning” to "
                "“Use this service”.",
                tools=tools,
            )
        case Need.GRADES:
            return _(
                "In Moodle: %(tools)s, the cog of the tool, Services: set “IMS LTI Assignment and Grade Services” to "
                "“Use this service for grade sync and column management”.",
                tools=tools,
            )


def _canvas(need: Need) -> str:
    match need:
        case Need.ACTIVE:
            return _(
                "In Canvas: Admin → Developer Keys: the key of the tool must be ON. Admin → Settings → Apps lists it."
            )
        case Need.NAMES:
            return _(
                "In Canvas: Admin → Developer Keys, edit the LTI key, Additional Settings: Privacy Level “Public”."
            )
        case Need.ROSTER:
            return _(
                "In Canvas: Admin → Developer Keys, edit the LTI key, LTI Advantage Services: switch on “Can retrieve "
                "user data associated with the context the tool is installed in”."
            )
        case Need.GRADES:
            return _(
                "In Canvas: Admin → Developer Keys, edit the LTI key, LTI Advantage Services: switch on “Can create "
                "and view assignment data in the gradebook associated with the tool”."
            )


def _blackboard(need: Need) -> str:
    tools = _("Administrator Panel → Integrations → LTI Tool Providers")
    match need:
        case Need.ACTIVE:
            return _("In Blackboard: %(tools)s, the menu of the tool: choose Approve.", tools=tools)
        case Need.NAMES:
            return _(
                "In Blackboard: %(tools)s, edit the tool, user fields to be sent: tick the name and the role in the "
                "course.",
                tools=tools,
            )
        case Need.ROSTER:
            return _(
                "In Blackboard: %(tools)s, edit the tool: set “Allow Membership Service Access” to Yes.", tools=tools
            )
        case Need.GRADES:
            return _("In Blackboard: %(tools)s, edit the tool: set “Allow grade service access” to Yes.", tools=tools)


def _brightspace(need: Need) -> str:
    tools = _("Admin Tools → Manage Extensibility → LTI Advantage")
    match need:
        case Need.ACTIVE:
            return _(
                "In Brightspace: %(tools)s, the tool: switch it on (a new registration is off), and see that it has a "
                "deployment.",
                tools=tools,
            )
        case Need.NAMES:
            return _(
                "In Brightspace: Admin Tools → External Learning Tools → LTI Advantage, the deployment, Security "
                "Settings: tick the first and the last name."
            )
        case Need.ROSTER:
            return _(
                "In Brightspace: %(tools)s, the tool and its deployment, Extensions: tick “Names and Role Provisioning "
                "Services”.",
                tools=tools,
            )
        case Need.GRADES:
            return _(
                "In Brightspace: %(tools)s, the tool and its deployment, Extensions: tick “Assignment and Grade "
                "Services”.",
                tools=tools,
            )


def _sakai(need: Need) -> str:
    tools = _("Administration Workspace → External Tools")
    match need:
        case Need.ACTIVE:
            return _("In Sakai: %(tools)s: the tool must be in the list, and visible to the site.", tools=tools)
        case Need.NAMES:
            return _("In Sakai: %(tools)s, edit the tool: tick “Send User Names to External Tool”.", tools=tools)
        case Need.ROSTER:
            return _("In Sakai: %(tools)s, edit the tool: tick “Provide Roster to External Tool”.", tools=tools)
        case Need.GRADES:
            return _(
                "In Sakai: %(tools)s, edit the tool: tick “Allow External Tool to return grades” and “Allow External "
                "Tool to create grade columns”.",
                tools=tools,
            )


def _any(need: Need) -> str:
    match need:
        case Need.ACTIVE:
            return _("Look at the tool in the administration of your LMS: it must be switched on.")
        case Need.NAMES:
            return _("In the settings of the tool in your LMS, allow it to receive the names of those who open it.")
        case Need.ROSTER:
            return _("In the settings of the tool in your LMS, allow the service “Names and Role Provisioning”.")
        case Need.GRADES:
            return _("In the settings of the tool in your LMS, allow the service “Assignment and Grade Services”.")
