"""The whole path from bytes to findings and proofs: nothing that a file says breaks it, and it ends."""

import tempfile
from dataclasses import replace
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.proving import EXAMPLES, read_trio

from makegood.cli.check import check_json
from makegood.cli.checked import check
from makegood.clock import Instant
from makegood.findings import Severity
from makegood.limits import EXPRESSION_BYTES_MAX
from makegood.proof.effort import Effort
from makegood.proof.prove import prove_campaign
from makegood.proof.verdict import Verdict
from makegood.rules.check import check_expression
from makegood.rules.environment import payment_environment

NOW = Instant.parse("2027-01-15T00:00:00Z")
CAMPAIGN, BRIEF, POLICY = read_trio()
ENVIRONMENT = payment_environment(POLICY.schema)
FILES = ("policy.yaml", "brief-spring.yaml", "campaign-spring.yaml")
PIECES = st.sampled_from(
    (
        "payment.", "payment.amount", "payment.scene", "payment.payer_segments", "has(payment.store_type)", "&&", "||",
        "!", "==", ">=", "in", "[", "]", "(", ")", "1", "10000", "9223372036854775807", '"transfer"', '"', "'", "+",
        "-", "*", "/", "%", "?", ":", ".exists(s, s", ".startsWith(", ".getHours(", '"Asia/Shanghai"', ".matches(",
        "true", "null", "1.5", "timestamp(", "duration(", ",", "{", "}", "\\u0000", "//", "\n", "total",
    )
)  # fmt: skip


@given(st.data())
@settings(deadline=None, max_examples=min(settings().max_examples, 2_000))
def test_no_bytes_break_checking_and_proving(data: st.DataObject) -> None:
    """A byte, a piece or a line of the three documents is changed; every refusal has a place in a file."""
    with tempfile.TemporaryDirectory() as folder:
        for name in FILES:
            text = (EXAMPLES / name).read_bytes()
            for _ in range(data.draw(st.integers(0, 2), label=name)):
                at = data.draw(st.integers(0, len(text)))
                cut = data.draw(st.integers(0, 12))
                new = data.draw(st.one_of(st.binary(max_size=6), PIECES.map(str.encode)))
                text = text[:at] + new + text[at + cut :]
            (Path(folder) / name).write_bytes(text)
        said = check_json(check([Path(folder)], now=NOW))
        for campaign in said["campaigns"]:
            for finding in campaign["findings"]:
                assert finding["message"] and (finding["severity"] == "warning" or finding["line"])
            for row in campaign["proofs"]:
                assert row["verdict"] in ("proved", "refuted", "unknown")
                assert (row["witness"] is not None) is (row["verdict"] == "refuted")


@given(st.lists(PIECES, min_size=1, max_size=12).map(" ".join))
@settings(deadline=None)
def test_any_condition_is_refused_with_its_place_or_gets_a_verdict_in_time(when: str) -> None:
    checked = check_expression(when, ENVIRONMENT)
    if checked.expression is None:
        assert any(each.severity is Severity.ERROR and each.line >= 1 for each in checked.findings)
        return
    report = prove_campaign(replace(CAMPAIGN, when=when), BRIEF, POLICY, effort=Effort(1_000, 3_000))
    assert {row.verdict for row in report.rows} <= set(Verdict)


def test_an_expression_at_the_bound_of_its_size_ends_in_time() -> None:
    """64 KiB of one condition: every term of it is real, and it is decided or refused, not left hanging."""
    terms = [f'payment.city == "city-{number}"' for number in range(1_700)]
    when = " || ".join(terms)
    assert 50_000 < len(when) < EXPRESSION_BYTES_MAX
    campaign = replace(CAMPAIGN, when=f'payment.scene == "in_store_qr" && payment.amount >= 10000 && ({when})')
    report = prove_campaign(campaign, BRIEF, POLICY, effort=Effort(5_000, 20_000))
    assert report.is_proved


def test_ten_thousand_entries_of_a_list_are_decided() -> None:
    listed = ", ".join(f'"{number:04}"' for number in range(8_000))
    when = f'payment.scene == "in_store_qr" && payment.amount >= 10000 && payment.city in [{listed}]'
    assert prove_campaign(replace(CAMPAIGN, when=when), BRIEF, POLICY).is_proved


def test_nesting_beyond_the_bound_is_a_finding_and_nothing_is_proved() -> None:
    deep = "!(" * 1_000 + "payment.payer_is_new" + ")" * 1_000
    checked = check_expression(deep, ENVIRONMENT)
    assert checked.expression is None and checked.findings
