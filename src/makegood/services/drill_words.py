"""What a drill says, in English and Chinese."""

from collections.abc import Mapping

Said = Mapping[str, str]

_WORDS: Mapping[str, tuple[str, str]] = {
    "nothing_is_live": (
        "nothing grants now, so nothing was tried; drill again when a campaign is live",
        "目前没有活动在发放优惠，未作测试；请在活动上线后再次演练",
    ),
    "stop_works": (
        "`{target}` was stopped, and the next payment was refused the discount of `{campaign}`",
        "停止`{target}`后，下一笔支付不再享受活动`{campaign}`的优惠",
    ),
    "stop_fails": (
        "`{target}` was stopped, and the next payment was not refused `{campaign}` for it (refusal: {refusal})",
        "停止`{target}`后，下一笔支付没有因此被拒绝活动`{campaign}`的优惠（拒绝原因：{refusal}）",
    ),
    "stop_is_written": (
        "nothing grants now; a stop of everything was written and undone",
        "目前没有活动在发放优惠；全部停止已写入并撤销",
    ),
    "stop_is_not_written": (
        "a stop of everything was asked for and not written",
        "已请求全部停止，但没有写入",
    ),
    "collar_is_left_out": (
        "this test house does without the collar",
        "此测试机构不使用硬限检查",
    ),
    "collar_works": (
        "a discount above the brief was dropped, and the breaker would open ({found})",
        "超出立项单的优惠被拦下，熔断器会打开（{found}）",
    ),
    "collar_fails": (
        "a discount above the brief was not dropped with a trip (found: {found})",
        "超出立项单的优惠没有被拦下并触发熔断（结果：{found}）",
    ),
    "collar_trips_on_all": (
        "a discount above the brief was dropped for another reason, which holds for every payment: {found}",
        "超出立项单的优惠因其他原因被拦下，该原因对所有支付都成立：{found}",
    ),
    "trip_works": (
        "the breaker of `{campaign}` opened, and the next payment was refused",
        "活动`{campaign}`的熔断器打开，下一笔支付被拒绝",
    ),
    "trip_fails": (
        "the breaker of `{campaign}` did not stop the next payment (refusal: {refusal})",
        "活动`{campaign}`的熔断器没有拦住下一笔支付（拒绝原因：{refusal}）",
    ),
    "lease_works": (
        "a process whose lease was over was granted nothing",
        "授权租约到期的进程无法发放优惠",
    ),
    "lease_fails": (
        "the store did not refuse a process whose lease was over",
        "存储没有拒绝授权租约已到期的进程",
    ),
    "lease_fails_here": (
        "this process takes a lease that is over for a fresh one",
        "本进程把已到期的授权租约当作有效",
    ),
    "left_nothing": (
        "all of it was undone; nothing of it is in the books",
        "演练已全部撤销，账本中没有任何痕迹",
    ),
    "left_something": (
        "not all of it was undone; look at: {tables}",
        "演练没有全部撤销，请检查：{tables}",
    ),
    "page": (
        "this is a drill: nothing happened, and nothing has to be done",
        "这是演练：没有发生任何事件，无需处理",
    ),
    "page_works": ("whoever is on call was told that this is a drill", "已通知值班人员这是演练"),
    "page_fails": ("whoever is on call could not be told: {why}", "无法通知值班人员：{why}"),
    "page_is_not_configured": (
        "nobody can be told: set MAKEGOOD_PAGE_URL",
        "没有可通知的值班人员：请设置MAKEGOOD_PAGE_URL",
    ),
    "not_now": (
        "what it needs was locked for more than {milliseconds} ms, or changed meanwhile, {tries} times",
        "所需的数据被锁定超过{milliseconds}毫秒，或期间发生变化，共{tries}次",
    ),
    "store_is_away": ("the store did not answer: {why}", "存储没有应答：{why}"),
    "fault": ("it broke: {why}", "演练出错：{why}"),
    "not_recorded": ("the result could not be recorded: {why}", "结果无法记录：{why}"),
    "failed": ("the drill failed: {steps}", "演练失败：{steps}"),
}


def said(key: str, **values: object) -> Said:
    """A sentence by language."""
    english, chinese = _WORDS[key]
    return {"en": english.format(**values), "zh-CN": chinese.format(**values)}
