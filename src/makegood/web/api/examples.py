"""One payment, followed through every call: the examples of the OpenAPI document."""

from typing import Any

_REVISION = "rev_" + "3f" * 32

PAYMENT: dict[str, Any] = {
    "payment_id": "pay-20270203-000117",
    "occurred_at": "2027-02-03T02:00:00Z",
    "payer_id": "u-5501",
    "payee_id": "m-88",
    "amount": 10000,
    "currency": "CNY",
    "scene": "in_store_qr",
    "channel": "app",
    "instrument": "balance",
    "city": "Hangzhou",
    "items_count": 2,
    "payer_is_new": False,
    "payer_segments": [],
}
EXPLANATION = [
    {"campaign": "spring-qr-2027", "revision": _REVISION, "discount_minor": 2000, "refusal": None, "error": None}
]
QUOTE: dict[str, Any] = {
    "quote_id": "qte_9b2f4c5d8e1a47f0b6c3d2e1f0a9b8c7",
    "payment_id": PAYMENT["payment_id"],
    "state": "reserved",
    "decided": True,
    "reason": None,
    "currency": "CNY",
    "amount_minor": 10000,
    "discount_minor": 2000,
    "to_pay_minor": 8000,
    "benefits": [
        {
            "campaign": "spring-qr-2027",
            "revision": _REVISION,
            "label": "merchant_coupon",
            "text": {"zh-CN": "商家优惠", "en": "Merchant discount"},
            "discount_minor": 2000,
        }
    ],
    "lines": [],
    "decided_at": "2027-02-03T02:00:00Z",
    "valid_until": "2027-02-03T02:15:00Z",
    "paid_at": None,
    "snapshot": "snp_" + "5c" * 32,
    "captured_amount_minor": 0,
    "refunded_amount_minor": 0,
    "returned_discount_minor": 0,
    "kept_discount_minor": 2000,
}
CAPTURED = QUOTE | {"state": "captured", "captured_amount_minor": 10000, "paid_at": "2027-02-03T02:01:30Z"}
RELEASED = QUOTE | {"state": "released", "kept_discount_minor": 0}
PREVIEW = QUOTE | {"quote_id": None, "state": None, "valid_until": None, "kept_discount_minor": 0}
PREVIEW |= {"explanation": EXPLANATION}
REFUND = {
    "refund_id": "ref-1",
    "payment_id": PAYMENT["payment_id"],
    "quote_id": QUOTE["quote_id"],
    "currency": "CNY",
    "refund_amount_minor": 4000,
    "returned_discount_minor": 800,
    "refunded_amount_minor": 4000,
    "benefits": [{"campaign": "spring-qr-2027", "returned_discount_minor": 800}],
}
DOCUMENTS = {"documents": [{"file": "policy.yaml", "text": "makegood: policy/1\nid: house\ncurrency: CNY\n"}]}
