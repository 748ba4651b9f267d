"""Origins, as they go into headers."""

import pytest

from lti_tool.lti.platform import origin_of, same_origin


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://lms.example/a?b#c", "https://lms.example"),
        ("https://LMS.Example:443/", "https://lms.example"),
        ("http://127.0.0.1:8001/x", "http://127.0.0.1:8001"),
        ("http://[::1]:80/x", "http://[::1]"),
        ("https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443"),
        ("https://my_lms.example", "https://my_lms.example"),
        ("https://user:x@lms.example/", "https://lms.example"),
        ("", ""),
        ("null", ""),
        ("lms.example", ""),
        ("javascript:alert(1)", ""),
        ("https://", ""),
        ("https://[::1", ""),
        ("https://lms.example:x", ""),
        ("https://lms.example;script-src *", ""),
        ("https://*", ""),
        ("https://*.example", ""),
        ("https://lms.example'", ""),
        ("https://lms.example,x", ""),
        ("https://ü.example", ""),
        ("https://日本.example", ""),
        ("https://" + "x" * 300, ""),
    ],
)
def test_an_origin_is_what_a_browser_writes(url: str, origin: str) -> None:
    assert origin_of(url) == origin


def test_two_that_have_no_origin_are_not_the_same() -> None:
    assert not same_origin("https://*", "https://*")
    assert same_origin("https://lms.example/a", "https://LMS.example:443/b")
