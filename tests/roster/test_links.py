"""Link headers as LMSs really send them."""

import pytest

from lti_tool.lti.links import next_page

PAGE = "https://lms.example/memberships?limit=20"
NEXT = "https://lms.example/memberships?limit=20&from=20"


@pytest.mark.parametrize(
    "header",
    [
        f'<{NEXT}>; rel="next"',
        f"<{NEXT}>; rel=next",
        f"<{NEXT}>;rel='next'",
        f"<{NEXT}>; rel=\u201cnext\u201d",
        f"<{NEXT}>; rel=\u201dnext\u201d",
        f"<{NEXT}>; rel=\u201cnext\u201d".encode().decode("latin-1"),
        f'<{NEXT}>; title="a, b; c"; REL="Next"',
        f'<{NEXT}>; rel="last next"',
        f'<https://lms.example/first>; rel="first", <{NEXT}>; rel="next", <https://lms.example/last>; rel="last"',
        f'<https://lms.example/a,b>; rel="differences",<{NEXT}>; rel="next"',
        '<?limit=20&from=20>; rel="next"',
        '</memberships?limit=20&from=20>; rel="next"',
        f' < {NEXT} > ; rel = "next" ',
    ],
)
def test_the_next_page_is_found(header: str) -> None:
    assert next_page(header, PAGE) == NEXT


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "garbage",
        f'<{NEXT}>; rel="prev"',
        f'<{NEXT}>; rel="nextish"',
        f"<{NEXT}>",
        f"{NEXT}; rel=next",
        '<https://lms.example/x>; rel="first"; title="next"',
    ],
)
def test_no_next_page(header: str | None) -> None:
    assert next_page(header, PAGE) is None


def test_an_address_that_is_none_is_an_error_and_not_the_last_page() -> None:
    with pytest.raises(ValueError, match=r"."):
        next_page('<http://[oops>; rel="next"', PAGE)


def test_a_hostile_header_is_read_in_linear_time() -> None:
    assert next_page("<" * 50_000 + "; rel=next", PAGE) is None
    assert next_page("<a>;" * 20_000, PAGE) is None
    assert next_page("<" + " " * 50_000, PAGE) is None
