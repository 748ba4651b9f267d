"""Calls of Moodle's web services by REST, as a real Moodle answers them.

https://docs.moodle.org/dev/Creating_a_web_service_client and what was recorded (tests/moodle/webservice).
"""

import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from lti_tool.lti.http import AddressRefused, CallFailed, Http, Response
from moodle_sync.errors import AddressWrong, MoodleError, NotReached, OutcomeUnknown, refusal

MAX_BYTES = 8_000_000
"""Of one answer: some five thousand enrolled people with all that Moodle says of each."""
MAX_VALUES = 900
"""Of one call. What is over PHP's `max_input_vars` (1,000, unless the school changed it) is left out there silently."""
PAUSES_S = (0.5, 2.0)
"""Before a read is tried again."""
_MAX_FUNCTIONS = 5_000
_SERVER = "/webservice/rest/server.php"


@dataclass(frozen=True, slots=True)
class SiteInfo:
    """What `core_webservice_get_site_info` says: of the site, of the token's account, of the service's functions."""

    release: str
    user_id: int
    functions: frozenset[str]
    site_url: str


class MoodleClient:
    """The web services of one Moodle. Safe between threads as far as `http` is; keeps the site's description once it
    was asked for."""

    def __init__(self, http: Http, url: str, token: str, *, sleep: Callable[[float], None] = time.sleep) -> None:
        """`url` is the site's, without a slash at its end."""
        self._http = http
        self._address = url.rstrip("/") + _SERVER
        self._token = token
        self._sleep = sleep
        self._info: SiteInfo | None = None

    def __repr__(self) -> str:
        return f"MoodleClient({self._address})"

    def call(self, function: str, params: Mapping[str, Any], *, reads: bool) -> Any:
        """Asks for one function; what it answers, `None` for Moodle's `null`.

        `params` may hold dicts and lists (`{"users": [{"id": 3}]}` is sent as `users[0][id]=3`), numbers, texts and
        booleans; `None` and empty lists are left out. `reads` says that the function changes nothing: then a call
        without an answer is tried again. Raises MoodleError, ValueError for more than MAX_VALUES values.
        """
        form = dict(_flat(params))
        if len(form) > MAX_VALUES:
            raise ValueError(f"{len(form)} values in one call of {function}, more than {MAX_VALUES}")
        form |= {"wstoken": self._token, "wsfunction": function, "moodlewsrestformat": "json"}
        for pause in PAUSES_S if reads else ():
            try:
                return self._once(function, form)
            except (NotReached, OutcomeUnknown):
                self._sleep(pause)
        return self._once(function, form)

    def site_info(self) -> SiteInfo:
        """What the site says of itself and of the token, asked once. Raises MoodleError."""
        if self._info is None:
            said = self.call("core_webservice_get_site_info", {}, reads=True)
            self._info = _site_info(said)
        return self._info

    def has(self, function: str) -> bool:
        """Whether the service offers `function`. Raises MoodleError."""
        return function in self.site_info().functions

    def _once(self, function: str, form: Mapping[str, str]) -> Any:
        try:
            answer = self._http.post(self._address, form=form, max_bytes=MAX_BYTES)
        except AddressRefused as error:
            raise AddressWrong("address", f"The address may not be called: {error}", function) from None
        except CallFailed as error:
            if _nothing_was_sent(error):
                raise NotReached("unreachable", f"Moodle cannot be reached ({error}).", function) from None
            raise OutcomeUnknown("no_answer", f"{function} was not answered ({error}).", function) from None
        if problem := _problem(function, answer):
            raise problem
        try:
            said = answer.json()
        except CallFailed:
            raise OutcomeUnknown(
                "not_json", f"{function} was answered by something else than JSON.", function
            ) from None
        if isinstance(said, dict) and "exception" in said:
            raise refusal(function, said)
        return said


def _site_info(said: Any) -> SiteInfo:
    """Raises AddressWrong for what no Moodle says."""
    try:
        info = SiteInfo(
            release=_line(said["release"], 100),
            user_id=int(said["userid"]),
            functions=frozenset(_line(each["name"], 100) for each in said["functions"][:_MAX_FUNCTIONS]),
            site_url=_line(said["siteurl"], 1000).rstrip("/"),
        )
    except (KeyError, TypeError, ValueError, OverflowError):
        info = None
    if info is None or not 0 < info.user_id < 2**63 or not info.site_url:
        raise AddressWrong("not_moodle", "What answers there is not a Moodle.")
    return info


def _line(text: Any, longest: int) -> str:
    """What may be shown in a terminal and kept."""
    return "".join(each for each in str(text)[:longest] if each.isprintable())


def _problem(function: str, answer: Response) -> MoodleError | None:
    """What is wrong with an answer that is not one of Moodle's web services."""
    status = answer.status
    if status == 200:
        return None
    if status == 429 or (status == 503 and answer.headers.get("Retry-After")):
        # Moodle's page of maintenance is sent before anything else runs, with this header.
        return NotReached("maintenance", f"Moodle is being maintained, or busy (status {status}).", function)
    if status == 403:
        return AddressWrong("rest_off", "Web services by REST are not switched on there (status 403).", function)
    if status < 500:
        return AddressWrong("no_services", f"There are no web services at this address (status {status}).", function)
    return OutcomeUnknown("server_error", f"{function} failed in the server (status {status}).", function)


def _nothing_was_sent(error: CallFailed) -> bool:
    """Whether no connection came about, so that Moodle cannot have done anything.

    Of the errors of TLS only an unknown certificate says so: a connection that ends without a farewell is one, too, and
    may end after the call was carried out.
    """
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, (NewConnectionError, ConnectTimeoutError, ssl.SSLCertVerificationError)):
            return True
        reason = getattr(cause, "reason", None)
        cause = reason if isinstance(reason, BaseException) else cause.__cause__ or cause.__context__
    return False


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Names and values as PHP reads nested ones from a form."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flat(inner, f"{name}[{key}]" if name else str(key))
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for number, inner in enumerate(value):
            yield from _flat(inner, f"{name}[{number}]")
    elif isinstance(value, bool):
        yield name, str(int(value))
    elif value is not None:
        yield name, str(value)
