"""Reading scenario files: strict as every document of ours, with the place of everything that is wrong."""

from collections.abc import Sequence
from typing import Any

from makegood.clock import Instant
from makegood.documents.document import Bundle
from makegood.documents.read import read_documents
from makegood.documents.reading import Fields, Reading
from makegood.documents.scalar import Kind
from makegood.documents.source import Node, Source, parse_source
from makegood.errors import FieldError, Problem, ProblemCode
from makegood.findings import Finding, Severity
from makegood.replay.documents import SCENARIOS, sources_of
from makegood.replay.parts import read_bounds, read_statements, read_stop, read_traffic, read_zone
from makegood.replay.scenario import House, Scenario

REQUIRED = (
    "makegood", "id", "title", "facts", "guesses", "window", "timezone", "traffic", "house", "mistake", "guards",
    "happens",
)  # fmt: skip
OPTIONAL = ("analogue", "scale")
_COUNT_MAX = 1_000_000


def scenario_ids() -> tuple[str, ...]:
    """The ids of all scenarios that come with the package, by the date of what happened."""
    names = [one.name.removesuffix(".yaml") for one in SCENARIOS.iterdir() if one.name != "policy.yaml"]
    return tuple(sorted(names, key=lambda name: (name[name.index("-") + 1 :], name)))


def load_scenario(name: str) -> Scenario:
    """The scenario of that id. Raises Problem(NOT_FOUND), or Problem(DOCUMENT_IS_INVALID) with every wrong place."""
    if name not in scenario_ids():
        known = ", ".join(scenario_ids())
        raise Problem(ProblemCode.NOT_FOUND, f"there is no scenario `{name[:80]}`", hint=f"there are {known}")
    return read_scenario(Source(f"{name}.yaml", SCENARIOS.joinpath(f"{name}.yaml").read_bytes()))


def read_scenario(source: Source) -> Scenario:
    """The scenario that a file holds. Raises Problem(DOCUMENT_IS_INVALID) with every place that is wrong."""
    tree = parse_source(source)
    _refuse(source, [one for one in tree.findings if one.severity is Severity.ERROR])
    reading = Reading(tree, Instant(0))
    fields = reading.fields(reading.root(), REQUIRED, OPTIONAL, of="a scenario")
    _refuse(source, reading.findings)
    assert fields is not None
    return _scenario(source, reading, fields)


def _scenario(source: Source, reading: Reading, fields: Fields) -> Scenario:
    """Every part is read before any is missed, so that all that is wrong is told at once."""
    raw = _plain(reading.root().node)
    house = reading.fields(fields["house"], ("brief", "campaign"), ("policy",), of="a house")
    mistake = reading.fields(fields["mistake"], ("says", "changes"), ("stop",), of="a mistake")
    happens = reading.fields(fields["happens"], ("grants",), of="what happens")
    window = reading.fields(fields["window"], ("from", "until"), of="a window")
    identifier = reading.identifier(fields["id"])
    if reading.text(fields["makegood"]) != "scenario/1" or f"{identifier}.yaml" != source.file:
        reading.wrong_type(fields["id"], "the name of the file, and `makegood` be `scenario/1`")
    title = read_statements(reading, [fields["title"]])
    facts = read_statements(reading, reading.entries(fields["facts"], least=1))
    guesses = read_statements(reading, reading.entries(fields["guesses"], least=1), guessed=True)
    analogue = read_statements(reading, [fields["analogue"]] if "analogue" in fields else [])
    zone = read_zone(reading, fields["timezone"])
    scale = reading.whole(fields["scale"], 1, _COUNT_MAX) if "scale" in fields else None
    traffic, bounds = read_traffic(reading, fields["traffic"]), read_bounds(reading, fields["guards"])
    said = read_statements(reading, [mistake["says"]] if mistake and "says" in mistake else [])
    stop = read_stop(reading, mistake["stop"]) if mistake and "stop" in mistake else None
    least = reading.whole(happens["grants"], 1, _COUNT_MAX) if happens and "grants" in happens else None
    opens = reading.instant(window["from"]) if window and "from" in window else None
    closes = reading.instant(window["until"]) if window and "until" in window else None
    _refuse(source, reading.findings)
    assert identifier and house and zone and traffic and least and opens and closes
    made = House(raw["house"].get("policy", {}), raw["house"]["brief"], raw["house"]["campaign"])
    changes = raw["mistake"]["changes"]
    right, wrong = _read(source, made, {}, zone), _read(source, made, changes, zone)
    brief, meant, mistaken = right.briefs[0].brief, right.campaigns[0].campaign, wrong.campaigns[0].campaign
    policy = right.policies[0].policy
    assert policy is not None and brief is not None and meant is not None and mistaken is not None
    return Scenario(
        identifier, title[0], facts, guesses, analogue[0] if analogue else None, opens, closes, zone,
        reading.currency or "CNY", scale, traffic, made, said[0], changes, stop, bounds, least,
        policy.schema.amount_max, brief, meant, mistaken,
    )  # fmt: skip


def _plain(node: Node) -> Any:
    """A value as it was written, by the rules of our documents: `off` is a text here."""
    if node.kind is Kind.MAPPING:
        return {key: _plain(entry.value) for key, entry in node.entries().items()}
    return [_plain(one) for one in node.value] if node.kind is Kind.LIST else node.value


def _read(source: Source, house: House, changes: dict[str, Any], zone: str) -> Bundle:
    """The documents of the house, by the rules for documents, staged and with all of the budget open."""
    for staged in (False, True):
        bundle = read_documents(sources_of(house, changes, zone, staged=staged), now=Instant(0))
        _refuse(source, [one for one in bundle.findings if one.severity is Severity.ERROR])
    return bundle


def _refuse(source: Source, findings: Sequence[Finding]) -> None:
    if findings:
        places = tuple(
            FieldError(one.path, f"{one.message} ({one.file}:{one.line}:{one.column})", one.hint) for one in findings
        )
        raise Problem(
            ProblemCode.DOCUMENT_IS_INVALID, f"the scenario `{source.file}` cannot be read: {places[0].message}",
            errors=places,
        )  # fmt: skip
