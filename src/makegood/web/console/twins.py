"""What the JSON twins of pages say: the keys of the views, money in minor units, instants as RFC 3339."""

from dataclasses import fields, is_dataclass
from typing import Any

from makegood.clock import Instant
from makegood.services.views import CampaignView


def campaign_twin(view: CampaignView) -> dict[str, Any]:
    """A campaign with every key of its view."""
    said: dict[str, Any] = plain(view)
    return said


def plain(value: Any) -> Any:
    """A value as JSON writes it."""
    match value:
        case Instant():
            return value.text()
        case dict():
            return {str(name): plain(inner) for name, inner in value.items()}
        case list() | tuple():
            return [plain(inner) for inner in value]
    if is_dataclass(value):
        return {item.name: plain(getattr(value, item.name)) for item in fields(value)}
    return value
