"""What a decision about a stage says to people, in English and Chinese."""

from collections.abc import Mapping

from makegood.documents.words import CHINESE, ENGLISH, money_words
from makegood.guard.stage_decision import Because, StageDecision

_SAID: Mapping[Because, Mapping[str, str]] = {
    Because.ALL_IS_OPEN: {
        ENGLISH: "the last stage is open: the whole budget",
        CHINESE: "最后一个放量阶段已打开，即全部预算",
    },
    Because.COLLAR_TRIPPED: {
        ENGLISH: "the collar dropped {trips} of its discounts: no further stage of this revision opens",
        CHINESE: "硬限已拦下{trips}笔优惠，这个版本不再放量",
    },
    Because.DETECTOR_ALARMED: {
        ENGLISH: "the detector raised an alarm: no further stage of this revision opens",
        CHINESE: "检测器已报警，这个版本不再放量",
    },
    Because.CAPTURES_ARE_NOT_JUDGED: {
        ENGLISH: "the collar did not judge every captured payment, so they are no evidence",
        CHINESE: "硬限没有检查过每一笔已核销的支付，不能作为依据",
    },
    Because.DETECTOR_IS_AWAY: {
        ENGLISH: "no detector says anything of this campaign",
        CHINESE: "没有检测器在看这个活动",
    },
    Because.DETECTOR_IS_NOT_QUIET: {
        ENGLISH: "the detector warns: its evidence is {loudness} of the way to an alarm",
        CHINESE: "检测器有预警：已到报警线的{loudness}",
    },
    Because.MOST_ARE_NOT_PAID: {
        ENGLISH: "more quotes were released or expired than captured",
        CHINESE: "释放和过期的试算多于核销的",
    },
    Because.EVIDENCE_IS_SETTLING: {
        ENGLISH: "{payers} payers, {bad} of them wronged, are enough; {settled} had time to complain",
        CHINESE: "已有{payers}位付款方（其中{bad}位有问题），人数已够；{settled}位已过等待时间",
    },
    Because.SLICE_IS_USED_UP: {
        ENGLISH: (
            "the slice is used up by {payers} payers, {bad} of them wronged; {needed} are needed: payments pay full "
            "price until money returns or a person opens the next stage"
        ),
        CHINESE: (
            "这一阶段已用完，只有{payers}位付款方（其中{bad}位有问题），需要{needed}位；有退回或人工放量之前按原价支付"
        ),
    },
    Because.EVIDENCE_IS_SHORT: {
        ENGLISH: "{payers} payers, {bad} of them wronged; {needed} are needed",
        CHINESE: "已有{payers}位付款方（其中{bad}位有问题），需要{needed}位",
    },
    Because.PACE_IS_ABOVE_BRIEF: {
        ENGLISH: "{spent} in this stage; the brief expects {pace} at most in this time",
        CHINESE: "这一阶段已发放{spent}，按立项单这段时间最多{pace}",
    },
    Because.A_PERSON_OPENS: {
        ENGLISH: "the evidence is there, and the campaign says that a person opens the next stage",
        CHINESE: "依据已够；这个活动由人工放量",
    },
    Because.EVIDENCE_IS_THERE: {
        ENGLISH: "{settled} payers, {bad} of them wronged: the next stage opens up to {next}",
        CHINESE: "{settled}位付款方（其中{bad}位有问题）：放量到{next}",
    },
}


def decision_words(decision: StageDecision, currency: str) -> Mapping[str, str]:
    """Why the next stage opens or does not, one sentence in each language, without a full stop."""
    return {language: _said(decision, currency, language) for language in (CHINESE, ENGLISH)}


def _said(decision: StageDecision, currency: str, language: str) -> str:
    return _SAID[decision.because][language].format(
        trips=decision.trips,
        loudness=f"{max(decision.loudness or 0, 0):.0%}",
        payers=decision.payers,
        settled=decision.payers_settled,
        bad=decision.payers_bad,
        needed=decision.payers_needed,
        spent=money_words(decision.spent_minor, currency, language),
        pace=money_words(decision.pace_minor, currency, language),
        next=money_words(decision.next_minor or 0, currency, language),
    )
