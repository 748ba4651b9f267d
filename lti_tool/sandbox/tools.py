"""A tool as the LMS knows it: what its registration said, and what the administrator decided."""

from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass
class Tool:
    """A registered LTI tool. `deployment_id` is also the LMS's own number for it."""

    deployment_id: str
    client_id: str
    name: str
    login_url: str
    redirect_uris: tuple[str, ...]
    jwks_url: str
    target_link_uri: str
    description: str = ""
    logo_uri: str = ""
    deep_linking_url: str | None = None
    custom: dict[str, str] = field(default_factory=dict)
    scopes: tuple[str, ...] = ()
    sends_name: bool = True
    sends_email: bool = True
    is_active: bool = False
    platform_storage: bool = False

    @property
    def domain(self) -> str:
        return domain_of(self.target_link_uri)

    @property
    def origins(self) -> tuple[str, ...]:
        """The origins whose frames may talk to the LMS's pages by postMessage."""
        urls = (self.target_link_uri, self.login_url, *self.redirect_uris)
        return tuple(dict.fromkeys(origin_of(url) for url in urls))


def domain_of(url_or_domain: str) -> str:
    """Host and, where given, port, in lower case; a leading `www.` does not count; "" if malformed."""
    address = url_or_domain if "//" in url_or_domain else "//" + url_or_domain
    try:
        return urlsplit(address).netloc.lower().removeprefix("www.")
    except ValueError:
        return ""


def origin_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()


def is_web_address(value: object) -> bool:
    """Whether `value` is an absolute http or https URL without a fragment."""
    if not isinstance(value, str):
        return False
    try:
        parts = urlsplit(value)
        port_is_a_number = parts.port is None or parts.port > 0
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.fragment and port_is_a_number
