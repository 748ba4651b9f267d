"""Tables of the door itself: logins under way, one-time codes and invites, our keys, and the keys of platforms."""

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from lti_tool.store.base import Base, Id, Moment, Ref


class Login(Base):
    """One login under way: opened at the login address, consumed once by its launch, forgotten when expired.

    State, nonce and the browser's secret are kept as hashes: who reads the database cannot finish anybody's launch.
    """

    __tablename__ = "logins"

    id: Mapped[Id]
    state_hash: Mapped[str] = mapped_column(String(64), unique=True)
    nonce_hash: Mapped[str] = mapped_column(String(64))
    browser_hash: Mapped[str] = mapped_column(String(64))
    """Of the secret in the browser's cookie, or in the platform's storage where the frame keeps no cookies."""
    platform_id: Mapped[Ref] = mapped_column(ForeignKey("platforms.id", ondelete="CASCADE"), index=True)
    target_link_uri: Mapped[str] = mapped_column(String(1000))
    storage_target: Mapped[str] = mapped_column(String(100), default="")
    """Frame of the platform that stores the secret; empty where a cookie holds it."""
    created_at: Mapped[Moment]
    expires_at: Mapped[Moment] = mapped_column(index=True)
    consumed_at: Mapped[datetime | None]
    sign_in_id: Mapped[str | None] = mapped_column(String(16))
    """Handle of the session that the launch opened: a reload leads back to it."""


class Continuation(Base):
    """A proven launch that goes on in a new tab, because its frame keeps no cookies."""

    __tablename__ = "continuations"

    id: Mapped[Id]
    code_hash: Mapped[str] = mapped_column(String(64), unique=True)
    membership_id: Mapped[Ref] = mapped_column(ForeignKey("memberships.id", ondelete="CASCADE"), index=True)
    activity_id: Mapped[Ref | None] = mapped_column(ForeignKey("activities.id", ondelete="CASCADE"), index=True)
    locale: Mapped[str] = mapped_column(String(20))
    platform_origin: Mapped[str] = mapped_column(String(300))
    return_url: Mapped[str] = mapped_column(String(1000))
    selection_id: Mapped[Ref | None] = mapped_column(ForeignKey("selections.id", ondelete="CASCADE"), index=True)
    expires_at: Mapped[Moment] = mapped_column(index=True)


class Invite(Base):
    """A one-time registration link. open → reserved (an LMS is registering, for minutes) → used; or expired."""

    __tablename__ = "invites"

    id: Mapped[Id]
    code_hash: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    """Name that the operator gave to the platform to come."""
    created_at: Mapped[Moment]
    expires_at: Mapped[Moment]
    reserved_until: Mapped[datetime | None]
    """A registration with this invite is under way until then; if it fails, the invite is free again."""
    used_at: Mapped[datetime | None]


class ToolKey(Base):
    """One signing key of ours. Its state follows from its moments alone, see `tool_keys.state_of`."""

    __tablename__ = "tool_keys"

    id: Mapped[Id]
    """Also the key id (`kid`) that platforms see."""
    public_jwk: Mapped[dict[str, str]] = mapped_column(JSON)
    sealed_private: Mapped[bytes | None] = mapped_column(LargeBinary)
    """PKCS #8, sealed by the master key; none any more once the key is retired."""
    master: Mapped[str] = mapped_column(String(8), default="", server_default="")
    """Name of that master key; empty for keys from before they had names."""
    created_at: Mapped[Moment]
    signs_from: Mapped[Moment]
    """Published from creation on, so that platforms know it before the first signature."""
    published_until: Mapped[datetime | None]
    """None while no newer key has replaced it."""


class PlatformKeySet(Base):
    """The public keys of one platform as last read; still used while it is down."""

    __tablename__ = "platform_key_sets"

    platform_id: Mapped[Ref] = mapped_column(ForeignKey("platforms.id", ondelete="CASCADE"), primary_key=True)
    jwks_url: Mapped[str] = mapped_column(String(1000))
    """Where they were read: keys of an earlier address are not used."""
    keys: Mapped[list[dict[str, str]]] = mapped_column(JSON)
    """Usable public JWKs, stripped to what a signature check needs."""
    fetched_at: Mapped[datetime | None]
    tried_at: Mapped[Moment]
    """Last attempt, successful or not: unknown key ids ask again only after a cool-down from here."""
