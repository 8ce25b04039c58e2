"""`zen-engine` on the campaigns of the shape: expressions and decision tables, compiled once."""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from makegood.bench.contest import Answer, Fields, Form, Library
from makegood.bench.shape import CHANNELS, Shaped
from makegood.bench.texts import Language, Offers, each, flat, nested, quoted

_LANGUAGE = Language(
    all_of=" and ",
    negated="not ",
    nothing="0",
    best_of=lambda numbers: numbers[0] if len(numbers) == 1 else f"max([{', '.join(numbers)}])",
    percent=lambda rate, cap: f"min([floor(amount * {rate} / 10000), {cap}])",
)
_COLUMNS = {"city": "city", "channel": "channel", "new": "payer_is_new", "spend": "amount"}


def _forms(campaigns: Sequence[Shaped], offers: Offers) -> Iterator[Form]:
    yield Form("one expression", _expression(flat(campaigns, offers, _LANGUAGE)))
    yield Form("one expression nested by channel and city", _expression(nested(campaigns, offers, _LANGUAGE)))
    yield Form("an expression a campaign", _expressions(each(campaigns, offers, _LANGUAGE)))
    rows = [_row(one, offers) for one in campaigns]
    yield Form("a decision table", _decision(_graph([_table("all", rows)])))
    yield Form("a decision table, in batches", _batch(_graph([_table("all", rows)])))
    yield Form("a switch by channel, in batches", _batch(_switch(campaigns, offers)))


def _expression(text: str) -> Answer:
    import zen

    evaluate = zen.compile_expression(text).evaluate
    return lambda payments: [int(evaluate(payment)) for payment in payments]


def _expressions(texts: Iterable[str]) -> Answer:
    import zen

    evaluations = [zen.compile_expression(text).evaluate for text in texts]
    return lambda payments: [int(max([evaluate(payment) for evaluate in evaluations])) for payment in payments]


def _decision(graph: dict[str, Any]) -> Answer:
    import zen

    evaluate = zen.ZenEngine().create_decision(json.dumps(graph)).evaluate
    return lambda payments: [_best(evaluate(payment)["result"]) for payment in payments]


def _batch(graph: dict[str, Any]) -> Answer:
    import zen

    engine = zen.ZenEngine({"loader": {"type": "static", "content": {"offers": graph}}})

    def answer(payments: Sequence[Fields]) -> list[int]:
        found = engine.evaluate_batch([{"key": "offers", "context": payment} for payment in payments])
        return [_best(one["data"]["result"]) for one in found]

    return answer


def _best(rows: Any) -> int:
    return int(max((row["offer"] for row in rows), default=0)) if isinstance(rows, list) else 0


def _row(one: Shaped, offers: Offers) -> dict[str, str]:
    return {
        "_id": one.id,
        "city": quoted(one.cities),
        "channel": quoted([one.channel]),
        "new": "false",
        "spend": f">= {one.spend}",
        "offer": offers.text(one, _LANGUAGE),
    }


def _table(name: str, rows: Sequence[dict[str, str]]) -> dict[str, Any]:
    content = {
        "hitPolicy": "collect",
        "rules": rows,
        "inputs": [{"id": key, "name": key, "field": field} for key, field in _COLUMNS.items()],
        "outputs": [{"id": "offer", "name": "offer", "field": "offer"}],
    }
    return {"id": name, "name": name, "type": "decisionTableNode", "content": content}


def _switch(campaigns: Sequence[Shaped], offers: Offers) -> dict[str, Any]:
    tables = [_table(name, [_row(one, offers) for one in campaigns if one.channel == name]) for name in CHANNELS]
    cases = [{"id": f"to-{name}", "condition": f"channel == '{name}'"} for name in CHANNELS]
    switch = {"id": "switch", "name": "switch", "type": "switchNode", "content": {"statements": cases}}
    graph = _graph(tables)
    graph["nodes"].append(switch)
    graph["edges"] = [_edge("request", "switch"), *(_edge(name, "response") for name in CHANNELS)]
    graph["edges"] += [_edge("switch", name) | {"sourceHandle": f"to-{name}"} for name in CHANNELS]
    return graph


def _graph(tables: Sequence[dict[str, Any]]) -> dict[str, Any]:
    ends = [{"id": "request", "name": "request", "type": "inputNode"}]
    ends.append({"id": "response", "name": "response", "type": "outputNode"})
    edges = [edge for table in tables for edge in (_edge("request", table["id"]), _edge(table["id"], "response"))]
    return {"contentType": "application/vnd.gorules.decision", "nodes": [*ends, *tables], "edges": edges}


def _edge(source: str, target: str) -> dict[str, str]:
    return {"id": f"{source}-{target}", "sourceId": source, "targetId": target}


ZEN = Library("zen-engine", "zen", _forms)
