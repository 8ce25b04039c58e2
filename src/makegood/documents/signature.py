"""Signatures: a funder's yes, with its Ed25519 key, to one revision."""

import base64
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from makegood.documents.policy import length_of_base64, public_key
from makegood.documents.reading import Place, Reading
from makegood.domain.policy import Funder
from makegood.findings import FindingCode

KEYS = ("makegood", "document", "signer", "key", "signature")
PREFIX = b"makegood/signature/1\n"  # So that a signature made for another purpose is never one of these.
ED25519_SIGNATURE_BYTES = 64
_REVISION = re.compile(r"rev_[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Signature:
    """`signer` said yes to the revision `document`; `key` and `signature` are base64."""

    document: str
    signer: str
    key: str
    signature: str


def signed_bytes(revision: str) -> bytes:
    """The bytes that a signer of a revision signs."""
    return PREFIX + revision.encode("ascii")


def verify_signature(signature: Signature, public_keys: Collection[str]) -> bool:
    """Whether it was made with its key, and that key is one of `public_keys` (base64)."""
    if signature.key not in public_keys:
        return False
    try:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(signature.key, validate=True))
        key.verify(base64.b64decode(signature.signature, validate=True), signed_bytes(signature.document))
    except (InvalidSignature, ValueError):
        return False
    return True


def read_signature(reading: Reading, funders: Mapping[str, Funder] | None) -> Signature | None:
    """The signature of a document. It must verify; its key must be its funder's where the policy is known."""
    root = reading.root()
    fields = reading.fields(root, KEYS, of="a signature")
    if fields is None:
        return None
    document = _revision(reading, fields["document"]) if "document" in fields else None
    signer = reading.name(fields["signer"], funders, "funder") if "signer" in fields else None
    key = public_key(reading, fields["key"]) if "key" in fields else None
    signed = _signature(reading, fields["signature"]) if "signature" in fields else None
    if document is None or signer is None or key is None or signed is None:
        return None
    signature = Signature(document, signer, key, signed)
    if funders is not None and key not in funders[signer].keys:
        reading.error(fields["key"], FindingCode.SIGNATURE_IS_WRONG, f"is not a key of `{signer}` in the policy")
    if not verify_signature(signature, (key,)):
        message = "was not made with this key for this revision"
        reading.error(fields["signature"], FindingCode.SIGNATURE_IS_WRONG, message)
    return None if reading.forbidden else signature


def _revision(reading: Reading, place: Place) -> str | None:
    text = reading.text(place)
    if text is None or _REVISION.fullmatch(text):
        return text
    reading.error(place, FindingCode.VALUE_IS_WRONG, "is not a revision: `rev_` and 64 hexadecimal digits")
    return None


def _signature(reading: Reading, place: Place) -> str | None:
    text = reading.text(place)
    if text is None or length_of_base64(text) == ED25519_SIGNATURE_BYTES:
        return text
    reading.error(place, FindingCode.SIGNATURE_IS_WRONG, "is not an Ed25519 signature: 64 bytes in base64")
    return None
