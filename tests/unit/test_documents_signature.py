"""Signatures: made with the right key, for the right revision, by a funder of the policy."""

import base64
import json
from dataclasses import replace
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from makegood.clock import Instant
from makegood.documents.document import Bundle
from makegood.documents.read import read_documents
from makegood.documents.signature import PREFIX, Signature, signed_bytes, verify_signature
from makegood.documents.source import Source

EXAMPLES = Path(__file__).parents[2] / "examples"
NOW = Instant.parse("2027-01-15T00:00:00Z")
REVISION = "rev_" + "ab" * 32
PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEY = base64.b64encode(PRIVATE.public_key().public_bytes_raw()).decode()
OTHER_KEY = base64.b64encode(Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key().public_bytes_raw()).decode()


def signed(revision: str = REVISION, data: bytes | None = None) -> Signature:
    made = PRIVATE.sign(signed_bytes(revision) if data is None else data)
    return Signature(revision, "platform", KEY, base64.b64encode(made).decode())


def read(signature: Signature, *, keys: str | None = KEY) -> Bundle:
    said = {"makegood": "signature/1", "document": signature.document, "signer": signature.signer}
    said |= {"key": signature.key, "signature": signature.signature}
    sources = [Source("signature.yaml", json.dumps(said).encode())]
    if keys is not None:
        policy = (
            (EXAMPLES / "policy.yaml")
            .read_text("utf-8")
            .replace("platform: {keys: []}", f"platform: {{keys: [{keys}]}}")
        )
        sources.append(Source("policy.yaml", policy.encode()))
    return read_documents(sources, now=NOW)


def codes(bundle: Bundle) -> list[tuple[str, str]]:
    return [(finding.code, finding.path) for finding in bundle.findings]


def test_the_signed_bytes_name_their_purpose_and_the_revision() -> None:
    assert signed_bytes(REVISION) == b"makegood/signature/1\n" + REVISION.encode()
    assert PREFIX.endswith(b"\n")


def test_a_signature_of_a_funder_is_read_and_read_back() -> None:
    bundle = read(signed())
    assert bundle.findings == ()
    document = bundle.signatures[0]
    assert document.signature == signed()
    again = read_documents([Source("s", document.canonical)], now=NOW).signatures[0]
    assert (again.signature, again.revision) == (document.signature, document.revision)


def test_a_signature_verifies_with_its_key_only() -> None:
    assert verify_signature(signed(), [OTHER_KEY, KEY])
    assert not verify_signature(signed(), [OTHER_KEY])
    assert not verify_signature(signed(), [])
    assert not verify_signature(replace(signed(), key=OTHER_KEY), [OTHER_KEY])


def test_a_signature_of_another_revision_or_purpose_is_wrong() -> None:
    other = replace(signed(), document="rev_" + "cd" * 32)
    unprefixed = signed(data=REVISION.encode())
    for wrong in (other, unprefixed):
        assert not verify_signature(wrong, [KEY])
        assert codes(read(wrong)) == [("signature_is_wrong", "/signature")]
        assert read(wrong).signatures[0].signature is None


def test_a_key_that_is_not_the_funders_is_wrong() -> None:
    assert codes(read(signed(), keys=OTHER_KEY)) == [("signature_is_wrong", "/key")]
    assert codes(read(signed(), keys=None)) == []


def test_what_is_no_key_revision_or_signature_is_told_apart() -> None:
    wrong = Signature("rev_12", "platfrom", "abc", "abc")
    assert codes(read(wrong)) == [
        ("value_is_wrong", "/document"),
        ("name_is_unknown", "/signer"),
        ("value_is_wrong", "/key"),
        ("signature_is_wrong", "/signature"),
    ]


def test_verifying_what_is_not_base64_is_no_error() -> None:
    assert not verify_signature(replace(signed(), signature="%%%"), [KEY])
    assert not verify_signature(replace(signed(), key="%%%"), ["%%%"])
