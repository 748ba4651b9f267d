"""Assignment and Grade Services 2.0: completion, and nothing more."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit

from lti_tool.lti.access_tokens import AccessTokens, Client, ServiceError, ask_service, read_json
from lti_tool.lti.http import Http, HttpError, Response
from lti_tool.lti.links import next_page

LINE_ITEM_SCOPE = "https://purl.imsglobal.org/spec/lti-ags/scope/lineitem"
RESULT_SCOPE = "https://purl.imsglobal.org/spec/lti-ags/scope/result.readonly"
SCORE_SCOPE = "https://purl.imsglobal.org/spec/lti-ags/scope/score"
SCOPES = (LINE_ITEM_SCOPE, RESULT_SCOPE, SCORE_SCOPE)
"""All that reporting completion needs; of no use to a school whose trainers never choose it."""

TAG = "completion"
"""How a column of ours is known among others of the same link."""
COMMENT = "Completed"
"""Moodle erases the feedback that is not sent again, so it is always sent, and says no more than the score."""
_MAXIMUM = 1
_LINE_ITEM = "application/vnd.ims.lis.v2.lineitem+json"
_LINE_ITEMS = "application/vnd.ims.lis.v2.lineitemcontainer+json"
_RESULTS = "application/vnd.ims.lis.v2.resultcontainer+json"
_SCORE = "application/vnd.ims.lis.v1.score+json"
_CODES = {400: "not_gradable", 422: "not_gradable", 403: "forbidden", 404: "gone", 410: "gone", 409: "conflict"}
_MAX_PAGES = 200
_MAX_URL = 1_000
_HUGE = 1e12


class GradesError(ServiceError):
    """The grade service did not do what was asked. `code`, beside those of ServiceError:

    no_token (the platform gives none for this), forbidden (403), gone (404: there is no such column), conflict (409: it
    holds a score that is as new or newer), not_gradable (400 or 422: mostly because this person gets no grades there).
    """


@dataclass(frozen=True, slots=True)
class Result:
    """What the gradebook shows for a person; each None where it says nothing."""

    score: float | None
    maximum: float | None
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Gradebook:
    """The grade service of one platform. Every method raises ServiceError, most of them GradesError."""

    tokens: AccessTokens
    http: Http
    client: Client

    def post_completion(self, line_item_url: str, user_id: str, at: datetime) -> None:
        """Says that a person has completed it, as of `at` (3.4; to the second, and later than all scores before).

        Anything but FullyGraded would erase the grade in Moodle; a step back is never reported.
        """
        body = {
            "userId": user_id,
            "timestamp": at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "scoreGiven": _MAXIMUM,
            "scoreMaximum": _MAXIMUM,
            "activityProgress": "Completed",
            "gradingProgress": "FullyGraded",
            "comment": COMMENT,
        }
        self._ask(SCORE_SCOPE, lambda headers: self._post(below(line_item_url, "scores"), body, _SCORE, headers))

    def read_result(self, line_item_url: str, user_id: str) -> Result | None:
        """What the gradebook shows for one person (3.3), or None where it has no entry for them."""
        for entry in self._pages(RESULT_SCOPE, below(line_item_url, "results", user_id=user_id), _RESULTS):
            # Not every LMS knows the filter; `userId` decides.
            if str(entry.get("userId", "")) == user_id:
                score, maximum = _number(entry.get("resultScore")), _number(entry.get("resultMaximum"))
                return Result(score, maximum, _moment(entry.get("timestamp")))
        return None

    def find_column(self, line_items_url: str, resource_link_id: str) -> str | None:
        """Address of the column for completion of a link (3.2): the one with our tag, else the only one there is."""
        asked = below(line_items_url, resource_link_id=resource_link_id)
        found = [
            (url, entry.get("tag"))
            for entry in self._pages(LINE_ITEM_SCOPE, asked, _LINE_ITEMS)
            if str(entry.get("resourceLinkId", "")) == resource_link_id and (url := _address(entry))
        ]
        ours = [url for url, tag in found if tag == TAG]
        if ours:
            return ours[0]
        return found[0][0] if len(found) == 1 else None

    def create_column(self, line_items_url: str, *, resource_link_id: str, resource_id: str, label: str) -> str:
        """Makes a column for completion of a link (3.2.5), of one point; returns its address."""
        body = {
            "label": label,
            "scoreMaximum": _MAXIMUM,
            "resourceId": resource_id,
            "resourceLinkId": resource_link_id,
            "tag": TAG,
        }
        answer = self._ask(LINE_ITEM_SCOPE, lambda headers: self._post(line_items_url, body, _LINE_ITEM, headers))
        url = _address(read_json(answer))
        if not url:
            raise GradesError("malformed", detail="the new column has no address")
        return url

    def _pages(self, scope: str, url: str, accept: str) -> Iterator[dict[str, Any]]:
        home, visited = _origin(url), set[str]()
        following: str | None = url
        while following is not None:
            here = following
            if here in visited or len(visited) >= _MAX_PAGES or _origin(here) != home:
                raise GradesError("malformed", detail="the pages do not end, or lead to another site")
            visited.add(here)

            def read(headers: dict[str, str], url: str = here) -> Response:
                return self.http.get(url, headers=headers | {"Accept": accept})

            answer = self._ask(scope, read)
            yield from _entries(answer)
            try:
                following = next_page(answer.headers.get("Link"), here)
            except ValueError as error:
                raise GradesError("malformed", detail="the link to the next page is not an address") from error

    def _post(self, url: str, body: dict[str, Any], media_type: str, headers: dict[str, str]) -> Response:
        return self.http.post(url, json=body, headers=headers | {"Content-Type": media_type})

    def _ask(self, scope: str, send: Callable[[dict[str, str]], Response]) -> Response:
        try:
            self.tokens.get(self.client, [scope])
        except ServiceError as error:
            # A refusal here is about the tool, not about a column or a person.
            code = "no_token" if error.code == "refused" else error.code
            raise GradesError(code, detail=error.detail, retry_after=error.retry_after) from error
        answer = ask_service(self.tokens, self.client, scope, lambda token: send({"Authorization": f"Bearer {token}"}))
        if answer.status >= 300:
            raise GradesError(_CODES.get(answer.status, "refused"), detail=f"HTTP {answer.status}")
        return answer


def below(url: str, path: str = "", **query: str) -> str:
    """`url` with `path` added to its path and `query` to its query, which it may have already (Moodle's has)."""
    parts: SplitResult = urlsplit(url)
    longer = f"{parts.path.rstrip('/')}/{path}" if path else parts.path
    asked = urlencode([*parse_qsl(parts.query, keep_blank_values=True), *query.items()]) if query else parts.query
    return parts._replace(path=longer, query=asked, fragment="").geturl()


def _entries(answer: Response) -> list[dict[str, Any]]:
    try:
        body = answer.json()
    except HttpError as error:
        raise GradesError("malformed", detail=str(error)) from error
    if not isinstance(body, list):
        raise GradesError("malformed", detail="the answer is not a list")
    return [entry for entry in body if isinstance(entry, dict)]


def _address(entry: dict[str, Any]) -> str:
    url = entry.get("id")
    return url if isinstance(url, str) and len(url) <= _MAX_URL and url.startswith(("https://", "http://")) else ""


def _number(value: object) -> float | None:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return None
    # JSON spells numbers that no float holds.
    return float(value) if -_HUGE < value < _HUGE else None


def _moment(value: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
        # Without a zone it says nothing that could be compared.
        return moment.astimezone(UTC) if moment and moment.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc.lower()
