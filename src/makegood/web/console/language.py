"""Which language a page speaks, and its catalogue: the .po files of `locale/`, read once, never compiled."""

from collections.abc import Mapping
from functools import lru_cache
from gettext import c2py
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

LANGUAGES: Mapping[str, str] = {"zh-CN": "中文", "en": "English"}
BABEL_LOCALES: Mapping[str, str] = {"zh-CN": "zh_Hans_CN", "en": "en"}
DEFAULT_LANGUAGE = "en"
LOCALE_FOLDER = Path(__file__).parent.parent / "locale"


def mark(text: str) -> str:
    """The text itself; marks it for the catalogues where it is written down but not yet spoken."""
    return text


def choose_language(asked: str | None, kept: str | None, accepted: str) -> str:
    """The language of a page: `?lang=` first, then the cookie, then the Accept-Language header, then English."""
    for wish in (asked, kept):
        if wish in LANGUAGES:
            assert wish is not None
            return wish
    for tag in _by_quality(accepted):
        for language in LANGUAGES:
            if tag.split("-")[0] == language.split("-")[0]:
                return language
    return DEFAULT_LANGUAGE


def _by_quality(accepted: str) -> list[str]:
    """Tags of an Accept-Language header, lower case, best first; what cannot be read counts as not wanted."""
    wishes: list[tuple[float, int, str]] = []
    for index, part in enumerate(accepted[:500].split(",")):
        tag, _, quality = part.strip().partition(";q=")
        try:
            weight = float(quality or 1)
        except ValueError:
            weight = 0.0
        if tag and weight > 0:
            wishes.append((-weight, index, tag.strip().lower()))
    return [tag for _, _, tag in sorted(wishes)]


@lru_cache(maxsize=len(LANGUAGES))
def catalogue(language: str) -> Catalog:
    """The catalogue of one language."""
    with (LOCALE_FOLDER / f"{language}.po").open("rb") as file:
        return read_po(file, locale=BABEL_LOCALES[language])


def translate(language: str, text: str, values: Mapping[str, Any]) -> str:
    """`text` in a language, its `%(name)s` filled in. A text that the catalogue lacks is spoken as it is written."""
    message = catalogue(language).get(text)
    found = message.string if message is not None else ""
    return str(found or text) % values if values else str(found or text)


def translate_count(language: str, one: str, many: str, count: int, values: Mapping[str, Any]) -> str:
    """The form of a text that fits `count`."""
    book = catalogue(language)
    message = book.get((one, many))
    if message is not None and isinstance(message.string, tuple | list):
        found = message.string[c2py(book.plural_expr)(count)]
        if found:
            return str(found) % values
    return (one if count == 1 else many) % values
