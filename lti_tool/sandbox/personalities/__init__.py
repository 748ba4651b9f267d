"""What differs between LMSs: one class each. The rest of the sandbox follows the specifications only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from flask import Request, Response

    from lti_tool.sandbox.people import CourseRole, Person
    from lti_tool.sandbox.school import Activity, Course, Grade, LineItem, School
    from lti_tool.sandbox.tools import Tool


@dataclass(frozen=True)
class Paths:
    """The LMS's addresses, as Flask rules. `course`, `tool` and `item` are the variables of the service addresses.

    `configuration` and `registration` are None where tools are added by hand only.
    """

    configuration: str | None
    registration: str | None
    jwks: str
    authorization: str
    tokens: str
    launch: str
    deep_linking: str
    deep_linking_return: str
    services: str
    members: str
    line_items: str
    line_item: str
    scores: str
    results: str
    web_services: str | None = None
    """Functions called by REST, which only Moodle has."""


@dataclass(frozen=True)
class Quirks:
    """Where LMSs differ by a value alone. The defaults are what an LMS does that follows the specifications plainly."""

    issuer: str | None = None
    """One issuer for all schools; None: the school's own address."""
    storage_target: str | None = None
    """The frame that keeps values for every tool (`lti_storage_target`); None: there is none unless asked for."""
    login_method: Literal["post", "get"] = "post"
    """How the browser is sent to the tool's login."""
    one_tool_per_domain: bool = False
    sends_registration_token: bool = True
    """If not, the addresses of the configuration carry what the registration is known by."""
    configuration_needs_token: bool = False
    """The configuration is shown only to who brings the registration's token in the query."""
    token_audience: str | None = None
    """The only audience that a client assertion may have; None: the address of the tokens."""
    takes_issuer_as_audience: bool = False
    """A client assertion may name the issuer too."""
    needs_user_agent: bool = False
    """Services refuse a call without this header."""
    names_key_algorithm: bool = True
    """Whether the keys of the key set name their algorithm (`alg`)."""
    members_on_a_page: int = 0
    """The longest page of the member list; 0: everybody, unless the tool asks for less."""
    key_lifetime_s: int = 0
    """How long one key signs before the next one does; 0: until somebody changes it."""
    takes_several_items: bool = True
    """Whether one selection of content may place several activities (`accept_multiple`)."""
    takes_query_in_links: bool = True
    """Whether the url of a content item may have a query."""
    old_score_status: int = 409
    takes_score_of_same_second: bool = False
    not_gradable_status: int = 400
    context_type: str = "http://purl.imsglobal.org/vocab/lis/v2/course#CourseOffering"
    members_versions: tuple[str, ...] = ("2.0",)


@dataclass(frozen=True)
class Launching:
    """Who launches what: all that a claim may depend on. `activity` is None while content is being selected."""

    school: School
    person: Person
    role: CourseRole
    course: Course
    tool: Tool
    activity: Activity | None
    session_key: str

    @property
    def names_are_sent(self) -> bool:
        faults = self.school.faults
        return self.tool.sends_name and not (faults.no_names or faults.anonymous)

    @property
    def email_is_sent(self) -> bool:
        faults = self.school.faults
        return self.tool.sends_email and not (faults.no_email or faults.anonymous)


@dataclass(frozen=True)
class Page:
    """One page of a longer list: `limit` entries (0: all of them) beginning with number `start` of `total`."""

    limit: int
    start: int
    total: int

    @property
    def has_next(self) -> bool:
        return self.limit > 0 and self.start + self.limit < self.total


class Personality(Protocol):
    """One LMS's own ways. Everything here is a place where real LMSs disagree."""

    product: str
    family_code: str
    """What launches say the product is (`tool_platform.product_family_code`)."""
    paths: Paths
    id_token_lifetime_s: int
    missing_scope_status: int
    quirks: Quirks

    def configuration(self, school: School) -> dict[str, Any]:
        """The OpenID configuration a tool reads at dynamic registration."""

    def granted_scopes(self, requested: Sequence[str]) -> tuple[str, ...]:
        """The scopes a registration that asks for `requested` gets, in the order the LMS lists them."""

    def registration_answer(self, tool: Tool) -> dict[str, Any]:
        """The body that confirms a registration."""

    def message_hint(self, activity: Activity | None) -> tuple[str, str]:
        """A fresh launch's key in the LMS's memory, and the `lti_message_hint` that carries it."""

    def launch_key(self, message_hint: str) -> str | None:
        """The key inside a `lti_message_hint`, or None if the hint is not one of this LMS."""

    def launch_roles(self, person: Person, role: CourseRole) -> list[str]:
        """Roles as a launch states them."""

    def member_roles(self, person: Person, role: CourseRole) -> list[str]:
        """Roles as the names and roles service states them."""

    def own_claims(self, launching: Launching) -> dict[str, Any]:
        """The claims of a message that the specifications leave to the LMS."""

    def deep_linking_settings(self, launching: Launching) -> dict[str, Any]:
        """What the LMS accepts as an answer to a deep linking request."""

    def deep_linking_data(self, session_key: str) -> str | None:
        """What the LMS sends along as `data` and wants back; None if it sends nothing."""

    def service_query(self, tool: Tool) -> str:
        """What the addresses of line items carry as a query, with its question mark; empty if nothing."""

    def score_answer(self, school: School, item: LineItem, person_id: str) -> str:
        """The body that confirms a score."""

    def variables(self, launching: Launching) -> Mapping[str, str]:
        """The substitution variables this LMS knows, with their values; one that is not here stays unexpanded."""

    def service_parameters(self, launching: Launching) -> dict[str, str]:
        """Custom parameters the LMS adds by itself to a launch."""

    def member(self, launching: Launching) -> dict[str, Any]:
        """One entry of the names and roles service; with an activity in `launching`, its message part too."""

    def next_members_url(self, address: str, page: Page, activity: Activity | None, role: str) -> str:
        """The address of the next page of a member list."""

    def grade_page_links(self, address: str, page: Page) -> str:
        """The value of the `Link` header of a page of line items or results."""

    def line_item_body(self, school: School, item: LineItem) -> dict[str, Any]:
        """A line item as the LMS lists it."""

    def result_body(self, school: School, item: LineItem, person_id: str, grade: Grade) -> dict[str, Any]:
        """A result as the LMS lists it."""

    def list_json(self, entries: Sequence[Mapping[str, Any]]) -> str:
        """A list of line items or results as the LMS writes it."""

    def service_error(self, status: int, reason: str, request: Request) -> Response:
        """A service's refusal, saying why."""

    def score_refusal(self, status: int, reason: str) -> Response:
        """The refusal of a score, which some LMSs write in a way of its own."""
