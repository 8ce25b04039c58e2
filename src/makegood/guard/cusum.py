"""A CUSUM: since when something is wrong.

    S ← max(0, S + ln L)

with the L of one bet, made for a leak to the square root of what is expected. Lorden, "Procedures for reacting to a
change in distribution" (Annals of Mathematical Statistics 1971): its delay grows as ln N / KL, which no rule with the
same rate of false alarms beats by more than a constant. Moustakides, "Optimal stopping times for detecting changes in
distributions" (Annals of Statistics 1986): it is exactly optimal against the change that its bet is made for.

e^S keeps only the best start of the bet where Shiryaev and Roberts add up all of them, so it is never above their sum
for the same bet: at the same threshold a CUSUM stops nothing that the e-detector does not stop at the same payment or
before. What the e-detector cannot say is when the leak began: that is where S last left 0.
"""

from dataclasses import dataclass


@dataclass(slots=True)
class Cusum:
    """ln of the evidence of one bet since its best start, and what was seen since then. `amount` is minor units."""

    score: float = 0.0
    payments: int = 0
    grants: int = 0
    amount: int = 0

    def add(self, score: float, payments: int, grants: int, amount: int) -> None:
        """So much more was seen; without a floor."""
        self.score += score
        self.payments += payments
        self.grants += grants
        self.amount += amount

    def see(self, score: float, payments: int, grants: int, amount: int) -> None:
        """So much more was seen; at 0 everything begins anew."""
        if self.score + score <= 0:
            self.restart()
        else:
            self.add(score, payments, grants, amount)

    def restart(self) -> None:
        """Nothing has been seen."""
        self.score, self.payments, self.grants, self.amount = 0.0, 0, 0, 0

    def then(self, whole: "Cusum", best: "Cusum") -> None:
        """What another saw meanwhile: `whole` with the plain sum of its ln L, and `best` with its own S.

        The better of two: to go on from here through all of it, or to begin where the other's S did.
        """
        if self.score + whole.score > best.score:
            self.see(whole.score, whole.payments, whole.grants, whole.amount)
        else:
            self.score, self.payments, self.grants, self.amount = best.score, best.payments, best.grants, best.amount
