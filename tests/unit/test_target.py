"""What a stop names."""

import pytest

from makegood.cli.targets import campaign_key, campaign_of
from makegood.domain.target import Target, TargetKind, parse_target
from makegood.limits import ID_CHARS_MAX


@pytest.mark.parametrize(
    "text", ["campaign:spring", "label:a:b", "funder:店", "scene:in store", "everything", "scene:" + "x" * ID_CHARS_MAX]
)
def test_a_target_is_written_as_it_is_read(text: str) -> None:
    assert str(parse_target(text)) == text


def test_everything_has_no_id_and_the_others_have() -> None:
    assert parse_target("everything") == Target(TargetKind.EVERYTHING)
    assert parse_target("label:a:b") == Target(TargetKind.LABEL, "a:b")


@pytest.mark.parametrize(
    "text",
    [
        "", "spring", "campaign", "campaign:", ":spring", "Campaign:spring", "everything:", "everything:x", "all",
        "revision:x", "label:\n", "label:a\0b", "label:a\u202eb", "scene:" + "x" * (ID_CHARS_MAX + 1),
    ],
)  # fmt: skip
def test_what_is_no_target_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no (id|target)"):
        parse_target(text)


def test_only_a_campaign_has_the_key_of_one() -> None:
    assert campaign_key(parse_target("campaign:spring")) == {"campaign": campaign_of("campaign:spring")}
    assert campaign_key(parse_target("everything")) == {}
