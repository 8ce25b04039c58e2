"""TARGET of `stop` and `resume`."""

import click

KINDS_TO_COME = ("label", "funder", "scene")


def campaign_of(target: str) -> str:
    """The campaign id of `campaign:ID`. Raises click.UsageError for what cannot be a target."""
    kind, _, name = target.partition(":")
    if kind == "campaign" and name:
        return name
    if kind in KINDS_TO_COME or target == "everything":
        raise click.UsageError(f"`{target}`: only campaign:ID can be stopped and resumed in this version")
    raise click.UsageError(f"`{target}` is no target: write campaign:ID")
