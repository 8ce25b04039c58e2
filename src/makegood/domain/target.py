"""What a stop stops: one campaign, or everything of a label, of a funder, of a scene, or everything."""

from dataclasses import dataclass
from enum import StrEnum

from makegood.limits import ID_CHARS_MAX


class TargetKind(StrEnum):
    """Kinds of targets. docs/concepts/stops.md explains each."""

    CAMPAIGN = "campaign"
    LABEL = "label"
    FUNDER = "funder"
    SCENE = "scene"
    EVERYTHING = "everything"


@dataclass(frozen=True, slots=True)
class Target:
    """`campaign:ID`, `label:ID`, `funder:ID`, `scene:ID`, or `everything`, which has no id."""

    kind: TargetKind
    id: str = ""

    def __str__(self) -> str:
        return self.kind.value if self.kind is TargetKind.EVERYTHING else f"{self.kind.value}:{self.id}"


def parse_target(text: str) -> Target:
    """The target that a text names. Raises ValueError with a reason in words."""
    if text == TargetKind.EVERYTHING:
        return Target(TargetKind.EVERYTHING)
    word, _, name = text.partition(":")
    kinds = [kind.value for kind in TargetKind if kind is not TargetKind.EVERYTHING]
    if word not in kinds or not name:
        raise ValueError(f"`{text[:80]}` is no target: write {', '.join(f'{kind}:ID' for kind in kinds)} or everything")
    if len(name) > ID_CHARS_MAX or not name.isprintable():
        raise ValueError(f"the id in `{text[:80]}` is no id")
    return Target(TargetKind(word), name)
