"""Sealed content opens for its author, scope and place, and nowhere else."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, func, select

from lti_tool.privacy.keyring import Keyring, KeyShredded
from lti_tool.privacy.models import ContentKey
from lti_tool.privacy.sealing import SealBroken, new_key, open_sealed, seal
from lti_tool.store.database import Database

NOW = datetime(2026, 11, 22, tzinfo=UTC)
MASTER = b"m" * 32


@given(st.text(), st.text())
def test_what_was_sealed_opens(text: str, place: str) -> None:
    key = new_key()
    sealed = seal(key, text.encode(), place.encode())
    assert open_sealed(key, sealed, place.encode()).decode() == text


@given(st.binary(min_size=1), st.data())
def test_a_changed_byte_is_noticed(plaintext: bytes, data: st.DataObject) -> None:
    key = new_key()
    sealed = bytearray(seal(key, plaintext, b"place"))
    position = data.draw(st.integers(0, len(sealed) - 1))
    sealed[position] ^= 1
    with pytest.raises(SealBroken):
        open_sealed(key, bytes(sealed), b"place")


def test_a_value_moved_elsewhere_does_not_open() -> None:
    key = new_key()
    sealed = seal(key, b"words", b"texts/1")
    for wrong_key, place in ((key, b"texts/2"), (new_key(), b"texts/1")):
        with pytest.raises(SealBroken):
            open_sealed(wrong_key, sealed, place)
    with pytest.raises(SealBroken):
        open_sealed(key, b"", b"texts/1")


def test_two_authors_of_a_cycle_have_two_keys(database: Database) -> None:
    keyring = Keyring(MASTER)
    with database.write() as session:
        keys = keyring.opened(session, "cycle", NOW)
        mine, yours = keys.seal("niamh", "words", "t/1"), keys.seal("seán", "words", "t/1")
        assert keys.open("niamh", mine, "t/1") == "words"
        with pytest.raises(SealBroken):
            keys.open("seán", mine, "t/1")
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(ContentKey)) == 2
        again = keyring.opened(session, "cycle", NOW)
        assert again.open("seán", yours, "t/1") == "words"


def test_another_master_key_opens_nothing(database: Database) -> None:
    with database.write() as session:
        Keyring(MASTER).opened(session, "cycle", NOW).seal("niamh", "words", "t/1")
    with database.read() as session, pytest.raises(SealBroken):
        Keyring(b"x" * 32).opened(session, "cycle", NOW)


def test_a_key_moved_to_another_cycle_opens_nothing(database: Database) -> None:
    with database.write() as session:
        Keyring(MASTER).opened(session, "cycle", NOW).seal("niamh", "words", "t/1")
        session.query(ContentKey).update({"scope_id": "other"})
    with database.read() as session, pytest.raises(SealBroken):
        Keyring(MASTER).opened(session, "other", NOW)


def test_a_deleted_key_shreds_what_it_sealed(database: Database) -> None:
    keyring = Keyring(MASTER)
    with database.write() as session:
        sealed = keyring.opened(session, "cycle", NOW).seal("niamh", "words", "t/1")
    with database.write() as session:
        session.execute(delete(ContentKey))
    with database.read() as session, pytest.raises(KeyShredded):
        keyring.opened(session, "cycle", NOW).open("niamh", sealed, "t/1")
