"""The published JSON Schemas: editors and the reader agree about the examples and about what is wrong with them."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

import makegood.documents
from makegood.clock import Instant
from makegood.documents import brief, campaign, policy, signature
from makegood.documents.canonical import raw_bytes
from makegood.documents.read import KINDS, read_documents
from makegood.documents.source import Source, parse_source
from makegood.domain.policy import CORE_FIELD_NAMES, FieldType

EXAMPLES = Path(__file__).parents[2] / "examples"
SCHEMAS = Path(makegood.documents.__file__).parent / "schemas"
NOW = Instant.parse("2027-01-15T00:00:00Z")
POLICY = Source("policy.yaml", (EXAMPLES / "policy.yaml").read_bytes())
HOUSE = read_documents([POLICY], now=NOW).policies[0]
DOCUMENTS = sorted(path.name for path in EXAMPLES.glob("*.yaml") if path.name != "campaign-others.yaml")
SIGNATURE: dict[str, Any] = {
    "makegood": "signature/1",
    "document": "rev_" + "0" * 64,
    "signer": "platform",
    "key": "A" * 43 + "=",
    "signature": "A" * 86 + "==",
}


def schema(kind: str) -> Any:
    return json.loads((SCHEMAS / f"{kind}.json").read_text("utf-8"))


VALIDATORS = {kind.partition("/")[0]: Draft202012Validator(schema(kind.partition("/")[0])) for kind in KINDS}


def load(name: str) -> dict[str, Any]:
    """The document as editors see it. PyYAML would read the key `off` of a tier as a boolean; YAML 1.2 does not."""
    root = parse_source(Source(name, (EXAMPLES / name).read_bytes())).root
    assert root is not None
    loaded = json.loads(raw_bytes(root))
    assert isinstance(loaded, dict)
    return loaded


def validates(document: Any) -> bool:
    kind = str(document.get("makegood", "campaign/1")).partition("/")[0]
    return bool(VALIDATORS[kind if f"{kind}/1" in KINDS else "campaign"].is_valid(document))


def is_read(document: Any) -> bool:
    """Whether the reader takes the document by itself, by the policy of the examples."""
    data = json.dumps(document, ensure_ascii=False).encode()
    return not read_documents([Source("x.yaml", data)], now=NOW, policy=HOUSE).has_errors


@pytest.mark.parametrize("kind", [kind.partition("/")[0] for kind in KINDS])
def test_a_published_schema_is_a_schema(kind: str) -> None:
    found = schema(kind)
    Draft202012Validator.check_schema(found)
    assert found["properties"]["makegood"] == {"const": f"{kind}/1"}
    assert found["additionalProperties"] is False


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_example_validates(name: str) -> None:
    assert list(Draft202012Validator(schema(load(name)["makegood"].partition("/")[0])).iter_errors(load(name))) == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_canonical_bytes_validate_too(name: str) -> None:
    sources = [POLICY, Source(name, (EXAMPLES / name).read_bytes())] if name != "policy.yaml" else [POLICY]
    bundle = read_documents(sources, now=NOW)
    canonical = [*bundle.campaigns, *bundle.briefs, *bundle.policies][0].canonical
    assert validates(json.loads(canonical))


def test_a_signature_has_a_schema() -> None:
    assert validates(SIGNATURE)


def test_the_keys_of_schemas_and_reader_are_the_same() -> None:
    keys = {kind: set(schema(kind)["properties"]) for kind in ("policy", "brief", "campaign", "signature")}
    assert keys["policy"] == {*policy.REQUIRED, *policy.OPTIONAL}
    assert keys["brief"] == {*brief.REQUIRED, *brief.LIMITS}
    assert keys["campaign"] == {*campaign.REQUIRED, *campaign.OPTIONAL}
    assert keys["signature"] == set(signature.KEYS)
    named = schema("policy")["properties"]["payment"]["properties"]["attributes"]["propertyNames"]
    assert set(named["not"]["enum"]) >= CORE_FIELD_NAMES
    types = {one["properties"]["type"]["const"] for one in schema("policy")["$defs"]["attribute"]["oneOf"]}
    assert types == {kind.value for kind in FieldType}


MUTATIONS = [
    ("campaign-spring.yaml", ["benfit"], {}),
    ("campaign-spring.yaml", ["when"], ""),
    ("campaign-spring.yaml", ["when"], True),
    ("campaign-spring.yaml", ["when"], None),
    ("campaign-spring.yaml", ["title"], "Spring"),
    ("campaign-spring.yaml", ["title", "fr"], "Printemps"),
    ("campaign-spring.yaml", ["funding"], []),
    ("campaign-spring.yaml", ["funding", 0, "share"], 70),
    ("campaign-spring.yaml", ["funding", 0, "share"], "170%"),
    ("campaign-spring.yaml", ["window", "from"], "2027-02-01"),
    ("campaign-spring.yaml", ["benefit", "percent_off", "up_to"], 5000),
    ("campaign-spring.yaml", ["benefit", "percent_off", "up_to"], "5000"),
    ("campaign-spring.yaml", ["benefit", "percent_off", "up_to"], "-5.00 CNY"),
    ("campaign-spring.yaml", ["benefit", "percent_off", "rate"], 0.2),
    ("campaign-spring.yaml", ["benefit", "amount_off"], {"amount": "5.00 CNY"}),
    ("campaign-spring.yaml", ["benefit"], {}),
    ("campaign-spring.yaml", ["benefit"], {"percent_off": {"rate": "20%"}}),
    ("campaign-spring.yaml", ["benefit"], {"cashback": {}}),
    ("campaign-spring.yaml", ["benefit"], {"tiers": []}),
    ("campaign-coffee-items.yaml", ["benefit", "items", "where"], ""),
    ("campaign-coffee-items.yaml", ["benefit", "items"], {"where": "true"}),
    ("campaign-coffee-items.yaml", ["benefit", "items", "amount_off"], {"amount": "5.00 CNY"}),
    ("campaign-coffee-items.yaml", ["benefit", "items", "tiers"], []),
    ("campaign-coffee-items.yaml", ["benefit", "items", "percent_off"], {"rate": "50%"}),
    ("campaign-coffee-items.yaml", ["benefit"], {"free_item": {"where": "true"}}),
    ("campaign-coffee-items.yaml", ["benefit"], {"free_item": {"up_to": "5.00 CNY"}}),
    ("campaign-latte.yaml", ["benefit", "buy_x_get_y", "buy", "count"], 0),
    ("campaign-latte.yaml", ["benefit", "buy_x_get_y", "buy", "count"], 1001),
    ("campaign-latte.yaml", ["benefit", "buy_x_get_y", "buy", "rate"], "5%"),
    ("campaign-latte.yaml", ["benefit", "buy_x_get_y", "get"], {"where": "true", "count": 1}),
    ("campaign-latte.yaml", ["benefit", "buy_x_get_y", "up_to"], 30),
    ("campaign-spring.yaml", ["limits"], {"budget": "1.00 CNY"}),
    ("campaign-spring.yaml", ["limits"], {"per_payer": "1.00 CNY"}),
    ("campaign-spring.yaml", ["limits", "per_payer"], {}),
    ("campaign-spring.yaml", ["limits", "per_payer", "count"], -1),
    ("campaign-spring.yaml", ["limits", "per_payer", "count"], "3"),
    ("campaign-spring.yaml", ["stages"], []),
    ("campaign-spring.yaml", ["stages", 0], 1000),
    ("campaign-spring.yaml", ["stacking", "priority"], -1),
    ("campaign-spring.yaml", ["stacking", "group"], "A Group"),
    ("campaign-spring.yaml", ["codes"], {"bulk": {"count": 1}}),
    ("campaign-spring.yaml", ["codes"], {"single": "A B"}),
    ("campaign-spring.yaml", ["id"], "Spring QR"),
    ("brief-spring.yaml", ["scenes"], []),
    ("brief-spring.yaml", ["scenes"], ["online", "online"]),
    ("brief-spring.yaml", ["rate_max"], 20),
    ("brief-spring.yaml", ["per_payer"], {}),
    ("brief-spring.yaml", ["stages"], {}),
    ("brief-spring.yaml", ["expect", "other"], "5%"),
    ("policy.yaml", ["currency"], "cny"),
    ("policy.yaml", ["payment", "scene"], []),
    ("policy.yaml", ["payment", "attributes", "in"], {"type": "int"}),
    ("policy.yaml", ["payment", "attributes", "amount"], {"type": "int"}),
    ("policy.yaml", ["payment", "attributes", "a-b"], {"type": "int"}),
    ("policy.yaml", ["payment", "attributes", "city"], {"type": "text"}),
    ("policy.yaml", ["payment", "attributes", "city"], {"type": "bool", "max": 1}),
    ("policy.yaml", ["peak", "payments_per_second"], 0),
    ("policy.yaml", ["funders", "platform", "keys"], ["abc"]),
    ("policy.yaml", ["rules", 0], {"id": "a"}),
    ("policy.yaml", ["rules", 0], {"id": "a", "never": "false", "always": "total > 0"}),
    ("policy.yaml", ["stages", "growth_max"], 1),
    ("policy.yaml", ["approvals"], []),
    ("policy.yaml", ["labels", "merchant_coupon", "colour"], "red"),
    ("policy.yaml", ["limits"], {"payer-day": {"count": 1}}),
    ("policy.yaml", ["limits"], [{"count": 1}]),
    ("policy.yaml", ["limits"], [{"id": "a"}]),
    ("policy.yaml", ["limits"], [{"id": "a", "labels": [], "count": 1}]),
    ("policy.yaml", ["limits"], [{"id": "a", "labels": ["platform_gift"] * 2, "count": 1}]),
    ("policy.yaml", ["limits"], [{"id": "a", "budget": "1.00 CNY"}]),
    ("policy.yaml", ["limits"], [{"id": "a", "per_day": 100}]),
    ("policy.yaml", ["limits"], [{"id": "a", "per_payer": {}}]),
    ("policy.yaml", ["limits"], [{"id": "a", "count": 1, "per_day": {"count": 1}}]),
    ("policy.yaml", ["limits"], [{"id": "a", "per_payer": {"count": 1, "per_day": {"count": 1}}}]),
    ("policy.yaml", ["limits"], [{"id": "a", "per_payer": "1.00 CNY", "per_payee": "1.00 CNY"}]),
    ("policy.yaml", ["limits"], [{"id": f"a{number}", "count": 1} for number in range(101)]),
]


@pytest.mark.parametrize(("name", "path", "value"), MUTATIONS)
def test_a_mutated_example_is_refused_by_schema_and_reader(name: str, path: list[str | int], value: Any) -> None:
    document = load(name)
    assert validates(document) and is_read(document)
    changed = copy.deepcopy(document)
    inner: Any = changed
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    assert not validates(changed)
    assert not is_read(changed)


@pytest.mark.parametrize(("name", "key"), [(name, key) for name in DOCUMENTS for key in load(name)])
def test_a_document_without_one_of_its_keys_is_judged_alike(name: str, key: str) -> None:
    document = {other: value for other, value in load(name).items() if other != key}
    wrong_template = name == "campaign-16-january.yaml"  # Its stages are the policy's business, not the schema's.
    assert validates(document) == (is_read(document) or (wrong_template and key in ("stages", "codes")))
