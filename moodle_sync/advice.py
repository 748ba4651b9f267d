"""What an operator or an administrator of Moodle can do about an error, in plain words, by its code."""

from moodle_sync.errors import WHERE_FUNCTIONS, MoodleError

_SERVICES = "Site administration > Server > Web services"
_NEW_TOKEN = f"Make a new token ({_SERVICES} > Manage tokens) and run: meitheal moodle connect"
_READ_BACK = (
    "It may have been done all the same. Groups and entries are looked for before they are made, and are there once; a "
    "message is not sent again."
)
_ADVICE = {
    "invalidtoken": _NEW_TOKEN,
    "invalidtimedtoken": _NEW_TOKEN,
    "invalidiptoken": f"Allow the address of this machine for the token ({_SERVICES} > Manage tokens).",
    "token_sealed": "Put back the master key that sealed it, as one of old_master_keys in secrets.toml. " + _NEW_TOKEN,
    "missing_function": f"Add it to the service: {WHERE_FUNCTIONS}. Is the service enabled, and the account one of its "
    "authorised users?",
    "nopermissions": "The role of the token's account lacks a capability: docs/moodle-administrator.md lists them.",
    "requireloginerror": "The token's account may not enter the course: its role needs moodle/course:view for all "
    "courses, as docs/moodle-administrator.md says.",
    "errorcoursecontextnotvalid": "The token's account may not enter the course: its role needs moodle/course:view for "
    "all courses, as docs/moodle-administrator.md says.",
    "rest_off": "Switch web services on (Site administration > General > Advanced features), and REST "
    f"({_SERVICES} > Manage protocols).",
    "address": "The address is that of the site's start page, with https://. If this Moodle really lives in a private "
    "network, add that network to [network] allow_private.",
    "no_services": "Check the address: it is that of the site's start page.",
    "not_moodle": "Check the address: it is that of the site's start page.",
    "other_site": "Name the platform that this Moodle is: meitheal platform list",
    "unreachable": "Check that the address is right, and that it can be reached from here.",
    "no_group": "Somebody deleted the group in Moodle. It is made again after the course was read: meitheal sync",
    "not_taken": "Moodle took no message for somebody: their account is gone there, or shut. Nothing has to be done.",
    "not_expected": _READ_BACK,
    "no_answer": _READ_BACK,
    "server_error": _READ_BACK,
    "not_json": _READ_BACK,
    "invalidresponse": _READ_BACK,
    "maintenance": "Try again later.",
    "sitemaintenance": "Try again later.",
}


def advice(code: str) -> str:
    """What to do about an error of this code; empty where nothing is known that would help."""
    return _ADVICE.get(code, "")


def said(error: MoodleError) -> str:
    """An error with what to do about it, as one line."""
    return " ".join(filter(None, (str(error), advice(error.code))))
