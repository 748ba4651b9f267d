"""The door as one object: what a running tool holds of LTI. Building it does no I/O."""

from collections.abc import Callable
from datetime import datetime

from lti_tool.lti import launch
from lti_tool.lti.access_tokens import AccessTokens
from lti_tool.lti.http import Http
from lti_tool.lti.launch import ExpectedLogin, Launch
from lti_tool.lti.logins import StoredLogin
from lti_tool.lti.platform import KnownPlatform
from lti_tool.lti.platform_keys import PlatformKeys
from lti_tool.lti.tool_keys import ToolKeys
from lti_tool.privacy.sealing import Masters
from lti_tool.settings import Settings
from lti_tool.store.database import Database


class LtiDoor:
    """Our keys, the platforms' keys, access tokens, and the guarded way out. One per process; safe between threads."""

    def __init__(self, settings: Settings, database: Database, clock: Callable[[], datetime]) -> None:
        self.http = Http(settings.network.allow_private)
        self.keys = ToolKeys(database, Masters.of(settings), clock)
        self.platform_keys = PlatformKeys(database, self.http, clock, settings.lti.algorithms)
        self.tokens = AccessTokens(self.http, self.keys.sign, clock)
        self._algorithms = tuple(settings.lti.algorithms)

    def prove(self, id_token: str, platform: KnownPlatform, login: StoredLogin, now: datetime) -> Launch:
        """The launch that `id_token` proves for this login; may read the platform's keys, so not in a transaction.

        Raises DoorError.
        """
        return launch.prove(
            id_token,
            platform=platform,
            login=ExpectedLogin(login.nonce_hash, login.target_link_uri),
            find_key=lambda kid: self.platform_keys.find(platform.id, platform.jwks_url, kid),
            algorithms=self._algorithms,
            now=now,
        )
