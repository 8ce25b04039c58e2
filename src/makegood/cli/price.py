"""`makegood price`: prices a file of payments in this process, with nothing reserved and nothing stored."""

import sys
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path
from time import perf_counter
from typing import Any

import click

from makegood.cli.output import emit, finding_json, json_option
from makegood.cli.price_report import Totals, Write, csv_writer, json_writer, print_findings, print_totals, totals_json
from makegood.cli.progress import Progress
from makegood.cli.sources import collect_sources
from makegood.clock import system_clock
from makegood.documents.document import Bundle, PolicyDocument
from makegood.documents.read import read_documents
from makegood.engine.snapshot import Live, Snapshot, build_snapshot
from makegood.errors import Problem, ProblemCode
from makegood.files.payments import count_rows, read_payments
from makegood.files.run import Outcome, price_rows
from makegood.findings import Finding, Severity

_PATH = click.Path(exists=True, path_type=Path)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_OUT = click.Path(dir_okay=False, path_type=Path)
_NO_SECRET = bytes(32)


@click.command("price")
@click.argument("campaigns", nargs=-1, required=True, type=_PATH)
@click.option("--payments", required=True, type=_FILE, help="A Parquet, CSV or JSON lines file of payments.")
@click.option("--policy", "policy_file", type=_FILE, help="The policy, instead of one at the paths.")
@click.option("--brief", "briefs", multiple=True, type=_FILE, help="A brief to check along; prices need none.")
@click.option("--out", type=_OUT, help="Write one row a payment, .jsonl or .csv.")
@click.option("--limits", is_flag=True, help="Carry budgets and limits along, in time order.")
@click.option("--map", "mapped", multiple=True, metavar="FIELD=COLUMN", help="Read a field from another column.")
@click.option("--secret", default="", metavar="HEX", help="The house's secret, which random discounts depend on.")
@json_option
def command(
    campaigns: tuple[Path, ...],
    payments: Path,
    policy_file: Path | None,
    briefs: tuple[Path, ...],
    out: Path | None,
    limits: bool,
    mapped: tuple[str, ...],
    secret: str,
    as_json: bool,
) -> None:
    """Price a file of payments, each at its own time, by the campaigns in files or folders.

    Without --limits every payment is priced as if it were the first.
    """
    mapping, key, writer = _mapping(mapped), _secret(secret), _writer_for(out)
    bundle, unread = _read((*campaigns, *briefs), policy_file)
    findings = (*bundle.findings, *unread)
    if any(finding.severity is Severity.ERROR for finding in findings):
        _refuse(findings, as_json)
    snapshot = _snapshot(bundle, key)
    totals = _run(snapshot, payments, mapping=mapping, limits=limits, out=out, writer=writer)
    emit(totals_json(totals, snapshot, findings), as_json, lambda: print_totals(totals, snapshot, findings))
    sys.exit(1 if totals.invalid else 0)


def _mapping(mapped: Iterable[str]) -> dict[str, str]:
    pairs = [text.partition("=") for text in mapped]
    if not all(target and source for target, _, source in pairs):
        raise click.BadParameter("write it as FIELD=COLUMN, such as scene=payment_type", param_hint="--map")
    if len({target for target, _, _ in pairs}) != len(pairs):
        raise click.BadParameter("a field can be read from one column only", param_hint="--map")
    return {target: source for target, _, source in pairs}


def _secret(text: str) -> bytes:
    try:
        return bytes.fromhex(text) or _NO_SECRET
    except ValueError:
        raise click.BadParameter("is not hexadecimal", param_hint="--secret") from None


def _read(paths: Iterable[Path], policy_file: Path | None) -> tuple[Bundle, list[Finding]]:
    """The documents at the paths, with the policy among them, and what could not be read at all."""
    now = system_clock()
    sources, unread = collect_sources(paths)
    if policy_file is None:
        return read_documents(sources, now=now), unread
    policy_sources, more = collect_sources([policy_file])
    first = read_documents(policy_sources, now=now)
    others = [source for source in sources if Path(source.file).resolve() != policy_file.resolve()]
    bundle = read_documents(others, now=now, policy=next(iter(first.policies), None))
    policies = first.policies
    return Bundle(policies, bundle.briefs, bundle.campaigns, bundle.signatures, first.strays + bundle.strays), [
        *unread,
        *more,
    ]


def _snapshot(bundle: Bundle, secret: bytes) -> Snapshot:
    document = _the_policy(bundle)
    assert document.policy is not None
    live = []
    for one in bundle.campaigns:
        assert one.campaign is not None, "a campaign without an error was read"
        if one.currency != document.policy.currency:
            raise Problem(
                ProblemCode.DOCUMENT_IS_INVALID, f"`{one.id}` is not in {document.policy.currency}, as the policy is"
            )
        live.append(Live(one.campaign, one.revision))
    if not live:
        raise Problem(ProblemCode.DOCUMENT_IS_INVALID, "there is no campaign at these paths")
    return build_snapshot(document.policy, live, policy_revision=document.revision, secret=secret)


def _the_policy(bundle: Bundle) -> PolicyDocument:
    if len(bundle.policies) != 1:
        found = "no policy" if not bundle.policies else f"{len(bundle.policies)} policies"
        raise Problem(
            ProblemCode.POLICY_IS_MISSING, f"there is {found} at these paths", hint="name the one with --policy"
        )
    return bundle.policies[0]


def _refuse(findings: Iterable[Finding], as_json: bool) -> None:
    shown = sorted(findings, key=lambda finding: finding.severity is not Severity.ERROR)
    emit({"findings": [finding_json(one) for one in shown]}, as_json, lambda: print_findings(shown))
    sys.exit(1)


def _run(
    snapshot: Snapshot,
    path: Path,
    *,
    mapping: dict[str, str],
    limits: bool,
    out: Path | None,
    writer: Callable[[Any], Write],
) -> Totals:
    totals = Totals(snapshot.policy.currency)
    rows = read_payments(path, snapshot.policy.schema, mapping=mapping, ordered=limits)
    with ExitStack() as stack:
        write = None
        if out is not None:
            write = writer(stack.enter_context(out.open("w", encoding="utf-8", newline="")))
        progress = stack.enter_context(Progress("payments", count_rows(path)))
        for outcome in price_rows(rows, snapshot, limits=limits, stopwatch=perf_counter):
            totals.add(outcome)
            if write is not None and isinstance(outcome, Outcome):
                write(outcome)
            progress.step()
    return totals


def _writer_for(out: Path | None) -> Callable[[Any], Write]:
    if out is None or out.suffix.lower() in (".jsonl", ".ndjson"):
        return json_writer
    if out.suffix.lower() == ".csv":
        return csv_writer
    raise click.BadParameter("must end in .jsonl or .csv", param_hint="--out")
