"""What can go wrong with a call of Moodle's web services. The texts name no token, no parameter and no person.

Moodle answers errors with HTTP 200 and `{"exception", "errorcode", "message"}`; its `errorcode` is the `code` here,
which is also what is kept in the column `problem` of what was tried. Whoever writes has to look at `may_be_done`.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

WHERE_FUNCTIONS = "Site administration > Server > Web services > External services > Functions > Add functions"
"""The page of Moodle where an administrator adds a function to the service."""


class MoodleError(Exception):
    """A call gave no usable answer."""

    may_be_done: ClassVar[bool] = False
    """Whether Moodle may have done what was asked all the same: read back before it is asked again."""
    is_passing: ClassVar[bool] = False
    """Whether the same call can go well later, without anybody changing anything."""

    def __init__(self, code: str, text: str, function: str = "") -> None:
        super().__init__(text)
        self.code = code[:40]
        self.function = function


class NotReached(MoodleError):
    """Moodle did nothing: no connection, or it is being maintained, or asks to be left alone."""

    is_passing = True


class AddressWrong(MoodleError):
    """Nothing was done: the address may not be called, or there are no web services at it."""


class OutcomeUnknown(MoodleError):
    """The call was sent, and the answer did not come, or was not one of Moodle's (an error of the server, a page)."""

    may_be_done = True
    is_passing = True


class Refused(MoodleError):
    """Moodle said no, and changed nothing."""


class TokenRefused(Refused):
    """The token is unknown, expired, or its service or account is shut."""


class MissingFunction(Refused):
    """The service does not offer the function (or this Moodle does not have it)."""

    def __init__(self, function: str) -> None:
        super().__init__(
            "missing_function", f"The service does not offer {function}. Add it: {WHERE_FUNCTIONS}", function
        )


class NotAllowed(Refused):
    """The account of the token lacks a capability, or may not enter the course."""


class NotFound(Refused):
    """A course, group or event of this id is not there (any more)."""


class ParameterRefused(Refused):
    """A value is not taken; also the name of a group that is there, and a person who is not enrolled. Of a batch,
    nothing was done."""


class IdNumberTaken(Refused):
    """A group or grouping of this idnumber is there already."""


class AnswerBroken(MoodleError):
    """Moodle did what was asked, or not, and then could not write its own answer (`invalidresponse`)."""

    may_be_done = True


_TOKEN = {
    *("invalidtoken", "invalidtimedtoken", "servicenotavailable", "wsaccessusersuspended", "wsaccessuserdeleted"),
    *("wsaccessuserexpired", "wsaccessusernologin", "wsaccessuserunconfirmed", "invalidiptoken"),
}
_NOT_ALLOWED = {"nopermissions", "nopermission", "requireloginerror", "errorcoursecontextnotvalid", "notingroup"}
_PASSING = {"sitemaintenance", "upgraderunning", "dbconnectionfailed"}


def refusal(function: str, answer: Mapping[str, Any]) -> MoodleError:
    """The error that an answer of Moodle with `exception` stands for."""
    code, message = str(answer.get("errorcode") or "exception"), str(answer.get("message") or "")
    # A function that no Moodle knows is answered as a missing row is; the name of the table tells them apart, in each
    # language of the message.
    if code == "accessexception" or (code == "invalidrecord" and "external_functions" in message):
        return MissingFunction(function)
    kind: type[MoodleError] = Refused
    if code in _TOKEN:
        kind = TokenRefused
    elif code in _PASSING:
        kind = NotReached
    elif code in _NOT_ALLOWED:
        kind = NotAllowed
    elif code in ("invalidrecord", "invalidrecordunknown"):
        kind = NotFound
    elif code == "invalidparameter":
        kind = ParameterRefused
    elif code == "idnumbertaken":
        kind = IdNumberTaken
    elif code == "invalidresponse":
        kind = AnswerBroken
    return kind(code, f"Moodle refused {function} ({code}).", function)
