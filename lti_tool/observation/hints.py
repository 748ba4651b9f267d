"""Quiet hints while notes are written: at words that judge, and at what may be the name of a pupil (R44). Pure.

static/hints.js does the same in the browser, where the notes stay; tests/observation/hint_cases.yaml runs against both.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any
from unicodedata import normalize

from lti_tool.protocols import reader
from lti_tool.protocols.recipe import Words

_FILE = Path(__file__).with_name("hints.yaml")
LANGUAGES = ("en", "ga")
SEEN, PLAIN = "seen", "plain"
"""What is asked of any word, also of those that a course adds; and the phrases about which nothing is asked."""
MAX_PHRASE = 60
"""Characters of a phrase that a course adds or leaves out."""
MOST_PHRASES = 100
"""Of each of these lists."""

# Latin letters with accents and dots, after NFC. Written out, so that Python and browsers mean the same by it.
_LETTER = "A-Za-zÀ-ÖØ-öø-ɏḀ-ỿ"
_TOKEN = re.compile(rf"[{_LETTER}]+(?:'[{_LETTER}]+)*")
_QUOTED = re.compile(r"“[^”\n]*”?|„[^”“\n]*[”“]?|«[^»\n]*»?|\"[^\"\n]*\"?")
_SINGLE_QUOTED = re.compile(rf"‘[^\n]*?(?:[’'](?![{_LETTER}])|$)|(^|[\s(])'[^'\n]*(?:'[{_LETTER}][^'\n]*)*'", re.M)
_BEFORE = ("go", "chomh", "very", "really", "so", "quite")
"""Said with the word after them, as is what a hyphen joins to it: “go hiontach”, “an-mhaith”."""

_ENGLISH = (
    ("'s", ""), ("s", ""), ("es", ""), ("ed", ""), ("ed", "e"), ("ing", ""), ("ing", "e"), ("ly", ""), ("ly", "le"),
    ("er", ""), ("er", "e"), ("est", ""), ("est", "e"), ("ily", "y"), ("ier", "y"), ("iest", "y"), ("ied", "y"),
    ("ies", "y"), ("ness", ""), ("iness", "y"),
)  # fmt: skip
_DOUBLING = ("ed", "ing", "er", "est")
_ECLIPSED = (
    ("bhf", "f"), ("mb", "b"), ("gc", "c"), ("nd", "d"), ("ng", "g"), ("bp", "p"), ("dt", "t"), ("ts", "s"),
    ("b'", ""), ("d'", ""), ("m'", ""),
)  # fmt: skip
_IRISH = (("a", ""), ("e", ""), ("acha", "ach"), ("eacha", "each"), ("aí", "ach"), ("í", "each"), ("úla", "úil"))
_LENITED, _VOWELS = "bcdfgmpst", "aeiouáéíóú"

_Phrases = tuple[tuple[str, str, str], ...]
_PARTICLES = ("Ó", "Ní", "Mac", "Mc", "Nic", "Mhic", "Uí", "O")
_PREFIX = re.compile(
    r"^(?:bh(?=F)|m(?=B)|g(?=C)|n(?=[DGAEIOUÁÉÍÓÚ])|b(?=P)|d(?=T)|t(?=[SAEIOUÁÉÍÓÚ])|h(?=[AEIOUÁÉÍÓÚ]))"
)
"""Small letters that Irish puts before a capital one."""
_OPENING = '"“«‘'
_STARTS = re.compile(r"(?:^[\s\d•*:.)–—-]*|[.!?…:;(][\s\d]*|[\"“«‘][\s]*)$")
"""What stands before the first word of a sentence, in its line."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A place at which something is hinted."""

    said: str
    """As it was written, without what is about it."""
    ask: str
    """Key of what is asked (Lists.asks)."""


@dataclass(frozen=True, slots=True)
class Lists:
    """What hints go by. `phrases`: (language, phrase, key of what is asked, or `plain`)."""

    phrases: _Phrases
    asks: Mapping[str, Words]
    given: tuple[str, ...]
    ordinary: tuple[str, ...]
    starters: tuple[str, ...]

    def of_course(self, added: Mapping[str, Iterable[str]], left_out: Mapping[str, Iterable[str]]) -> "Lists":
        """The same with what a course adds and leaves out, by language."""
        more = [(language, phrase, PLAIN) for language in LANGUAGES for phrase in left_out.get(language, ())]
        more += [(language, phrase, SEEN) for language in LANGUAGES for phrase in added.get(language, ())]
        return Lists((*more, *self.phrases), self.asks, self.given, self.ordinary, self.starters)

    def to_json(self, language: str) -> dict[str, Any]:
        """Plain values for hints.js, with what is asked in `language`."""
        judging: dict[str, dict[str, list[str]]] = {each: {} for each in LANGUAGES}
        for of, phrase, ask in self.phrases:
            judging[of].setdefault(ask, []).append(phrase)
        return {
            "judging": judging,
            "asks": {key: each.into(language) for key, each in self.asks.items()},
            "given": list(self.given),
            "ordinary": list(self.ordinary),
            "starters": list(self.starters),
        }


@dataclass(frozen=True, slots=True)
class _Token:
    start: int
    end: int
    word: str
    after: bool
    """Whether it goes on from the word before it, with a space or a hyphen between."""


@cache
def shipped() -> Lists:
    """The lists of this package."""
    body, _where, _problems = reader.plain_file(_FILE)
    names = body["names"]
    return Lists(
        tuple(
            (language, _plain(phrase), ask)
            for language in LANGUAGES
            for ask, rows in body["judging"][language].items()
            for phrase in _flat(rows)
        ),
        {key: Words(**words) for key, words in body["asks"].items()},
        _flat(names["given"]),
        _flat(names["ordinary"]),
        _flat(names["starters"]),
    )


def words_of(phrase: str) -> tuple[str, ...]:
    """The words of a phrase as they are compared; `*` is any one word. Empty where there is none."""
    return tuple(re.findall(rf"[{_LETTER}]+(?:'[{_LETTER}]+)*|\*", _plain(phrase).lower()))


def judging(text: str, lists: Lists) -> list[Hit]:
    """Where a text judges, in its order. What stands in quotation marks is somebody's speech, and left alone."""
    text = _plain(text)
    quiet = _QUOTED.sub(_blank, text)
    quiet = _SINGLE_QUOTED.sub(_blank, quiet)
    tokens = _tokens(quiet)
    forms = [{"en": _english(each.word), "ga": _irish(each.word)} for each in tokens]
    phrases = _by_first_word(lists.phrases)
    found, index, free = [], 0, 0
    while index < len(tokens):
        length, ask = 0, PLAIN
        for language in LANGUAGES:
            for form in forms[index][language]:
                for words, asked in phrases.get((language, form), ()):
                    longer = len(words) > length or (len(words) == length and asked == PLAIN)
                    if longer and _stands(words, tokens, forms, index, language):
                        length, ask = len(words), asked
        if length and ask != PLAIN:
            begin = index
            while (
                begin > free
                and tokens[begin].after
                and (text[tokens[begin - 1].end] == "-" or tokens[begin - 1].word in _BEFORE)
            ):
                begin -= 1
            found.append(Hit(text[tokens[begin].start : tokens[index + length - 1].end], ask))
            free = index + length
        index += length or 1
    return found


def names(text: str, lists: Lists) -> list[str]:
    """What may be somebody's name in a text: a capital inside of a sentence, a frequent given name, Ó, Ní, Mac …"""
    found: list[str] = []
    given, ordinary, starters = set(lists.given), set(lists.ordinary), set(lists.starters)
    for line in _plain(text).split("\n"):
        tokens = list(_TOKEN.finditer(line))
        index = 0
        while index < len(tokens):
            taken = _name_at(line, tokens, index, given, ordinary, starters)
            if taken:
                said = line[tokens[index].start() : tokens[index + taken - 1].end()]
                if said not in found:
                    found.append(said)
            index += taken or 1
    return found


def _name_at(
    line: str, tokens: Sequence[re.Match[str]], index: int, given: set[str], ordinary: set[str], starters: set[str]
) -> int:
    """How many words from here on are a name; 0 for none."""
    word, begins = tokens[index].group(), bool(_STARTS.search(line[: tokens[index].start()]))
    bare = _bare(word)
    taken = 1
    if word in _PARTICLES:
        # In Irish Ó and Ní are also “from” and “not”: those stand before what is no name.
        following = tokens[index + 1] if index + 1 < len(tokens) else None
        if following is None or line[tokens[index].end() : following.start()] != " ":
            return 0
        if not _is_capital(following.group()) or _ways(_bare(following.group())) & ordinary:
            return 0
        taken = 2
    elif not _is_capital(word):
        return 0
    elif not _ways(bare) & given:
        # “Brendan, what is next?”
        start, end = tokens[index].span()
        called = line[end : end + 1] == "," and line[:start][-1:] in tuple(_OPENING) and bare.lower() not in starters
        if _ways(bare) & ordinary or (begins and not called):
            return 0
    while index + taken < len(tokens):
        gap = line[tokens[index + taken - 1].end() : tokens[index + taken].start()]
        following_word = tokens[index + taken].group()
        if gap not in (" ", "-"):
            break
        if following_word in (*_PARTICLES, "de") and index + taken + 1 < len(tokens):
            after = tokens[index + taken + 1].group()
            if not _is_capital(after) or _ways(_bare(after)) & ordinary:
                break
            taken += 2
        elif _is_capital(following_word) and not _ways(_bare(following_word)) & ordinary:
            taken += 1
        else:
            break
    return taken


def _is_capital(word: str) -> bool:
    """Whether it is written like a name: a capital, then small letters; all capitals are a short form."""
    bare = _bare(word)
    return len(bare) > 1 and bare[0] != bare[0].lower() and bare[1:] != bare[1:].upper()


def _bare(word: str) -> str:
    """The word without the small letters that Irish puts before a capital, and without 's."""
    return _PREFIX.sub("", word).removesuffix("'s")


def _ways(word: str) -> set[str]:
    """The word as a list may have it: with and without séimhiú, and one of several."""
    lenited = len(word) > 2 and word[0].lower() in _LENITED and word[1] == "h"
    return {word, word.removesuffix("s"), word[0] + word[2:] if lenited else word}


def _plain(text: str) -> str:
    """Composed letters and straight apostrophes, except where ’ closes what ‘ opened."""
    text = normalize("NFC", text)
    return re.sub(rf"([{_LETTER}])’(?=[{_LETTER}])", r"\1'", text)


def _blank(found: re.Match[str]) -> str:
    # Not a letter, and not a space either: nothing is read across it.
    return "\ufffc" * len(found.group())


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    for each in _TOKEN.finditer(text):
        gap = text[found[-1].end : each.start()] if found else "."
        found.append(_Token(each.start(), each.end(), each.group().lower(), bool(re.fullmatch(r"[ \t\u00a0]+|-", gap))))
    return found


@lru_cache(maxsize=8)
def _by_first_word(phrases: _Phrases) -> dict[tuple[str, str], list[tuple[tuple[str, ...], str]]]:
    found: dict[tuple[str, str], list[tuple[tuple[str, ...], str]]] = {}
    for language, phrase, ask in phrases:
        words = words_of(phrase)
        if words:
            found.setdefault((language, words[0]), []).append((words, ask))
    return found


def _stands(
    words: tuple[str, ...], tokens: Sequence[_Token], forms: Sequence[Mapping[str, set[str]]], index: int, language: str
) -> bool:
    """Whether the rest of a phrase follows the token at `index`."""
    if index + len(words) > len(tokens):
        return False
    return all(
        tokens[index + at].after and (word == "*" or word in forms[index + at][language])
        for at, word in enumerate(words)
        if at
    )


def _english(word: str) -> set[str]:
    """The word, and what it may be a form of."""
    found = {word}
    for ending, instead in _ENGLISH:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            stem = word[: len(word) - len(ending)]
            found.add(stem + instead)
            if ending in _DOUBLING and stem[-1] == stem[-2]:
                found.add(stem[:-1])
    return found


def _irish(word: str) -> set[str]:
    """The word without séimhiú, urú or a letter before its vowel, and without its endings."""
    found = {word}
    found |= {instead + word[len(begins) :] for begins, instead in _ECLIPSED if word.startswith(begins)}
    if word[:1] in ("h", "n", "t") and word[1:2] and word[1] in _VOWELS:
        found.add(word[1:])
    # Also after d' and b': “d'fheabhsaigh”.
    found |= {each[0] + each[2:] for each in found if len(each) > 2 and each[0] in _LENITED and each[1] == "h"}
    for each in tuple(found):
        for ending, instead in _IRISH:
            if each.endswith(ending) and len(each) - len(ending) >= 3:
                found.add(each[: len(each) - len(ending)] + instead)
    return found


def _flat(rows: Iterable[Iterable[str]]) -> tuple[str, ...]:
    return tuple(str(each) for row in rows for each in row)
