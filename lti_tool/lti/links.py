"""Link headers (RFC 8288), also as LMSs really send them.

Moodle's grade service puts typographic quotes around `rel` values, and others none; a parser that insists on the
straight ones finds no next page, and a long roster would silently end after the first.
"""

import re
from urllib.parse import urljoin

_REL = re.compile(r"[;\s]rel\s?=([^;,]*)", re.IGNORECASE)
_QUOTES = "\"'\u201c\u201d\u201e\u201f\u2018\u2019\u00ab\u00bb\u2033` \t"


def next_page(header: str | None, page_url: str) -> str | None:
    """Absolute address of the page after `page_url`, from its Link header; None on the last page.

    `header` may be several links joined by commas, as several headers of one answer are. Raises ValueError if the
    link to the next page is not an address at all.
    """
    for link in _repaired(header or "").split("<")[1:]:
        target, closed, parameters = link.partition(">")
        found = _REL.search(parameters)
        if closed and found and "next" in found.group(1).strip(_QUOTES).lower().split():
            return urljoin(page_url, target.strip())
    return None


def _repaired(header: str) -> str:
    """HTTP headers arrive as Latin-1; typographic quotes were UTF-8 before that."""
    try:
        return header.encode("latin-1").decode("utf-8")
    except (UnicodeEncodeError, UnicodeDecodeError):
        return header
