"""How the sandbox says no: each refusal names what is wrong, in the form its caller reads."""

from flask import Flask, Response, jsonify, render_template, request

from lti_tool.sandbox.state import the_school


class OAuthRefusal(Exception):
    """Refuses a token or registration request: `error` and `error_description` (RFC 6749 5.2, RFC 7591 3.2.2)."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.error, self.description, self.status = error, description, status


class ServiceRefusal(Exception):
    """Refuses a call of a service (names and roles, grades), in the LMS's own form of an error body."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status, self.reason = status, reason


class WebServiceRefusal(Exception):
    """Refuses a call of Moodle's web services as Moodle does: with HTTP 200, and these three in the body."""

    def __init__(self, exception: str, code: str, message: str) -> None:
        super().__init__(message)
        self.exception, self.code, self.message = exception, code, message


class PageRefusal(Exception):
    """Refuses a person: a page that says what happened and what to do."""

    def __init__(self, status: int, title: str, advice: str) -> None:
        super().__init__(title)
        self.status, self.title, self.advice = status, title, advice


class ScriptRefusal(Exception):
    """Refuses a call of the scripting interface under `/sandbox/`."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.message, self.status = message, status


def add_handlers(app: Flask) -> None:
    app.register_error_handler(OAuthRefusal, _as_oauth_error)
    app.register_error_handler(ServiceRefusal, _as_service_error)
    app.register_error_handler(PageRefusal, _as_page)
    app.register_error_handler(ScriptRefusal, _as_script_error)
    app.register_error_handler(404, _not_found)


def _as_oauth_error(refusal: OAuthRefusal) -> Response:
    response = jsonify(error=refusal.error, error_description=refusal.description)
    response.status_code = refusal.status
    response.headers["Cache-Control"] = "no-store"
    return response


def _as_service_error(refusal: ServiceRefusal) -> Response:
    response = the_school().personality.service_error(refusal.status, refusal.reason, request)
    if refusal.status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="lti"'
    return response


def _as_page(refusal: PageRefusal) -> tuple[str, int]:
    return render_template("refused.html", title=refusal.title, advice=refusal.advice), refusal.status


def _as_script_error(refusal: ScriptRefusal) -> tuple[Response, int]:
    return jsonify(error=refusal.message), refusal.status


def _not_found(_error: Exception) -> tuple[str, int]:
    advice = "Go to the dashboard and try from there."
    return render_template("refused.html", title="There is no such page", advice=advice), 404
