"""Every line that there is, by name."""

from collections.abc import Callable, Mapping

from makegood.bench.collar import bench_collar
from makegood.bench.detector import bench_detector
from makegood.bench.hot_budget import bench_hot_budget
from makegood.bench.ledger_growth import bench_ledger_growth
from makegood.bench.ledger_latency import bench_ledger_latency
from makegood.bench.ledger_standby import bench_standby
from makegood.bench.price import bench_price
from makegood.bench.proof import bench_proof
from makegood.bench.quote_http import bench_quote_http
from makegood.bench.row import Lines
from makegood.bench.second_writer import bench_second_writer, bench_sub_budgets
from makegood.bench.stop import bench_stop

LINES: Mapping[str, Callable[[int], Lines]] = {
    "price": bench_price,
    "proof": bench_proof,
    "collar": bench_collar,
    "detector": bench_detector,
    "quote_http": bench_quote_http,
    "stop": bench_stop,
    "hot_budget": bench_hot_budget,
    "second_writer": bench_second_writer,
    "standby": bench_standby,
    "sub_budgets": bench_sub_budgets,
    "ledger_latency": bench_ledger_latency,
    "ledger_growth": bench_ledger_growth,
}
"""From a seed to rows. Whoever adds one adds it to docs/reference/bench.md."""
