"""Sealed content opens for its author, scope and place, and nowhere else; a master key can be one of several."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lti_tool.privacy.sealing import Masters, SealBroken, master_name, new_key, open_sealed, seal


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


def test_a_master_key_opens_what_its_name_stands_for_and_what_has_no_name() -> None:
    before, now = Masters(b"a" * 32), Masters(b"b" * 32, [b"a" * 32])
    sealed = before.seal(b"key", b"place")
    assert now.open(before.name, sealed, b"place") == now.open("", sealed, b"place") == b"key"
    for masters, name in (
        (now, now.name),
        (now, "unknown"),
        (Masters(b"b" * 32), before.name),
        (Masters(b"b" * 32), ""),
    ):
        with pytest.raises(SealBroken):
            masters.open(name, sealed, b"place")


def test_the_name_of_a_master_key_is_short_and_no_part_of_it() -> None:
    assert len(master_name(b"a" * 32)) == 8 and master_name(b"a" * 32) != master_name(b"b" * 32)
    assert master_name(b"a" * 32).encode() not in (b"a" * 32, (b"a" * 32).hex().encode())
