"""Moodle's web services by REST, as a real Moodle (4.4dev, build 20231124) was recorded and as its source reads.

Every answer is HTTP 200; an error is a body with `exception`, `errorcode` and `message`, and a function without a
result answers `null`.
"""

import json
import socket
import time
from typing import Any

from flask import Flask, Response, request

from lti_tool.sandbox.errors import WebServiceRefusal
from lti_tool.sandbox.faults import WebServiceFault
from lti_tool.sandbox.school import School
from lti_tool.sandbox.state import the_school
from lti_tool.sandbox.webservice_functions import FUNCTIONS, Function
from lti_tool.sandbox.webservice_parameters import checked, nested
from lti_tool.sandbox.webservice_shapes import missing_record

_OWN = ("wstoken", "wsfunction", "moodlewsrestformat", "moodlewssettingfilter", "moodlewssettingfileurl")
_MAINTENANCE = "<!DOCTYPE html><title>Maintenance</title><p>This site is undergoing maintenance.</p>\n"
_LOGIN_PAGE = "<!DOCTYPE html><title>Log in</title><form><input name=username><input name=password></form>\n"


def add_routes(app: Flask, school: School) -> None:
    """Only Moodle has them. All functions are in the service until a script says otherwise."""
    school.web_services.functions = list(FUNCTIONS)
    if path := school.personality.paths.web_services:
        app.add_url_rule(path, "web_services", answer, methods=["GET", "POST"])


def answer() -> Response:
    """One call of one function, or what is to go wrong with it."""
    school, function = the_school(), request.values.get("wsfunction", "")
    with school.lock:
        school.web_services.calls[function] += 1
        fault = school.faults.web_service_fault_for(function)
    kind = fault.kind if fault else ""
    if kind == "cut_before":
        return _cut()
    if kind == "maintenance":
        return Response(_MAINTENANCE, 503, {"Retry-After": "300"}, mimetype="text/html")
    if kind == "page":
        return Response(_LOGIN_PAGE, mimetype="text/html")
    try:
        if kind == "invalidtoken":
            raise _unknown_token()
        if kind == "nopermissions":
            return _json(_not_permitted(function))
        with school.lock:
            result = _carry_out(school, function)
        body = _after(fault, result)
    except WebServiceRefusal as refusal:
        body = _json({"exception": refusal.exception, "errorcode": refusal.code, "message": refusal.message})
    return body


def _carry_out(school: School, name: str) -> Any:
    if request.values.get("wstoken", "") != school.web_services.token:
        raise _unknown_token()
    function = FUNCTIONS.get(name)
    if function is None:
        raise missing_record("external_functions")
    if name not in school.web_services.functions:
        raise WebServiceRefusal("webservice_access_exception", "accessexception", "Access control exception")
    values = [*request.args.items(multi=True), *request.form.items(multi=True)]
    sent = nested((key, value) for key, value in values if key not in _OWN)
    return _all_or_nothing(school, function, checked(function.parameters, sent))


def _all_or_nothing(school: School, function: Function, parameters: Any) -> Any:
    """A batch is one transaction: one bad entry, and nothing of it happens."""
    if function.reads:
        return function.do(school, **parameters)
    kept = school.snapshot()
    try:
        return function.do(school, **parameters)
    except WebServiceRefusal as refusal:
        # The grouping is there although Moodle then cannot answer.
        if refusal.code != "invalidresponse":
            school.bring_back(kept)
        raise


def _after(fault: WebServiceFault | None, result: Any) -> Response:
    kind = fault.kind if fault else ""
    if fault and kind == "delay":
        time.sleep(fault.delay_s)
    if kind == "cut_after":
        return _cut()
    if kind == "error_after":
        return Response("The LMS failed (a fault switched on in the sandbox).\n", 500, mimetype="text/plain")
    if kind == "invalidresponse":
        raise WebServiceRefusal("invalid_response_exception", "invalidresponse", "Invalid response value detected")
    return _json(result)


def _json(body: Any) -> Response:
    if request.values.get("moodlewsrestformat") != "json":
        # Moodle answers XML then, which nothing here reads.
        return Response('<?xml version="1.0" encoding="UTF-8" ?>\n<RESPONSE></RESPONSE>\n', mimetype="application/xml")
    return Response(json.dumps(body, separators=(",", ":")).replace("/", "\\/"), mimetype="application/json")


def _unknown_token() -> WebServiceRefusal:
    return WebServiceRefusal("moodle_exception", "invalidtoken", "Invalid token - token not found")


def _not_permitted(function: str) -> Any:
    """What the source of Moodle answers to an account without the capability; this was not recorded."""
    if function == "core_calendar_create_calendar_events":
        said = "you do not have permissions to create this event"
        name = request.values.get("events[0][name]", "")
        return {"events": [], "warnings": [{"item": name, "warningcode": "nopermissions", "message": said}]}
    said = "Sorry, but you do not currently have permissions to do that ()."
    raise WebServiceRefusal("required_capability_exception", "nopermissions", said)


def _cut() -> Response:
    """Ends the connection without an answer; 500 where there is none (a test without sockets)."""
    link = request.environ.get("gunicorn.socket") or request.environ.get("werkzeug.socket")
    if link is not None:
        link.shutdown(socket.SHUT_RDWR)
    return Response("The connection was cut (a fault switched on in the sandbox).\n", 500, mimetype="text/plain")
