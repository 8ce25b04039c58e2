"""Every line that there is, by name."""

from collections.abc import Callable, Mapping

from makegood.bench.price import bench_price
from makegood.bench.proof import bench_proof
from makegood.bench.quote_http import bench_quote_http
from makegood.bench.row import Lines

LINES: Mapping[str, Callable[[int], Lines]] = {
    "price": bench_price,
    "proof": bench_proof,
    "quote_http": bench_quote_http,
}
"""From a seed to rows. Whoever adds one adds it to docs/reference/bench.md."""
