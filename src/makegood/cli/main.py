"""`makegood`: loads only the command that is called, so that its start costs only what it needs."""

import importlib
import sys
from collections.abc import Sequence

import click

from makegood import __version__
from makegood.cli.output import print_problem
from makegood.errors import MakegoodError
from makegood.settings import load_settings
from makegood.telemetry import configure_logging

COMMANDS = {
    "approve": "approve",
    "backup": "backup",
    "bench": "bench",
    "check": "check",
    "demo": "demo",
    "diff": "diff",
    "drill": "drill",
    "eval": "eval",
    "house": "house",
    "key": "key",
    "ledger": "ledger",
    "price": "price",
    "publish": "publish",
    "replay": "replay",
    "restore": "restore",
    "resume": "resume",
    "serve": "serve",
    "settle": "settle",
    "split": "split",
    "stage": "stage",
    "statement": "statement",
    "stop": "stop",
}


class Commands(click.Group):
    """A group whose commands are modules of this folder."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Names, sorted."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above
        """The command of that name, imported now."""
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(f"makegood.cli.{COMMANDS[cmd_name]}").command
        assert isinstance(command, click.Command)
        return command


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="makegood")
def cli() -> None:
    """Promotion platform for payments: prove, decide, meter, make good."""
    configure_logging(load_settings().log_level)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; exits 0 when fine, 1 with a finding or a problem, 2 on wrong use."""
    try:
        cli.main(args=arguments, prog_name="makegood", standalone_mode=True)
    except MakegoodError as error:
        print_problem(error, as_json="--json" in (sys.argv if arguments is None else arguments))
        sys.exit(1)
