"""What the pages of the door share: how they refuse, and what they take from a request."""

import functools
from collections.abc import Callable
from typing import ParamSpec

from flask import Response, request

from lti_tool.lti.errors import DoorError, Reason
from lti_tool.lti.platform import same_origin
from lti_tool.web.context import tool
from lti_tool.web.door_texts import texts_for
from lti_tool.web.errors import PageError

_Arguments = ParamSpec("_Arguments")


def door_page(view: Callable[_Arguments, Response]) -> Callable[_Arguments, Response]:
    """Makes a DoorError of a view the page that explains it."""

    @functools.wraps(view)
    def wrapped(*args: _Arguments.args, **kwargs: _Arguments.kwargs) -> Response:
        try:
            return view(*args, **kwargs)
        except DoorError as error:
            status, title, what, advice = texts_for(error)
            raise PageError(status, title, what, advice, reason=str(error)) from error

    return wrapped


def parameters(*names: str) -> dict[str, str]:
    """The named parameters, from form and query; one that comes twice is refused, as OAuth wants it (RFC 6749, 3.1)."""
    found = {}
    for name in names:
        values = request.values.getlist(name)
        if len(values) > 1:
            raise DoorError(Reason.MALFORMED, name)
        if values:
            found[name] = values[0]
    return found


def require_our_origin() -> None:
    """Refuses what a page of another site made this browser send."""
    if not same_origin(request.headers.get("Origin", ""), tool().settings.public_url):
        raise DoorError(Reason.FOREIGN_ORIGIN)
