"""Jinja: autoescaped, strict about missing names, with one language's words bound to each rendering."""

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

from makegood.web.console.language import LANGUAGES
from makegood.web.console.words import GUARD_WORDS, SCOPE_WORDS, STATE_WORDS

if TYPE_CHECKING:
    from makegood.web.console.pages import Visit

WEB = Path(__file__).parent.parent
STATIC = WEB / "static"

environment = Environment(
    loader=FileSystemLoader(WEB / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def render(visit: "Visit", template: str, values: Mapping[str, Any], status: int = 200) -> Response:
    """The template as a page of this visit."""
    text = environment.get_template(template).render(**_words(visit), **values)
    return HTMLResponse(text, status, headers={"Content-Language": visit.speech.language})


def _words(visit: "Visit") -> dict[str, Any]:
    speech = visit.speech
    return {
        "_": speech.gettext,
        "ngettext": speech.ngettext,
        "speech": speech,
        "visit": visit,
        "languages": LANGUAGES,
        "asset": asset,
        "here": lambda **changes: _here(visit, changes),
        "path": visit.request.url.path,
        "state_words": STATE_WORDS,
        "scope_words": SCOPE_WORDS,
        "guard_words": {name: speech.gettext(words) for name, words in GUARD_WORDS.items()},
    }


def _here(visit: "Visit", changes: Mapping[str, str | None]) -> str:
    """This page's address with some query parameters changed; None drops one. Preferences never travel along."""
    kept = {name: value for name, value in visit.request.query_params.items() if name not in ("lang", "theme")}
    query = {name: value for name, value in {**kept, **changes}.items() if value}
    return visit.request.url.path + (f"?{urlencode(query)}" if query else "")


@lru_cache(maxsize=64)
def asset(name: str) -> str:
    """The address of a static file; it changes when the file does, so that browsers may keep it."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={digest}"
