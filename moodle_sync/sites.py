"""Which platforms have opened their Moodle's web services to the tool: connected, checked, forgotten.

The token is sealed by the master key, opened for a call, and shown to nobody.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from lti_tool.lti.http import Http
from lti_tool.people.models import Platform
from lti_tool.privacy.sealing import Masters, SealBroken
from lti_tool.store.database import Database
from moodle_sync.client import MoodleClient, SiteInfo
from moodle_sync.errors import AddressWrong, MissingFunction, MoodleError, TokenRefused
from moodle_sync.models import MoodleSite, MoodleWrite

SITE_INFO = "core_webservice_get_site_info"
NEEDED: dict[str, tuple[str, ...]] = {
    "roster": (SITE_INFO, "core_enrol_get_enrolled_users", "core_group_get_course_groups"),
    "groups": (
        "core_group_get_course_groups",
        "core_group_get_group_members",
        "core_group_create_groups",
        "core_group_delete_groups",
        "core_group_add_group_members",
        "core_group_delete_group_members",
        "core_group_get_course_groupings",
        "core_group_create_groupings",
        "core_group_assign_grouping",
    ),
    "events": (
        "core_calendar_create_calendar_events",
        "core_calendar_get_calendar_events",
        "core_calendar_delete_calendar_events",
    ),
    "messages": ("core_message_send_instant_messages",),
}
"""The functions that each use of Moodle asks of the service, as docs/moodle-administrator.md lists them."""
_MAX_TOKEN = 200


@dataclass(frozen=True, slots=True)
class Site:
    """A platform's web services as they were found last; `problem` is the code of a MoodleError, or empty."""

    platform_id: str
    url: str
    release: str
    user_id: int
    functions: frozenset[str]
    events: bool
    messages: bool
    checked_at: datetime | None
    problem: str

    def can(self, use: str) -> bool:
        """Whether the service has all functions of a use (a key of NEEDED)."""
        return self.functions.issuperset(NEEDED[use])


def clean(url: str, token: str) -> tuple[str, str]:
    """Address and token as somebody typed them, made usable. Raises AddressWrong, TokenRefused."""
    url, token = url.strip().rstrip("/"), token.strip()
    if not url.startswith(("https://", "http://")) or len(url) > 1000 or "?" in url or "#" in url:
        raise AddressWrong("address", "The address is that of the Moodle's start page, with https://.")
    if not token or len(token) > _MAX_TOKEN or not token.isascii() or not token.isalnum():
        raise TokenRefused("invalidtoken", "A token of Moodle is letters and digits only.")
    return url, token


def ask(http: Http, url: str, token: str) -> SiteInfo:
    """What the site says of itself to this token; calls it, so not in a transaction. Raises MoodleError."""
    return MoodleClient(http, url, token).site_info()


def connect(
    session: Session, masters: Masters, platform_id: str, url: str, token: str, info: SiteInfo, now: datetime
) -> None:
    """Keeps address and token of a platform, once `info` was asked with them; what was switched on before stays so.

    People and courses are matched by their ids, which mean something in one Moodle only: raises AddressWrong when the
    site is not the one that the platform's launches come from.
    """
    _require_same(session, platform_id, info)
    row = session.get(MoodleSite, platform_id) or MoodleSite(platform_id=platform_id)
    row.url, row.master, row.sealed_token = url, masters.name, masters.seal(token.encode(), _place(platform_id))
    session.add(row)
    _note(row, info, now)


def check(database: Database, masters: Masters, http: Http, platform_id: str, now: datetime) -> Site:
    """Asks a site what it offers, and keeps the answer, or what is wrong; calls it, so not in a transaction.

    Raises MoodleError once that is kept, LookupError for a platform without a site.
    """
    with database.read() as session:
        client = client_of(session, platform_id, masters, http)
    if client is None:
        raise LookupError(platform_id)
    try:
        info = client.site_info()
        with database.read() as session:
            _require_same(session, platform_id, info)
    except MoodleError as error:
        with database.write() as session:
            session.execute(
                update(MoodleSite)
                .where(MoodleSite.platform_id == platform_id)
                .values(problem=error.code, checked_at=now)
            )
        raise
    with database.write() as session:
        row = session.get(MoodleSite, platform_id)
        if row is None:
            raise LookupError(platform_id)
        _note(row, info, now)
        return _site(row)


def forget(session: Session, platform_id: str) -> bool:
    """Deletes the token and what was still to be said; what is in Moodle stays there. False without a site."""
    session.execute(
        delete(MoodleWrite).where(
            MoodleWrite.platform_id == platform_id, MoodleWrite.kind == "message", MoodleWrite.status == "waiting"
        )
    )
    row = session.get(MoodleSite, platform_id)
    if row is None:
        return False
    session.delete(row)
    return True


def allow(session: Session, platform_id: str, *, events: bool | None = None, messages: bool | None = None) -> Site:
    """Switches on or off what may be written to people of the site; None leaves it. Raises LookupError,
    MissingFunction."""
    row = session.get(MoodleSite, platform_id)
    if row is None:
        raise LookupError(platform_id)
    for use, wanted in (("events", events), ("messages", messages)):
        if wanted:
            for function in missing(row.functions, use):
                raise MissingFunction(function)
        if wanted is not None:
            setattr(row, use, wanted)
    return _site(row)


def site_of(session: Session, platform_id: str) -> Site | None:
    """What is known of a platform's web services; None if they were never connected."""
    row = session.get(MoodleSite, platform_id)
    return _site(row) if row else None


def sites(session: Session) -> list[Site]:
    """All that are connected, by platform."""
    return [_site(row) for row in session.scalars(select(MoodleSite).order_by(MoodleSite.platform_id))]


def client_of(session: Session, platform_id: str, masters: Masters, http: Http) -> MoodleClient | None:
    """What calls the web services of a platform; None if they are not connected. Calls nothing.

    Raises TokenRefused when no master key here opens the token.
    """
    row = session.execute(
        select(MoodleSite.url, MoodleSite.master, MoodleSite.sealed_token).where(MoodleSite.platform_id == platform_id)
    ).one_or_none()
    if row is None:
        return None
    try:
        token = masters.open(row.master, row.sealed_token, _place(platform_id)).decode()
    except SealBroken:
        raise TokenRefused("token_sealed", "The token does not open with the master key of these settings.") from None
    return MoodleClient(http, row.url, token)


def missing(functions: Collection[str], *uses: str) -> list[str]:
    """What the service lacks for these uses (keys of NEEDED; none: all of them), each once."""
    wanted: Iterable[str] = (name for use in uses or NEEDED for name in NEEDED[use])
    return [name for name in dict.fromkeys(wanted) if name not in functions]


def reseal(session: Session, masters: Masters) -> int:
    """Seals every token by the present master key; returns how many were sealed by another one. Raises SealBroken."""
    rows = session.scalars(select(MoodleSite).where(MoodleSite.master != masters.name)).all()
    for row in rows:
        place = _place(row.platform_id)
        row.sealed_token = masters.seal(masters.open(row.master, row.sealed_token, place), place)
        row.master = masters.name
    return len(rows)


def masters_in_use(session: Session) -> frozenset[str]:
    """Names of the master keys that tokens are sealed by."""
    return frozenset(session.scalars(select(MoodleSite.master).distinct()))


def _require_same(session: Session, platform_id: str, info: SiteInfo) -> None:
    issuer = session.execute(select(Platform.issuer).where(Platform.id == platform_id)).scalar_one()
    if _plain(info.site_url) != _plain(issuer):
        raise AddressWrong(
            "other_site", f"This is the Moodle {info.site_url}, but the platform's launches come from {issuer}."
        )


def _note(row: MoodleSite, info: SiteInfo, now: datetime) -> None:
    row.user_id, row.release, row.functions = info.user_id, info.release, sorted(info.functions)
    row.checked_at, row.problem = now, ""


def _site(row: MoodleSite) -> Site:
    return Site(
        platform_id=row.platform_id,
        url=row.url,
        release=row.release,
        user_id=row.user_id,
        functions=frozenset(row.functions),
        events=row.events,
        messages=row.messages,
        checked_at=row.checked_at,
        problem=row.problem,
    )


def _plain(address: str) -> str:
    return address.rstrip("/").lower()


def _place(platform_id: str) -> bytes:
    return f"moodle_sites.sealed_token/{platform_id}".encode()
