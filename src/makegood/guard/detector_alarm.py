"""What an alarm says, with the evidence."""

from collections.abc import Mapping
from dataclasses import dataclass

from makegood.guard.cells import Measure, Observed


@dataclass(frozen=True, slots=True)
class Alarm:
    """A campaign grants what its brief does not expect.

    `statistic` and `threshold` are natural logarithms; `expected` is the most that the brief allows: a share of
    payments, or for `Measure.MEAN` minor units. `payments`, `grants` and `amount` (minor units) are those of this cell
    since the leak seems to have begun, `last` the ids of its newest payments. `scene`, `label` and `funders` are those
    of the grant that raised it; None where it was raised by the evidence of several nodes together.
    """

    campaign: str
    measure: Measure
    scene: str | None
    grant: Observed | None
    statistic: float
    threshold: float
    expected: float
    payments: int
    grants: int
    amount: int
    last: tuple[str, ...]

    @property
    def words(self) -> Mapping[str, str]:
        """One sentence in each language of the console."""
        return {"zh-CN": self._chinese(), "en": self._english()}

    def _english(self) -> str:
        evidence = f"The evidence is e^{self.statistic:.1f}; the limit is e^{self.threshold:.1f}."
        if self.measure is Measure.MEAN:
            mean = self.amount / max(self.grants, 1)
            said = f"discounts of {mean:,.0f} minor units on average, {self.expected:,.0f} at most are expected"
            return f"`{self.campaign}` granted {said} ({self.grants:,} grants). {evidence}"
        said = f"a discount to {self.grants:,} of {self.payments:,} payments {self._where_english()}"
        return f"`{self.campaign}` granted {said}; {_share(self.expected)} at most are expected. {evidence}"

    def _where_english(self) -> str:
        if self.measure is Measure.SHARE:
            return "in the scenes of its brief"
        where = f"outside its brief in scene `{self.scene}`" if self.scene else "outside its brief"
        if self.grant is None:
            return where
        return f"{where}, with label `{self.grant.label}`, paid by {', '.join(sorted(self.grant.funders))}"

    def _chinese(self) -> str:
        evidence = f"证据 e^{self.statistic:.1f}，上限 e^{self.threshold:.1f}。"
        if self.measure is Measure.MEAN:
            mean = self.amount / max(self.grants, 1)
            said = f"平均立减 {mean:,.0f}（最小货币单位），预期最多 {self.expected:,.0f}，共 {self.grants:,} 笔"
            return f"活动 `{self.campaign}` {said}。{evidence}"
        said = f"{self.payments:,} 笔支付中有 {self.grants:,} 笔得到立减，预期最多 {_share(self.expected)}"
        return f"活动 `{self.campaign}` 在{self._where_chinese()}：{said}。{evidence}"

    def _where_chinese(self) -> str:
        if self.measure is Measure.SHARE:
            return "立项单约定的支付场景"
        where = f"立项单之外的支付场景 `{self.scene}`" if self.scene else "立项单之外"
        if self.grant is None:
            return where
        return f"{where}（优惠标签 `{self.grant.label}`，出资方 {'、'.join(sorted(self.grant.funders))}）"


def _share(share: float) -> str:
    return f"{share * 100:.4g} %"
