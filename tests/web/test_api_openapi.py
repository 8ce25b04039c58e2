"""The OpenAPI document: checked in, valid, complete, and true of the running server."""

import json
import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from jsonschema import Draft202012Validator
from schemathesis import checks
from starlette.routing import Route
from tests.web.running import CAMPAIGN, Running, make_house, payment, publish

from makegood.errors import ProblemCode
from makegood.web.api.operation import Operation
from makegood.web.api.operations import OPERATIONS
from makegood.web.app import api_routes
from makegood.web.openapi import REGENERATE, document, problems_of
from makegood.web.problems import KINDS

DOCUMENT = document()
COMPONENTS = {"components": DOCUMENT["components"]}
CHECKS = (
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
)


def validator(schema: dict[str, Any]) -> Draft202012Validator:
    return Draft202012Validator(schema | COMPONENTS, format_checker=Draft202012Validator.FORMAT_CHECKER)


def test_the_checked_in_document_is_the_built_one() -> None:
    checked_in = files("makegood.web").joinpath("openapi.json").read_text(encoding="utf-8")
    built = json.dumps(DOCUMENT, indent=2, ensure_ascii=False) + "\n"
    assert checked_in == built, f"regenerate it: {REGENERATE}"


def test_the_server_serves_the_document_to_any_key(server: Running) -> None:
    for who in ("auditor", "checkout"):
        with server.client(who) as client:
            assert client.get("/openapi.json").json() == DOCUMENT


def test_every_schema_is_a_schema() -> None:
    for name, schema in DOCUMENT["components"]["schemas"].items():
        Draft202012Validator.check_schema(schema)
        assert name[0].isupper()


def test_every_reference_leads_somewhere() -> None:
    known = {f"#/components/schemas/{name}" for name in DOCUMENT["components"]["schemas"]}
    seen = set(references(DOCUMENT))
    assert seen <= known
    assert known - seen == set(), "a schema that nothing refers to"


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"]
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_every_example_fits_its_schema(operation: Operation) -> None:
    for schema, example in ((operation.answer, operation.example), (operation.body, operation.body_example)):
        if example is not None:
            assert schema is not None
            validator(dict(schema)).validate(example)


def test_every_route_of_the_api_is_in_the_document() -> None:
    routed = {
        (method, route.path)
        for route in api_routes()
        if isinstance(route, Route)
        for method in (route.methods or set()) - {"HEAD"}
    }
    assert routed == {(method.upper(), path) for path, item in DOCUMENT["paths"].items() for method in item}


def test_operations_have_names_of_their_own() -> None:
    names = [item["operationId"] for path in DOCUMENT["paths"].values() for item in path.values()]
    assert len(names) == len(set(names))


def test_every_problem_code_has_a_place_in_the_document_or_a_reason_to_have_none() -> None:
    told = {code for operation in OPERATIONS for code in problems_of(operation)}
    elsewhere = {
        ProblemCode.METHOD_IS_WRONG,  # told of no operation: it is about calling none
        ProblemCode.REQUEST_IS_FORGED,  # the console's
        ProblemCode.HOUSE_EXISTS,  # the command line's
        ProblemCode.PAYMENT_FILE_IS_WRONG,  # the command line's
        ProblemCode.BACKUP_IS_WRONG,
    }
    assert set(ProblemCode) - told == elsewhere


def test_every_status_of_a_problem_is_documented_with_its_codes() -> None:
    for operation in OPERATIONS:
        responses = DOCUMENT["paths"][operation.path][operation.method.lower()]["responses"]
        for code in problems_of(operation):
            schema = responses[str(KINDS[code].status)]["content"]["application/problem+json"]["schema"]
            assert code.value in schema["allOf"][1]["properties"]["code"]["enum"]


# -- true of the running server -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def fuzzed(server: Running) -> Running:
    """The server with a house of its own to be called at random."""
    keys = make_house(server, "fuzz")
    publish(server, keys)
    everything = Running(Path(), server.address, keys)
    with everything.client("checkout") as client:
        quote = client.post("/v1/quotes", json=payment(payment_id="known")).json()
        client.post(f"/v1/quotes/{quote['quote_id']}/capture")
    return everything


SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)


@SCHEMA.parametrize()
@settings(
    max_examples=6, deadline=None, derandomize=True, phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
def test_the_server_does_what_its_document_says(fuzzed: Running, case: schemathesis.Case[Any]) -> None:
    who = WHO.get(case.operation.definition.raw["operationId"], "auditor")
    response = case.call(base_url=fuzzed.address, headers={"Authorization": f"Bearer {fuzzed.keys[who]}"}, timeout=20)
    case.validate_response(response, checks=list(CHECKS))


WHO = {operation.name: "checkout" for operation in OPERATIONS if operation.tag in ("Quotes", "Payments")} | {
    "stop_campaign": "oncall", "open_stage": "oncall", "resume_campaign": "risk", "publish_documents": "risk",
    "approve_revision": "finance",
}  # fmt: skip


def test_real_answers_fit_their_schemas(fuzzed: Running) -> None:
    def check(name: str, response: httpx.Response) -> Any:
        assert response.status_code == 200, response.text
        try:
            validator({"$ref": f"#/components/schemas/{name}"}).validate(response.json())
        except jsonschema.ValidationError as error:
            raise AssertionError(f"{name}{error.json_path}: {error.message}") from None
        return response.json()

    with fuzzed.client("checkout") as pay, fuzzed.client("auditor") as read, fuzzed.client("ana") as author:
        raw = payment(explain=True, items=[{"sku": "a", "amount": 10_000}])
        quote = check("Quote", pay.post("/v1/quotes", json=raw))
        check("Quote", pay.post("/v1/quotes", json=payment(city="Beijing")))
        check("Preview", pay.post("/v1/quotes/preview", json=payment()))
        check("Quotes", pay.post("/v1/quotes/batch", json={"payments": [payment(), {}, payment(city="Beijing")]}))
        check("Explained", pay.post(f"/v1/quotes/{quote['quote_id']}/explanation", json=raw))
        check("Quote", pay.post(f"/v1/quotes/{quote['quote_id']}/capture"))
        check("Captured", pay.post("/v1/captures", json={"captures": [{"quote_id": quote["quote_id"]}, {}]}))
        path = f"/v1/payments/{quote['payment_id']}"
        check("Refund", pay.post(f"{path}/refunds", json={"refund_id": "r", "refund_amount": 50}))
        check("PaymentView", pay.get(path))
        check("Campaign", read.get(f"/v1/campaigns/{CAMPAIGN}"))
        check("Campaigns", read.get("/v1/campaigns"))
        check("Verified", read.get("/v1/ledger/verification"))
        text = (Path(__file__).parents[2] / "examples" / "campaign-spring.yaml").read_text(encoding="utf-8")
        documents = {"documents": [{"file": "c.yaml", "text": text.replace("spring-qr-2027", "another")}]}
        check("PublishedList", author.post("/v1/documents", json=documents, headers={"Idempotency-Key": "k"}))


def test_the_reference_has_every_operation_with_its_scopes() -> None:
    page = (Path(__file__).parents[2] / "docs" / "reference" / "api.md").read_text(encoding="utf-8")
    written = [line for line in page.splitlines() if re.match(r"\| `(GET|POST) /v1/", line)]
    built = []
    for operation in OPERATIONS:
        scopes = " or ".join(f"`{scope.value}`" for scope in operation.scopes)
        built.append(f"| `{operation.method} {operation.path}` | {operation.summary} | {scopes} |")
    assert written == built
