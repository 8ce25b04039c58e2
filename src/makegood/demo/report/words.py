"""Every word of the report, in both languages, from the files in `locale`."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import yaml

LANGUAGES = ("en", "zh-CN")
FILES = {"en": "index.html", "zh-CN": "index.zh-CN.html"}


@cache
def words(language: str) -> Mapping[str, Mapping[str, str]]:
    """`texts` by key; `refusals` and `mistakes` by the words of the code, where those are not the language's own."""
    file = files("makegood.demo.report").joinpath("locale", f"{language}.yaml")
    read: Mapping[str, Mapping[str, str]] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return read


def mistake_words(language: str, mistake: str) -> str:
    """A mistake as people say it."""
    return words(language)["mistakes"].get(mistake, mistake)


def refusal_words(language: str, refusal: str) -> str:
    """A refusal as people say it."""
    return words(language)["refusals"].get(refusal) or refusal.replace("_", " ")
