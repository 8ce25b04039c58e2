"""Every invariant of the ledger, as a question to the stored rows."""

from collections.abc import Mapping

# Each query gives (subject, expected, found) for what is wrong, and nothing when all is well.
INVARIANTS: Mapping[str, str] = {
    "entry_moves_money_between_two_accounts": """
        select entry_id::text as subject, 'two accounts of one campaign' as expected, from_account || ' to ' || to_account as found
        from entries e left join accounts f on f.house_id = e.house_id and f.account_id = e.from_account
        left join accounts t on t.house_id = e.house_id and t.account_id = e.to_account
        where e.amount <= 0 or f.account_id is null or t.account_id is null or f.account_id = t.account_id
           or (f.campaign_id, f.currency) <> (t.campaign_id, t.currency)""",
    "balance_is_the_sum_of_entries": """
        select a.kind || ' of ' || a.campaign_id as subject, coalesce(p.sum, 0)::text as expected, a.balance::text as found
        from accounts a left join (
            select account_id, sum(amount) as sum from (
                select from_account as account_id, -amount as amount from entries
                union all select to_account, amount from entries) legs group by account_id) p using (account_id)
        where a.balance <> coalesce(p.sum, 0)""",
    "balance_is_not_overdrawn": """
        select kind || ' of ' || campaign_id as subject, 'not overdrawn' as expected, balance::text as found from accounts
        where case when kind = 'funder' then balance > 0 else balance < 0 end""",
    "money_stays_in_its_campaign": """
        select campaign_id as subject, 0 as expected, sum(balance)::text as found from accounts
        group by campaign_id having sum(balance) <> 0""",
    "entries_are_legal": """
        select e.entry_id::text as subject, e.kind as expected, f.kind || ' to ' || t.kind as found from entries e
        join accounts f on f.house_id = e.house_id and f.account_id = e.from_account
        join accounts t on t.house_id = e.house_id and t.account_id = e.to_account
        left join legal_entries l on l.kind = e.kind and l.from_kind = f.kind and l.to_kind = t.kind where l.kind is null""",
    "committed_is_the_budget": """
        select c.campaign_id as subject, c.budget::text as expected, coalesce(sum(-a.balance), 0)::text as found
        from campaigns c left join accounts a on a.campaign_id = c.campaign_id and a.kind = 'funder'
        group by c.campaign_id, c.budget having c.budget <> coalesce(sum(-a.balance), 0)""",
    "reserved_is_the_open_holds": """
        select b.campaign_id || ' ' || b.share as subject, coalesce(h.held, 0) || '/' || coalesce(h.holds, 0) as expected,
            a.balance || '/' || b.holds as found
        from budgets b join accounts a on a.house_id = b.house_id and a.account_id = b.reserved
        left join (select g.campaign_id, g.share, sum(g.discount) as held, count(*) as holds
                   from grants g join quotes q using (house_id, quote_id)
                   where q.state = 'reserved' group by g.campaign_id, g.share) h on h.campaign_id = b.campaign_id and h.share = b.share
        where (a.balance, b.holds) <> (coalesce(h.held, 0)::numeric, coalesce(h.holds, 0))""",
    "budgets_are_their_campaign": """
        select c.campaign_id as subject, c.live || ' ' || is_stopped(c.house_id, c.campaign_id) || ' ' || c.shares as expected,
            coalesce(min(b.live), '-') || ' ' || coalesce(bool_or(b.stopped)::text, '-') || ' ' || count(b.*) as found
        from campaigns c left join budgets b using (house_id, campaign_id) where c.live is not null
        group by c.house_id, c.campaign_id, c.live, c.stopped, c.shares
        having not coalesce(bool_and(b.live = c.live and b.stopped = is_stopped(c.house_id, c.campaign_id)), false)
            or count(b.*) < c.shares""",
    "budgets_have_their_own_accounts": """
        select b.campaign_id || ' ' || b.share as subject, 'stage, reserved, granted' as expected,
            concat_ws(', ', s.kind, r.kind, g.kind) as found
        from budgets b left join accounts s on s.account_id = b.stage left join accounts r on r.account_id = b.reserved
        left join accounts g on g.account_id = b.granted
        where (s.kind, r.kind, g.kind, s.campaign_id, r.campaign_id, g.campaign_id, s.share, r.share, g.share) is distinct from
            ('stage'::text, 'reserved'::text, 'granted'::text, b.campaign_id, b.campaign_id, b.campaign_id, b.share, b.share, b.share)""",
    "granted_is_the_captures_less_returns": """
        select a.campaign_id as subject, coalesce(h.kept, 0)::text as expected, a.balance::text as found
        from (select campaign_id, sum(balance) as balance from accounts where kind in ('granted', 'settled') group by campaign_id) a
        left join (select g.campaign_id, sum(g.discount - g.returned) as kept from grants g join quotes q using (house_id, quote_id)
                   where q.state = 'captured' group by g.campaign_id) h using (campaign_id)
        where a.balance <> coalesce(h.kept, 0)""",
    "quote_is_the_sum_of_its_grants": """
        select q.quote_id as subject, q.discount || '/' || q.returned as expected, sum(g.discount) || '/' || sum(g.returned) as found
        from quotes q left join grants g using (house_id, quote_id) group by q.quote_id, q.discount, q.returned
        having (sum(g.discount), sum(g.returned)) is distinct from (q.discount, q.returned)""",
    "quote_is_booked_once": """
        select q.quote_id as subject, x.net::text as expected, coalesce(b.net, 0)::text as found from quotes q
        cross join lateral (select case q.state when 'reserved' then q.discount when 'captured' then q.discount - q.returned
                            else 0 end as net) x
        left join (select e.subject, sum(case when e.kind = 'reserve' then e.amount when e.kind = 'capture' then 0 else -e.amount end) as net
                   from entries e where e.kind in ('reserve', 'release', 'expire', 'refund') group by e.subject) b on b.subject = q.quote_id
        where x.net <> coalesce(b.net, 0)""",
    "captures_are_booked": """
        select coalesce(q.quote_id, b.subject) as subject, coalesce(q.discount, 0)::text as expected, coalesce(b.sum, 0)::text as found
        from (select * from quotes where state = 'captured') q
        full join (select subject, sum(amount) as sum from entries where kind = 'capture' group by subject) b on b.subject = q.quote_id
        where coalesce(q.discount, 0) <> coalesce(b.sum, 0)""",
    "answers_have_their_rows": """
        select coalesce(q.quote_id, p.quote_id, g.quote_id) as subject, 'a payment, a quote and its grants' as expected,
            concat_ws(', ', case when p.quote_id is not null then 'payment' end, case when q.quote_id is not null then 'quote' end,
                      case when g.quote_id is not null then 'grants' end) as found
        from quotes q
        full join (select * from payments where quote_id is not null) p
            on p.quote_id = q.quote_id and p.payment_id = q.payment_id and p.content_hash = q.content_hash
        full join (select distinct quote_id from grants) g on g.quote_id = q.quote_id
        where q.quote_id is null or p.quote_id is null or g.quote_id is null
           or not exists (select from snapshots s where s.house_id = q.house_id and s.snapshot = q.snapshot)""",
    "refunds_add_up": """
        select q.quote_id as subject, q.refunded || '/' || q.returned as expected, p.amount || '/' || p.returned as found
        from quotes q cross join lateral (
            select coalesce(sum(r.amount), 0) + q.amount - q.captured as amount,
                   coalesce(sum(r.returned), 0) + coalesce((select sum(case when q.captured = 0 then g.discount
                       else floor(g.discount::numeric * (q.amount - q.captured) / q.amount) end) from grants g
                       where g.house_id = q.house_id and g.quote_id = q.quote_id), 0)::bigint as returned
            from refunds r where r.house_id = q.house_id and r.quote_id = q.quote_id) p
        where q.state = 'captured' and (p.amount, p.returned) is distinct from (q.refunded::numeric, q.returned::numeric)""",
    "refunds_are_those_that_were_told": """
        select coalesce(t.quote_id, r.quote_id) || ' ' || coalesce(t.refund_id, r.refund_id) as subject,
            coalesce(t.amount::text, '-') as expected, coalesce(r.amount::text, '-') as found
        from (select subject as quote_id, detail::jsonb ->> 'refund_id' as refund_id, (detail::jsonb ->> 'amount')::bigint as amount
              from audits where action = 'payment.refund') t
        full join refunds r on r.quote_id = t.quote_id and r.refund_id = t.refund_id and r.amount = t.amount
        where t.quote_id is null or r.quote_id is null""",
    "returned_is_the_exact_share": """
        select q.quote_id || ' ' || g.campaign_id as subject, x.due::text as expected, g.returned::text as found
        from quotes q join grants g using (house_id, quote_id) cross join lateral (
            select case when q.refunded = q.amount then g.discount else floor(g.discount::numeric * q.refunded / q.amount) end as due) x
        where g.returned <> x.due""",
    "counted_are_the_standing_grants": """
        select q.quote_id as subject, q.state as expected, g.counted::text as found from grants g join quotes q using (house_id, quote_id)
        where g.counted <> (q.state in ('reserved', 'captured'))""",
    "stage_open_is_the_money_behind_it": """
        select c.campaign_id as subject, c.stage_open::text as expected, coalesce(sum(a.balance), 0)::text as found
        from campaigns c left join accounts a on a.campaign_id = c.campaign_id and a.kind in ('stage', 'reserved', 'granted', 'settled')
        group by c.campaign_id, c.stage_open having c.stage_open <> coalesce(sum(a.balance), 0)""",
    "counters_are_the_grants": """
        with kept as (
            select campaign_id, campaign_id as scope, subject, period from limits
            union select c.campaign_id, c.campaign_id, s.subject, s.period from campaigns c
            cross join (values ('all', 'ever'), ('all', 'day'), ('payer', 'ever')) s (subject, period)
            union select c.campaign_id, 'policy:' || s.currency || ':' || s.limit_id, s.subject, s.period from campaigns c
            join shared_limits s on s.currency = c.currency and (s.labels is null or c.label = any (s.labels))
        ), due as (
            select k.scope as campaign_id, k.subject, k.period, x.ref, x.slot, count(*) as count, sum(g.discount) as amount
            from grants g join kept k using (campaign_id) cross join lateral (select
                case when k.subject = 'payer' then g.payer_ref when k.subject = 'device' then g.device_ref
                    when k.subject = 'payee' then g.payee_ref when g.share = 0 or k.scope <> k.campaign_id then ''::bytea
                    else int2send(g.share) end as ref,
                case k.period when 'ever' then '' when 'day' then g.day else g.hour end as slot) x
            where g.counted and x.ref is not null group by k.scope, k.subject, k.period, x.ref, x.slot
        )
        select campaign_id || ' ' || subject || ' ' || period || ' ' || slot as subject,
            coalesce(d.count, 0) || '/' || coalesce(d.amount, 0) as expected,
            coalesce(c.count, 0) || '/' || coalesce(c.amount, 0) as found
        from due d full join counters c using (campaign_id, subject, period, ref, slot)
        where (coalesce(d.count, 0), coalesce(d.amount, 0)) <> (coalesce(c.count, 0), coalesce(c.amount, 0)::numeric)""",
    # A limit may be lowered below what it has counted; nothing is granted above it after that.
    "limits_are_kept": """
        with above as materialized (
            select house_id, campaign_id, c.subject, c.period, x.ref, c.slot, sum(c.count) as count, sum(c.amount) as amount,
                l.count_max, l.amount_max
            from limits l join counters c using (house_id, campaign_id, subject, period)
            cross join lateral (select case when c.subject = 'all' then ''::bytea else c.ref end as ref) x   -- whatever the share
            group by house_id, campaign_id, c.subject, c.period, x.ref, c.slot, l.count_max, l.amount_max
            having sum(c.count) > l.count_max or sum(c.amount) > l.amount_max)
        select c.campaign_id || ' ' || c.subject || ' ' || c.period || ' ' || c.slot as subject,
            coalesce(c.count_max::text, '-') || '/' || coalesce(c.amount_max::text, '-') as expected, c.count || '/' || c.amount as found
        from above c where (
            select max(a.serial) from grants g join entries e on e.house_id = g.house_id and e.subject = g.quote_id and e.kind = 'reserve'
            join audits a on a.house_id = e.house_id and a.batch = e.batch
            where g.house_id = c.house_id and g.campaign_id = c.campaign_id
              and c.ref = case c.subject when 'all' then ''::bytea when 'payer' then g.payer_ref when 'device' then g.device_ref
                          else g.payee_ref end
              and c.slot = case c.period when 'ever' then '' when 'day' then g.day else g.hour end
            ) > (select max(serial) from audits s where s.action = 'campaign.live' and s.subject = c.campaign_id)""",
    "shared_limits_are_kept": """
        with above as materialized (
            select c.*, l.labels, l.currency, l.count_max, l.amount_max from shared_limits l
            join counters c on c.house_id = l.house_id and c.campaign_id = 'policy:' || l.currency || ':' || l.limit_id
                and c.subject = l.subject and c.period = l.period
            where c.count > l.count_max or c.amount > l.amount_max)
        select c.campaign_id || ' ' || c.subject || ' ' || c.period || ' ' || c.slot as subject,
            coalesce(c.count_max::text, '-') || '/' || coalesce(c.amount_max::text, '-') as expected, c.count || '/' || c.amount as found
        from above c where (
            select max(a.serial) from grants g join campaigns x using (house_id, campaign_id)
            join entries e on e.house_id = g.house_id and e.subject = g.quote_id and e.kind = 'reserve'
            join audits a on a.house_id = e.house_id and a.batch = e.batch
            where g.house_id = c.house_id and x.currency = c.currency and (c.labels is null or x.label = any (c.labels))
              and c.ref = case c.subject when 'all' then ''::bytea when 'payer' then g.payer_ref when 'device' then g.device_ref
                          else g.payee_ref end
              and c.slot = case c.period when 'ever' then '' when 'day' then g.day else g.hour end
            ) > (select max(serial) from audits s where s.action in ('policy.in_force', 'campaign.live'))""",
    "shared_limits_are_those_in_force": """
        with said as (
            select distinct on (subject) subject, detail::jsonb as detail from audits where action = 'policy.in_force'
            order by subject, seq desc
        ), due as (
            select s.subject as currency, l.* from said s
            cross join lateral jsonb_to_recordset(coalesce(s.detail -> 'limits', '[]')) as l
                (limit_id text, labels text[], subject text, period text, count_max bigint, amount_max bigint)
        )
        select currency || ' ' || limit_id as subject, coalesce(d.count_max::text, '-') || '/' || coalesce(d.amount_max::text, '-')
            as expected, coalesce(l.count_max::text, '-') || '/' || coalesce(l.amount_max::text, '-') as found
        from due d full join shared_limits l using (currency, limit_id)
        where (d.labels, d.subject, d.period, d.count_max, d.amount_max)
            is distinct from (l.labels, l.subject, l.period, l.count_max, l.amount_max)""",
    # What goes live is audited with its limits, its budget and its proof, so that none of them can be changed unseen.
    "limits_are_those_that_went_live": """
        with said as (
            select distinct on (subject) subject, detail::jsonb as detail from audits where action = 'campaign.live'
            order by subject, seq desc
        ), due as (
            select s.subject as campaign_id, l.* from said s cross join lateral jsonb_to_recordset(s.detail -> 'limits')
                as l (subject text, period text, count_max bigint, amount_max bigint)
        )
        select campaign_id || ' ' || subject || ' ' || period as subject,
            coalesce(d.count_max::text, '-') || '/' || coalesce(d.amount_max::text, '-') as expected,
            coalesce(l.count_max::text, '-') || '/' || coalesce(l.amount_max::text, '-') as found
        from due d full join limits l using (campaign_id, subject, period)
        where d is null or l.house_id is null or (d.count_max, d.amount_max) is distinct from (l.count_max, l.amount_max)""",
    # Nobody ends a stop, or swaps what is live, without having said so.
    "what_runs_is_what_was_told": """
        with said as (
            select distinct on (subject) subject, action in ('campaign.stop', 'breaker.trip') as stopped from audits
            where action in ('campaign.live', 'campaign.stop', 'campaign.resume')
               or action = 'breaker.trip' and (detail::jsonb ->> 'opened')::boolean order by subject, seq desc
        ), went as (
            select distinct on (subject) subject, detail::jsonb ->> 'revision' as live from audits where action = 'campaign.live'
            order by subject, seq desc
        )
        select c.campaign_id as subject, concat_ws(' ', w.live, s.stopped) as expected, concat_ws(' ', c.live, c.stopped) as found
        from campaigns c left join said s on s.subject = c.campaign_id left join went w on w.subject = c.campaign_id
        where (c.live, c.stopped) is distinct from (w.live, coalesce(s.stopped, false))""",
    # Wider stops, and whoever tripped.
    "stops_are_those_that_were_told": """
        with said as (
            select distinct on (subject) subject as target, action from audits where action in ('stop', 'resume') order by subject, seq desc
        )
        select coalesce(d.target, s.target) as subject, coalesce(d.action, 'no stop') as expected,
            case when s.target is null then 'no stop' else 'stop' end as found
        from said d full join stops s on s.target = d.target where (s.target is not null) <> coalesce(d.action = 'stop', false)""",
    "trips_are_those_that_were_told": """
        with said as (
            select subject as campaign_id, detail::jsonb as detail, count(*) as n from audits where action = 'breaker.trip' group by 1, 2
        ), kept as (
            select campaign_id, jsonb_build_object('guard', guard, 'what', what, 'revision', revision, 'opened', opened,
                'evidence', evidence) as detail, count(*) as n from trips group by 1, 2
        )
        select campaign_id as subject, coalesce(d.n, 0)::text as expected, coalesce(k.n, 0)::text as found
        from said d full join kept k using (campaign_id, detail) where d.n is distinct from k.n""",
    "breakers_are_the_trips_that_opened_them": """
        select c.campaign_id as subject, c.tripped_by as expected, coalesce(t.guard, 'none') as found from campaigns c
        left join lateral (select guard from trips x where x.house_id = c.house_id and x.campaign_id = c.campaign_id and x.revision = c.live
                           and x.opened order by x.trip_id desc limit 1) t on true
        where c.tripped_by is not null and (not c.stopped or c.tripped_by is distinct from t.guard)""",
    "what_is_live_is_proved": """
        select c.campaign_id as subject, 'a proof of ' || c.live as expected, coalesce(c.proof, 'none') as found
        from campaigns c join houses h using (house_id)
        left join proofs p on p.house_id = c.house_id and p.proof = c.proof and p.is_proved and p.revision = c.live
            and p.brief = c.brief
        where c.live is not null and p.proof is null and not 'proof' = any (h.guards_left_out)""",
    "what_went_live_was_proved": """
        select a.subject || ' ' || a.seq as subject, 'a proof' as expected, coalesce(a.detail::jsonb ->> 'proof', 'none') as found
        from audits a join houses h using (house_id)
        left join proofs p on p.house_id = a.house_id and p.is_proved and p.proof = a.detail::jsonb ->> 'proof'
            and p.revision = a.detail::jsonb ->> 'revision' and p.brief = a.detail::jsonb ->> 'brief'
            and p.policy = a.detail::jsonb ->> 'policy'
        where a.action = 'campaign.live' and p.proof is null and not 'proof' = any (h.guards_left_out)""",
    "what_resumed_was_proved": """
        select a.subject || ' ' || a.seq as subject, 'a proof' as expected, coalesce(a.detail::jsonb ->> 'proof', 'none') as found
        from audits a join houses h using (house_id)
        left join proofs p on p.house_id = a.house_id and p.is_proved and p.proof = a.detail::jsonb ->> 'proof'
        where a.action = 'campaign.resume' and p.proof is null and not 'proof' = any (h.guards_left_out)""",
    "money_moves_only_in_audited_batches": """
        select e.entry_id::text as subject, 'an audit row' as expected, 'none' as found from entries e
        left join audits a using (house_id, batch) where a.seq is null""",
    "money_moves_only_with_an_event": """
        select distinct e.batch::text as subject, 'an event' as expected, 'none' as found from entries e
        where not exists (select from outbox o where o.house_id = e.house_id and o.batch = e.batch)""",
    "events_are_of_audited_batches": """
        select o.event_id::text as subject, 'an audit row' as expected, 'none' as found from outbox o
        left join audits a using (house_id, batch) where a.seq is null""",
}
