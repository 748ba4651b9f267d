"""Faults on demand: what goes wrong with an LMS, switched on by a test or on the faults page."""

import time
from dataclasses import dataclass, field, fields
from typing import Any

from flask import Flask, Response, request

from lti_tool.sandbox.errors import ScriptRefusal
from lti_tool.sandbox.state import the_school


@dataclass
class FailNext:
    """Answer the next `left` requests whose path contains `match` with `status`."""

    left: int
    status: int
    match: str


@dataclass
class WebServiceFault:
    """What happens to the next `left` calls of web services whose function has `function` in its name.

    `delay`: done, but answered only after `delay_s`; `cut_before`, `cut_after`: the connection ends without an answer,
    before or after the function was carried out; `error_after`: carried out, then answered with 500; `maintenance`:
    Moodle's page with 503; `page`: a page with 200, as a proxy or a login may send it; `invalidtoken`: refused as a
    wrong token; `invalidresponse`: carried out, then Moodle stumbles over its own answer; `nopermissions`: the account
    lacks a capability, which for events of the calendar is no error but a warning in a success.
    """

    left: int
    kind: str
    function: str
    delay_s: float


WEB_SERVICE_FAULTS = (
    *("delay", "cut_before", "cut_after", "error_after", "maintenance", "page", "invalidtoken", "invalidresponse"),
    "nopermissions",
)


@dataclass
class Faults:
    """The faults in force. Each field can be set by its name through the scripting interface.

    `down` answers everything with 503; `slow_s` waits so many seconds before each answer; `clock_offset_s` sets the
    LMS's clock ahead (or behind, if negative); `anonymous` launches without `sub`; `no_names` and `no_email` hide them
    in launches and member lists; `platform_storage` offers LTI platform storage for every tool; `id_token_expired`
    sends id_tokens an hour old; `roles` replaces the roles of every launch; `claims` replaces claims of every launch
    (a null removes the claim).
    """

    down: bool = False
    slow_s: float = 0.0
    clock_offset_s: float = 0.0
    anonymous: bool = False
    no_names: bool = False
    no_email: bool = False
    platform_storage: bool = False
    id_token_expired: bool = False
    roles: list[str] | None = None
    claims: dict[str, Any] = field(default_factory=dict)
    failures: list[FailNext] = field(default_factory=list)
    web_service: list[WebServiceFault] = field(default_factory=list)

    def failure_for(self, path: str) -> int | None:
        """The status the request for `path` must fail with, counting it; None if it goes through."""
        for failure in self.failures:
            if failure.left > 0 and failure.match in path:
                failure.left -= 1
                return failure.status
        return None

    def web_service_fault_for(self, function: str) -> WebServiceFault | None:
        """What must happen to a call of `function`, counting it; None if it goes well."""
        for fault in self.web_service:
            if fault.left > 0 and fault.function in function:
                fault.left -= 1
                return fault
        return None

    def as_json(self) -> dict[str, Any]:
        values = {
            one.name: getattr(self, one.name) for one in fields(self) if one.name not in ("failures", "web_service")
        }
        pending = [{"fail_next": f.left, "status": f.status, "match": f.match} for f in self.failures if f.left > 0]
        calls = [
            {"web_service": f.kind, "count": f.left, "function": f.function, "delay_s": f.delay_s}
            for f in self.web_service
            if f.left > 0
        ]
        return {**values, "failures": pending, "web_service": calls}


SWITCHES = ("down", "anonymous", "no_names", "no_email", "platform_storage", "id_token_expired")
NUMBERS = ("slow_s", "clock_offset_s")


def change(wanted: dict[str, Any]) -> None:
    """Put the faults named in `wanted` in force; the others stay as they are.

    Besides the fields of `Faults`: `fail_next` (count) with `status` (default 500) and `match` (part of a path, default
    all); `web_service` (a kind, see `WebServiceFault`) with `count` (default 1), `function` (part of its name, default
    all) and `delay_s` (default 1); `rotate_keys` with `keep_old` (default true); `token_expired`, which ends every
    access token given out so far.
    Raises `ScriptRefusal` naming the first key or value that is wrong, and then changes nothing.
    """
    for key, value in wanted.items():
        _check(key, value)
    school = the_school()
    with school.lock:
        faults = school.faults
        for key in (*SWITCHES, *NUMBERS, "roles", "claims"):
            if key in wanted:
                setattr(faults, key, wanted[key])
        if wanted.get("fail_next"):
            failure = FailNext(wanted["fail_next"], wanted.get("status", 500), wanted.get("match", ""))
            faults.failures = [*(old for old in faults.failures if old.left > 0), failure]
        if wanted.get("web_service"):
            fault = WebServiceFault(
                wanted.get("count", 1), wanted["web_service"], wanted.get("function", ""), wanted.get("delay_s", 1.0)
            )
            faults.web_service = [*(old for old in faults.web_service if old.left > 0), fault]
        if wanted.get("rotate_keys"):
            school.keys.rotate(keep_old=wanted.get("keep_old", True))
        if wanted.get("token_expired"):
            school.expire_access_tokens()


def clear() -> None:
    """End every fault in force. Rotated keys and expired tokens stay as they are: they happened."""
    school = the_school()
    with school.lock:
        school.faults = Faults()


def _check(key: str, value: object) -> None:
    if key in (*SWITCHES, "rotate_keys", "keep_old", "token_expired"):
        wrong = None if isinstance(value, bool) else "true or false"
    elif key in (*NUMBERS, "delay_s"):
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        has_end = key != "clock_offset_s"
        wrong = None if is_number and (not has_end or 0 <= float(str(value)) <= 120) else "a number of seconds"
    elif key in ("fail_next", "count", "status"):
        lowest, highest = (400, 599) if key == "status" else (0, 1_000_000)
        is_whole = isinstance(value, int) and not isinstance(value, bool)
        wrong = None if is_whole and lowest <= int(str(value)) <= highest else f"a whole number {lowest}..{highest}"
    elif key in ("match", "function"):
        wrong = None if isinstance(value, str) else "a part of a path or name"
    elif key == "web_service":
        wrong = None if value in WEB_SERVICE_FAULTS else f"one of {', '.join(WEB_SERVICE_FAULTS)}"
    elif key == "roles":
        is_list = isinstance(value, list) and all(isinstance(role, str) for role in value)
        wrong = None if value is None or is_list else "a list of role names, or null"
    elif key == "claims":
        wrong = None if isinstance(value, dict) else "an object of claims"
    else:
        raise ScriptRefusal(f"There is no fault named {key!r}.")
    if wrong:
        raise ScriptRefusal(f"The fault {key!r} must be {wrong}, not {value!r}.")


# What controls the faults must keep working while they are in force.
_EXEMPT = ("/sandbox/", "/static/", "/faults")


def add_faults(app: Flask) -> None:
    app.before_request(_go_wrong)


def _go_wrong() -> Response | None:
    if request.path.startswith(_EXEMPT):
        return None
    school = the_school()
    with school.lock:
        down = school.faults.down
        status = None if down else school.faults.failure_for(request.path)
        wait = school.faults.slow_s
    if down:
        return Response("The LMS is down (a fault switched on in the sandbox).\n", 503, mimetype="text/plain")
    if wait:
        time.sleep(wait)
    if status is not None:
        return Response("The LMS failed (a fault switched on in the sandbox).\n", status, mimetype="text/plain")
    return None
