"""Invitations and pairs as tables and properties."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lti_tool.pairing.rules import (
    MAX_WAITING,
    REMEMBERED_FOR,
    Refusal,
    can_be_answered,
    looks,
    pair_status,
    refuse_acceptance,
    refuse_invitation,
)

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@given(expires_in=st.integers(-100 * 86400, 100 * 86400))
def test_a_declined_invitation_looks_like_an_open_one_at_every_moment(expires_in: int) -> None:
    expires_at = NOW + timedelta(seconds=expires_in)
    assert looks("declined", expires_at, NOW) == looks("open", expires_at, NOW)


@given(expires_in=st.integers(-100 * 86400, 0))
def test_the_look_does_not_wait_for_the_clearing_job(expires_in: int) -> None:
    expires_at = NOW + timedelta(seconds=expires_in)
    assert looks("open", expires_at, NOW) == looks("lapsed", expires_at, NOW)


@pytest.mark.parametrize(
    ("status", "expires_at", "look"),
    [
        ("open", NOW + SECOND, "waiting"),
        ("open", NOW, "not_taken_up"),
        ("open", NOW - REMEMBERED_FOR + SECOND, "not_taken_up"),
        ("open", NOW - REMEMBERED_FOR, "gone"),
        ("withdrawn", NOW + SECOND, "gone"),
        ("accepted", NOW + SECOND, "gone"),
    ],
)
def test_looks(status: str, expires_at: datetime, look: str) -> None:
    assert looks(status, expires_at, NOW) == look


@pytest.mark.parametrize(
    ("status", "expires_at", "answer"),
    [
        ("open", NOW + SECOND, True),
        ("open", NOW, False),
        ("declined", NOW + SECOND, False),
        ("withdrawn", NOW + SECOND, False),
        ("accepted", NOW + SECOND, False),
        ("lapsed", NOW - SECOND, False),
    ],
)
def test_can_be_answered(status: str, expires_at: datetime, answer: bool) -> None:
    assert can_be_answered(status, expires_at, NOW) is answer


@pytest.mark.parametrize(
    ("is_colleague", "in_active_pair", "waiting", "refusal"),
    [
        (True, False, 0, None),
        (True, False, MAX_WAITING - 1, None),
        (True, False, MAX_WAITING, Refusal.TOO_MANY),
        (True, True, 0, Refusal.IN_PAIR),
        (False, False, 0, Refusal.NOT_A_COLLEAGUE),
    ],
)
def test_refuse_invitation(is_colleague: bool, in_active_pair: bool, waiting: int, refusal: Refusal | None) -> None:
    found = refuse_invitation(is_colleague=is_colleague, in_active_pair=in_active_pair, waiting=waiting)
    assert found == refusal


@pytest.mark.parametrize(
    ("answerable", "coach_paired", "host_paired", "host_takes_part", "refusal"),
    [
        (True, False, False, True, None),
        (False, False, False, True, Refusal.NOT_OPEN),
        (True, True, False, True, Refusal.IN_PAIR),
        (True, False, True, True, Refusal.NOT_OPEN),
        (True, False, False, False, Refusal.NOT_OPEN),
        # Nothing is said about a host to somebody who could not accept anyway.
        (False, True, True, False, Refusal.NOT_OPEN),
    ],
)
def test_refuse_acceptance(
    answerable: bool, coach_paired: bool, host_paired: bool, host_takes_part: bool, refusal: Refusal | None
) -> None:
    found = refuse_acceptance(
        can_be_answered=answerable,
        coach_in_active_pair=coach_paired,
        host_in_active_pair=host_paired,
        host_takes_part=host_takes_part,
    )
    assert found == refusal


@given(st.lists(st.booleans(), min_size=2, max_size=3))
def test_a_pair_is_active_when_nobody_pauses(paused: list[bool]) -> None:
    assert (pair_status(paused) == "active") == (True not in paused)
