"""What to tell people about a delivery to the gradebook."""

from flask_babel import gettext as _

from lti_tool.completion.rules import Code


def advice(problem: str) -> str:
    """Why a delivery has not arrived, and what somebody can do; for its teacher, the trainer and the operator.

    Empty where there was no problem. Outside a request it is in English.
    """
    match problem:
        case Code.UNREACHABLE | Code.BUSY | Code.MALFORMED:
            return _("The LMS does not answer at the moment. It is tried again without anybody doing anything.")
        case Code.NO_TOKEN:
            return _(
                "The LMS does not let this tool in. Its administrator can see whether the tool is active there and may "
                "write grades. It is tried again without anybody doing anything."
            )
        case Code.UNAUTHORIZED | Code.FORBIDDEN | Code.REFUSED:
            return _(
                "The LMS does not let this tool write into the column. Its administrator can allow the grade service "
                "in the settings of the tool; then try again."
            )
        case Code.CONFLICT:
            return _("The gradebook holds a newer entry. It is tried again without anybody doing anything.")
        case Code.NOT_GRADABLE:
            return _(
                "The LMS has no grades for this person. In Moodle only people with a gradebook role, such as Student, "
                "have any: the trainer can change the role in the course and try again. It can also stay as it is: "
                "nothing here depends on it."
            )
        case Code.NO_COLUMN | Code.GONE:
            return _(
                "The gradebook has no column for this activity. The trainer can allow grades in the settings that the "
                "activity has in the LMS, open it from the course once, and try again."
            )
        case Code.SWITCHED_OFF:
            return _("This activity tells the gradebook nothing any more; the trainer decided so.")
    return ""
