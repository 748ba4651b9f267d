"""The texts of the program and their translations: `make messages` brings them together, `make check` compares.

English stands in the source; every other language is `lti_tool/translations/<code>/LC_MESSAGES/messages.po`.
"""

import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parents[2]
TRANSLATIONS = ROOT / "lti_tool" / "translations"
LANGUAGES = ("ga",)
_KEYWORDS = DEFAULT_KEYWORDS | {
    "_l": None,
    "lazy_gettext": None,
    "lazy_ngettext": (1, 2),
    "lazy_pgettext": ((1, "c"), 2),
}


def gathered() -> Catalog:
    """All texts of the program that a person may see. The sandbox has none: it speaks English only."""
    with (ROOT / "babel.cfg").open(encoding="utf-8") as file:
        methods, options = parse_mapping_cfg(file)
    catalog = Catalog(project="Meitheal", charset="utf-8")
    for folder in (ROOT / "lti_tool", ROOT / "moodle_sync", ROOT / "templates"):
        found = extract_from_dir(
            folder,
            methods,
            options,
            _KEYWORDS,
            comment_tags=("Translators:",),
            directory_filter=lambda path: Path(path).name not in ("sandbox", "static", "translations", "__pycache__"),
        )
        for name, _line, message, comments, context in found:
            catalog.add(message, locations=[(f"{folder.name}/{name}", 0)], auto_comments=comments, context=context)
    return catalog


def po_file(language: str) -> Path:
    return TRANSLATIONS / language / "LC_MESSAGES" / "messages.po"


def read(language: str) -> Catalog:
    """The translations of a language; empty while there is no file."""
    file = po_file(language)
    if not file.exists():
        return Catalog(locale=language, project="Meitheal", charset="utf-8")
    with file.open("rb") as opened:
        return read_po(opened, locale=language)


def update(language: str, texts: Catalog) -> None:
    """Adds new texts to the file of a language (without a translation), drops those that are gone, compiles it."""
    catalog = read(language)
    creation = catalog.creation_date
    catalog.update(texts, no_fuzzy_matching=True, update_creation_date=False)
    catalog.creation_date = creation
    written = BytesIO()
    write_po(written, catalog, width=110, sort_output=True, ignore_obsolete=True, include_lineno=False)
    file = po_file(language)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(_without_blanks(written.getvalue()))
    with file.with_suffix(".mo").open("wb") as compiled:
        write_mo(compiled, read(language))


def _without_blanks(written: bytes) -> bytes:
    """A catalogue without the header lines that Babel writes for facts nobody gave it, such as a translator's name."""
    blank = (
        b'"Report-Msgid-Bugs-To: EMAIL',
        b'"PO-Revision-Date: YEAR',
        b'"Last-Translator: FULL',
        b'"Language-Team: ',
    )
    lines = [line for line in written.splitlines(keepends=True) if not line.startswith(blank)]
    # Babel takes the last word for a version, and so our name without one gets a second space.
    return b"".join(lines).replace(b'"Project-Id-Version:  ', b'"Project-Id-Version: ', 1)


def problems(language: str, texts: Catalog) -> Iterator[str]:
    """What is wrong with the translations of a language, one line each."""
    catalog = read(language)
    for wanted in texts:
        if not wanted.id:
            continue
        message = catalog.get(_key(wanted), wanted.context)
        shown = _shown(wanted)
        if message is None:
            yield f"{language}: {shown} is missing"
        elif message.fuzzy:
            yield f"{language}: {shown} is marked as fuzzy"
        elif not all(message.string if isinstance(message.string, tuple) else (message.string,)):
            yield f"{language}: {shown} has no translation"
        elif message.pluralizable and len(message.string) != catalog.num_plurals:
            yield f"{language}: {shown} needs {catalog.num_plurals} plural forms"
        else:
            yield from (f"{language}: {shown}: {error}" for error in message.check(catalog))
    for message in catalog:
        if message.id and texts.get(_key(message), message.context) is None:
            yield f"{language}: {_shown(message)} is not a text of the program any more"


def _key(message: Message) -> str:
    return message.id[0] if isinstance(message.id, (list, tuple)) else message.id


def _shown(message: Message) -> str:
    return repr(_key(message)[:70])


def main(arguments: list[str]) -> int:
    texts = gathered()
    if "--update" in arguments:
        for language in LANGUAGES:
            update(language, texts)
    found = [problem for language in LANGUAGES for problem in problems(language, texts)]
    for problem in found[:50]:
        print(problem, file=sys.stderr)
    if found:
        print(f"{len(found)} of {len(texts)} texts need a translator; `make messages` adds them.", file=sys.stderr)
        return 1
    print(f"{len(texts)} texts, complete in: en, {', '.join(LANGUAGES)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
