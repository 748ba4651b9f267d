"""Errors become pages here, and nowhere else: what happened, what to do, and a reference number that is in the log."""

import re
import secrets
from typing import Any

import structlog
from flask import Flask, g, jsonify, render_template, request
from flask.globals import request_ctx
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, default_exceptions
from werkzeug.wrappers import Response

log = structlog.get_logger()

_TYPED = re.compile(r"text(-.+)?|passage|(title|purpose)(-[0-9])?|.+-(starts|minutes|place)")
"""Names of the boxes that people type into; what else a form sends is ours."""
_TYPED_LIMIT = 100_000


class PageError(Exception):
    """An error that a person sees, with texts already in their language."""

    def __init__(self, status: int, title: str, what: str, advice: str, *, reason: str = "") -> None:
        super().__init__(reason or title)
        self.status = status
        self.title = title
        self.what = what
        self.advice = advice
        self.reason = reason
        """A short code for the log; never personal data."""


def register(app: Flask) -> None:
    """Makes every error of the app a page (or JSON, where JSON was sent or asked for)."""
    app.register_error_handler(PageError, _page_error)
    app.register_error_handler(CSRFError, _csrf_error)
    for code in default_exceptions:
        app.register_error_handler(code, _http_error)
    app.register_error_handler(Exception, _unexpected)


def _page_error(error: PageError) -> Response:
    return _answer(error.status, error.title, error.what, error.advice, error.reason)


def _csrf_error(_error: CSRFError) -> Response:
    return _answer(
        400,
        _("This page was open too long"),
        _("What you sent came from a page that belongs to an earlier sign-in, so it was not carried out."),
        _("Open the activity again from your course. What you had typed is below, or kept on this device."),
        "csrf",
    )


def _http_error(error: HTTPException) -> Response:
    code = error.code or 500
    title, what, advice = _texts(code)
    response = _answer(code, title, what, advice, "")
    if code == 405 and (allowed := getattr(error, "valid_methods", None)):
        response.headers["Allow"] = ", ".join(allowed)
    if code == 429 and (wait := getattr(error, "retry_after", None)):
        response.headers["Retry-After"] = str(wait)
    return response


def _unexpected(error: Exception) -> Response:
    # The message of an unknown exception may hold what somebody wrote, so only its type and place are logged.
    return _answer(
        500,
        _("Something went wrong on our side"),
        _("The tool could not do this. The people who run it can find out why with the number below."),
        _("Go back and try again in a minute. What you typed is kept."),
        "unexpected",
        error=type(error).__name__,
        place=_place(error),
    )


def _texts(code: int) -> tuple[str, str, str]:
    if code == 401:
        return (
            _("Please open the activity again"),
            _("Your sign-in here is over, or it belongs to somebody else who used this browser."),
            _("Go back to your course and open the activity there. There is no password to remember."),
        )
    if code == 403:
        return (_("Not open to you"), _("This page is for somebody else."), _("Go back to your next step."))
    if code == 404:
        return (
            _("There is nothing here"),
            _("The page does not exist, or it is not yours to see."),
            _("Go back to your next step, or open the activity again from your course."),
        )
    if code == 405:
        return (
            _("This address is not a page"),
            _("It only takes what a form sends, and the form was not sent."),
            _("Go back and use the button on the page, or open the activity again from your course."),
        )
    if code == 413:
        return (
            _("That is too much at once"),
            _("What was sent is larger than the tool takes."),
            _("Shorten the text, or split it over two fields. Nothing that was saved before is lost."),
        )
    if code == 429:
        return (
            _("A little too fast"),
            _("Many requests came in a short time, so the tool paused."),
            _("Wait a minute and try again. What you typed is kept."),
        )
    if code == 503:
        return (
            _("Not reachable at the moment"),
            _("Something the tool depends on does not answer."),
            _("Try again in a few minutes. What you typed is kept."),
        )
    return (
        _("This could not be understood"),
        _("What was sent is incomplete or not in the form the tool expects."),
        _("Go back, check the page and send it again."),
    )


def _answer(status: int, title: str, what: str, advice: str, reason: str, **logged: Any) -> Response:
    reference = secrets.token_hex(4)
    log.log(
        40 if status >= 500 else 20,
        "error page",
        reference=reference,
        status=status,
        reason=reason,
        endpoint=request.endpoint,
        method=request.method,
        **logged,
    )
    response: Response
    if request.is_json or request.accept_mimetypes.best == "application/json":
        response = jsonify(title=title, what=what, advice=advice, reference=reference)
    elif request_ctx.url_adapter is None:
        # The request named a host that cannot be one, so no address can be made, and a page is full of them.
        response = Response(f"{title}. {what} {advice} {reference}\n", mimetype="text/plain")
    else:
        response = Response(
            render_template(
                "errors/error.html",
                status=status,
                title=title,
                what=what,
                advice=advice,
                reference=reference,
                typed=_typed(),
                home=g.get("actor") is not None,
            ),
            mimetype="text/html",
        )
    response.status_code = status
    return response


def _typed() -> dict[str, str]:
    """What a form without JavaScript sent, so that a refused page can show it for copying: nothing typed is lost."""
    if request.method != "POST" or request.path.startswith("/lti/"):
        return {}
    if request.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site"):
        # A form of another site: what it sent was typed by nobody here, and would read as if we said it.
        return {}
    try:
        sent = request.form
    except HTTPException:
        # More than is ever read: there is nothing to show, and that is no reason for another error.
        return {}
    return {key: value[:_TYPED_LIMIT] for key, value in sent.items() if _TYPED.fullmatch(key) and value.strip()}


def _place(error: Exception) -> str:
    trace = error.__traceback__
    place = ""
    while trace is not None:
        code = trace.tb_frame.f_code
        if "lti_tool" in code.co_filename:
            place = f"{code.co_filename.rpartition('lti_tool/')[2]}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place
