"""Files that are brought: whatever stands in them, they are taken or refused by line, and soon."""

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lti_tool.protocols import files
from lti_tool.protocols.reader import MAX_CHARACTERS, ProtocolError, shipped

LIGHT = files.as_file(shipped()["light"].body)
SOON = 3.0
"""Seconds, on a slow machine; without bounds a file of this size takes several times as long."""
TAGS = (
    "",
    *(f"!!{name} " for name in ("bool", "int", "float", "null", "timestamp", "binary", "str", "set", "odd")),
    "! ",
)
DIGITS = ("0x" + "f" * 5_000, "0" + "7" * 6_000, "1" + ":59" * 3_000, "9" * 5_000, "0b" + "1" * 20_000)


def refused(text: str) -> str:
    """What is wrong with a file; empty where it is taken. Fails where that is not soon."""
    begun = time.process_time()
    try:
        files.from_file(text.encode("utf-8", "surrogatepass"), "file")
        return ""
    except ProtocolError as error:
        return str(error)
    finally:
        assert time.process_time() - begun < SOON


@pytest.mark.parametrize(
    "value",
    [
        '!!bool "abc"', '!!timestamp "abc"', '!!int ""', '!!int "-"', '!!int "_"', '!!float ""', "!!int", "!!bool [1]",
        '"\\UFFFFFFFF"', '"\\U00110000"', '"\\uD800"', *DIGITS, f'"{DIGITS[3]}"',
    ],
)  # fmt: skip
def test_a_value_that_is_none_is_refused_by_its_line(value: str) -> None:
    for key in ("by: host", "version: 2", "minutes: 10"):
        assert key in LIGHT
        assert refused(LIGHT.replace(key, f"{key.split()[0]} {value}", 1)).startswith("file, line "), key
    assert refused(f"%YAML {DIGITS[3]}.1\n---\n{LIGHT}")


def test_what_is_written_plainly_is_read_plainly() -> None:
    assert refused(LIGHT) == refused(LIGHT.replace("en: Light", 'en: !!str "Light"', 1)) == ""
    assert "010" in refused(LIGHT.replace("version: 2", "version: 010", 1))
    for value in ("yes", "1.5", "2026-11-22"):
        assert refused(LIGHT.replace("en: Light", f"en: {value}", 1)) == "", "a text without quotes"
    assert "Put quotes around it" in refused(LIGHT.replace("en: Light", "en: 12", 1))


def test_every_text_comes_back_as_it_went() -> None:
    for text in ("09", "7", "1_000", "1:30", "0x1", "1.5", "tRue", "true", "Yes", "nULL", "NULL", "~", "=", "<<", "-"):
        body = {**shipped()["light"].body, "title": {"en": text, "ga": text}}
        assert files.from_file(files.as_file(body).encode(), "file")["title"] == body["title"]


@pytest.mark.parametrize("item", ["1,", "{a: 1},", "? ", "[", "{", "!!int 1,", "\n- x"])
def test_a_long_file_of_nothing_is_refused_soon(item: str) -> None:
    long = item * ((MAX_CHARACTERS - 10) // len(item))
    assert refused(long)
    assert refused(f"[{long}]")


ODD = st.one_of(
    st.text(max_size=30),
    st.text(alphabet="0123456789_:.-+exob~[]{}!&*'\"|>%@`#?, \n", max_size=30),
    st.sampled_from(DIGITS),
    st.builds('"\\U{:08X}"'.format, st.integers(0, 2**32 - 1)),
)


@settings(max_examples=60, deadline=None)
@given(tag=st.sampled_from(TAGS), value=ODD, place=st.integers(0, 60))
def test_no_odd_value_is_an_unforeseen_error(tag: str, value: Any, place: int) -> None:
    lines = LIGHT.splitlines()
    place = 3 + place % (len(lines) - 3)
    key, colon, _rest = lines[place].partition(":")
    lines[place] = f"{key}{colon} {tag}{value}"
    refused("\n".join(lines))
