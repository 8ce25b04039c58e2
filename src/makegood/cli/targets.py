"""TARGET of `stop`, `resume` and `split`."""

import click

from makegood.domain.target import Target, TargetKind, parse_target


def target_of(text: str) -> Target:
    """The target that a text names. Raises click.UsageError for what cannot be one."""
    try:
        return parse_target(text)
    except ValueError as error:
        raise click.UsageError(str(error)) from None


def campaign_of(text: str) -> str:
    """The campaign id of `campaign:ID`. Raises click.UsageError for any other target."""
    target = target_of(text)
    if target.kind is not TargetKind.CAMPAIGN:
        raise click.UsageError(f"`{text[:80]}` is no campaign: write campaign:ID")
    return target.id


def campaign_key(target: Target) -> dict[str, str]:
    """The key `campaign`, for scripts that know no other targets."""
    return {"campaign": target.id} if target.kind is TargetKind.CAMPAIGN else {}
