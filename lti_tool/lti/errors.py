"""Why the door stays shut, as codes. The texts that a person reads are in `web/door.py`, chosen by these codes."""

from enum import StrEnum


class Reason(StrEnum):
    """One way in which a login, a launch or a registration can fail."""

    MALFORMED = "malformed"
    """A parameter is missing, sent twice, too long or not text."""
    UNKNOWN_PLATFORM = "unknown_platform"
    CLIENT_NEEDED = "client_needed"
    """The issuer has several registrations and the login named no client."""
    PLATFORM_PENDING = "platform_pending"
    PLATFORM_SUSPENDED = "platform_suspended"
    DEPLOYMENT_PENDING = "deployment_pending"
    WRONG_TARGET = "wrong_target"
    LOGIN_UNKNOWN = "login_unknown"
    LOGIN_EXPIRED = "login_expired"
    LOGIN_USED = "login_used"
    OTHER_BROWSER = "other_browser"
    NO_COOKIES = "no_cookies"
    FOREIGN_ORIGIN = "foreign_origin"
    NOT_A_POST = "not_a_post"
    PLATFORM_ERROR = "platform_error"
    """The platform sent an error instead of a launch."""
    BAD_TOKEN = "bad_token"  # noqa: S105 - a code, not a secret
    KEY_UNKNOWN = "key_unknown"
    KEYS_UNREACHABLE = "keys_unreachable"
    BAD_SIGNATURE = "bad_signature"
    WRONG_ISSUER = "wrong_issuer"
    WRONG_AUDIENCE = "wrong_audience"
    TOKEN_EXPIRED = "token_expired"  # noqa: S105
    CLOCKS_DIFFER = "clocks_differ"
    """Issued in the future, or valid only from then."""
    TOKEN_TOO_OLD = "token_too_old"  # noqa: S105
    WRONG_NONCE = "wrong_nonce"
    BAD_CLAIM = "bad_claim"
    UNKNOWN_MESSAGE = "unknown_message"
    ANONYMOUS = "anonymous"
    LINKS_NOT_TAKEN = "links_not_taken"
    """Content is selected, but not of the kind that we have: links."""
    CODE_INVALID = "code_invalid"
    """The one-time code for going on in a new tab is unknown, used or too old."""
    INVITE_NEEDED = "invite_needed"
    INVITE_INVALID = "invite_invalid"
    INVITE_USED = "invite_used"
    """An LMS was registered with it."""
    REGISTRATION_ADDRESS = "registration_address"
    """An address given for registration may not be called."""
    REGISTRATION_MISMATCH = "registration_mismatch"
    REGISTRATION_UNREACHABLE = "registration_unreachable"
    REGISTRATION_REFUSED = "registration_refused"
    ALREADY_REGISTERED = "already_registered"


class DoorError(Exception):
    """The door stays shut. `detail` is for the log: names of claims and parameters, never their values.

    `said` is what the platform said to the person, for their eyes only.
    """

    def __init__(self, reason: Reason, detail: str = "", *, said: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else str(reason))
        self.reason = reason
        self.detail = detail
        self.said = said
