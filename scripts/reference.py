"""Writes the pages of docs/reference that are facts of the code: settings, commands, limits and metrics.

The other pages explain closed lists (refusals, problems, findings, scopes, states) in words that people
write. A tidy test checks both kinds: generated pages are as this script writes them, written pages explain
every code, in order.
"""

import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import click
from prometheus_client.metrics import MetricWrapperBase

from makegood import limits, telemetry
from makegood.cli.main import cli
from makegood.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
PAGES = ROOT / "docs" / "reference"
NOTE = "<!-- Written by `make reference` from the code. Change the code, not this page. -->\n"

SETTINGS = """# Settings

A setting is an environment variable. A command's option of the same name goes before it.
For each variable `MAKEGOOD_X` there is `MAKEGOOD_X_FILE`: the name of a file that holds the value, for
secrets that should not stand in an environment. A variable that starts with `MAKEGOOD_` and is not listed
here is refused, so that a slip of the pen is noticed.
"""

COMMANDS = """# Commands

Every command takes `--help`. With `--json` it prints one JSON object on stdout (`bench` one array, `eval --file` one
object a line); logs and progress go to stderr. Exit codes: 0 fine (warnings too), 1 an error finding, a refusal, a
problem or a proof that is not `proved`, 2 wrong usage.
"""

LIMITS = """# Limits

Every bound on input and work. Its unit is in its name. Beyond it the answer is a refusal, a finding or a
problem with a code, never a cut value.
"""

METRICS = """# Metrics

`GET /metrics`, with a key that has the scope `read`, answers in OpenMetrics text. The workers of a server count
together; several servers count each for itself. Units are in the names. Labels take few values: never a payer, a
payment or anything else that a caller chooses.

| metric | type | labels | what it measures |
|---|---|---|---|
"""


def settings_page() -> str:
    """Every setting with its default, its bounds and what it does."""
    return NOTE + SETTINGS + "".join(map(_setting, fields(Settings)))


def _setting(spec: Any) -> str:
    says = spec.metadata
    default = says.get("default") or (spec.default if spec.default is not MISSING else None)
    facts = [f"Default: `{default}`" if default is not None else "Default: none"]
    if says.get("low") is not None:
        facts.append(f"a whole number from {says['low']:,} to {says['high']:,}")
    if says.get("secret"):
        facts.append("a secret: prefer the `_FILE` form")
    return f"\n## `MAKEGOOD_{spec.name.upper()}`\n\n{says['says']}.\n\n{'; '.join(facts)}.\n"


def commands_page() -> str:
    """The help of every command, as it prints it."""
    context = click.Context(cli, info_name="makegood", terminal_width=100, max_content_width=100)
    return NOTE + COMMANDS + "".join(_commands(cli, context))


def _commands(group: click.Group, context: click.Context) -> Iterator[str]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None, f"`{name}` is listed and cannot be loaded"
        inner = click.Context(command, parent=context, info_name=name, terminal_width=100, max_content_width=100)
        if isinstance(command, click.Group):
            yield from _commands(command, inner)
        else:
            yield f"\n## `{inner.command_path}`\n\n```text\n{command.get_help(inner).rstrip()}\n```\n"


def limits_page() -> str:
    """Every bound with its value and the reason for it, in the order of the source."""
    source = Path(limits.__file__).read_text(encoding="utf-8")
    return NOTE + LIMITS + "".join(_limits(source))


def _limits(source: str) -> Iterator[str]:
    for line in source.splitlines():
        if section := re.match(r"# -- (.+?) -+$", line):
            yield f"\n## {section[1].capitalize()}\n\n| bound | value | reason |\n|---|---:|---|\n"
        elif bound := re.match(r"([A-Z_]+) = .+?  # (.+)$", line):
            yield f"| `{bound[1]}` | {getattr(limits, bound[1]):,} | {bound[2]} |\n"


def metrics_page() -> str:
    """Every metric with its type and labels."""
    metrics = [value for value in vars(telemetry).values() if isinstance(value, MetricWrapperBase)]
    return NOTE + METRICS + "".join(map(_metric, metrics))


def _metric(metric: MetricWrapperBase) -> str:
    described = next(iter(metric.describe()))
    suffix = "_total" if described.type == "counter" else ""
    labels = ", ".join(f"`{label}`" for label in metric._labelnames) or "-"
    return f"| `{described.name}{suffix}` | {described.type} | {labels} | {described.documentation} |\n"


GENERATED: dict[str, Callable[[], str]] = {
    "settings.md": settings_page,
    "commands.md": commands_page,
    "limits.md": limits_page,
    "metrics.md": metrics_page,
}


def main() -> None:
    """Write every generated page."""
    PAGES.mkdir(parents=True, exist_ok=True)
    for name, page in GENERATED.items():
        (PAGES / name).write_text(page(), encoding="utf-8")
        sys.stderr.write(f"wrote docs/reference/{name}\n")


if __name__ == "__main__":
    main()
