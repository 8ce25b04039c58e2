"""The real payments that the package carries, as a source of amounts, payers and payees for a replay."""

from functools import cache
from importlib.resources import files
from itertools import islice
from pathlib import Path

from makegood.clock import Instant
from makegood.documents.read import read_documents
from makegood.documents.source import Source
from makegood.files.payments import read_payments
from makegood.replay.generator import GROCERY, Real

PAYMENTS = 3_000  # A week of the file: hundreds of payers, each several times.
_DATA = Path(str(files("makegood").joinpath("data")))


@cache
def real_payments(count: int = PAYMENTS) -> tuple[Real, ...]:
    """The first `count` payments of the file, by time."""
    path = _DATA / "journey" / "policy.yaml"
    policy = read_documents([Source(path.name, path.read_bytes())], now=Instant(0)).policies[0].policy
    assert policy is not None
    rows = read_payments(_DATA / "completejourney_2017.parquet", policy.schema, ordered=True)
    raws = islice((row.raw for row in rows if row.raw is not None), count)
    return tuple(
        Real(raw["payer_id"], raw["payee_id"], raw["amount"], raw.get("merchant_category") or GROCERY) for raw in raws
    )
