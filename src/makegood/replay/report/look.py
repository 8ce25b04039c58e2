"""How reports look: the one style sheet, which stands in the page so that the page asks nobody for anything."""

from functools import cache
from importlib.resources import files

from markupsafe import Markup


@cache
def style() -> Markup:
    """The rules of the style sheet."""
    text = files("makegood.replay.report").joinpath("style.css").read_text(encoding="utf-8")
    return Markup(text)  # noqa: S704 - a file of this package
