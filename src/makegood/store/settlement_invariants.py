"""What must hold between settlement and the entries, as questions to the stored rows: more of `invariants`."""

from collections.abc import Mapping

# Each query gives (subject, expected, found) for what is wrong, and nothing when all is well.
INVARIANTS: Mapping[str, str] = {
    "settled_is_the_split_of_what_was_billed": """
        with due as (
            select f.campaign_id, x.funder, sum(x.part) as due
            from fundings f cross join lateral unnest(f.funders, split_total(f.billed, f.weights)) as x (funder, part)
            group by f.campaign_id, x.funder)
        select campaign_id || ' ' || funder as subject, coalesce(d.due, 0)::text as expected, coalesce(a.balance, 0)::text as found
        from due d full join (select campaign_id, funder, balance from accounts where kind = 'settled') a using (campaign_id, funder)
        where coalesce(d.due, 0) <> coalesce(a.balance, 0)""",
    "bills_are_booked": """
        with steps as (
            select b.batch, b.campaign_id, f.funders, split_total(b.total, f.weights) as after, split_total(
                lag(b.total, 1, 0::bigint) over (partition by b.campaign_id, b.funding order by b.number), f.weights) as before
            from bills b join fundings f using (house_id, campaign_id, funding)
        ), due as (
            select s.batch, s.campaign_id, x.funder, sum(x.after - x.before) as amount
            from steps s cross join lateral unnest(s.funders, s.before, s.after) as x (funder, before, after)
            group by s.batch, s.campaign_id, x.funder
        ), booked as (
            select e.batch, a.campaign_id, a.funder, sum(case when e.to_account = a.account_id then e.amount else -e.amount end) as amount
            from accounts a join entries e on e.house_id = a.house_id and e.kind in ('settle', 'reverse')
                and a.account_id in (e.from_account, e.to_account)
            where a.kind = 'settled' group by e.batch, a.campaign_id, a.funder)
        select batch || ' ' || campaign_id || ' ' || funder as subject, coalesce(d.amount, 0)::text as expected, coalesce(b.amount, 0)::text as found
        from due d full join booked b using (batch, campaign_id, funder) where coalesce(d.amount, 0) <> coalesce(b.amount, 0)""",
    "bills_are_numbered": """
        select f.campaign_id || ' ' || f.funding as subject, f.bills || '/' || f.billed as expected,
            b.bills || '/' || b.highest || '/' || b.billed as found
        from fundings f cross join lateral (
            select count(*) as bills, coalesce(max(number), 0) as highest, coalesce((array_agg(total order by number desc))[1], 0) as billed
            from bills x where x.house_id = f.house_id and x.campaign_id = f.campaign_id and x.funding = f.funding) b
        where (f.bills, f.bills, f.billed) <> (b.bills, b.highest, b.billed)""",
    "counted_is_the_settled_days": """
        select f.campaign_id || ' ' || f.funding as subject, d.counted::text as expected, f.counted::text as found
        from fundings f cross join lateral (
            select coalesce(sum(t.captured - t.returned), 0) as counted from day_totals t
            join funded_revisions r using (house_id, campaign_id, revision)
            join settlements s using (house_id, currency, day, campaign_id)
            where t.house_id = f.house_id and t.campaign_id = f.campaign_id and r.funding = f.funding) d
        where f.counted <> d.counted""",
    "days_are_the_entries": """
        with due as (
            select d.currency, d.day, g.campaign_id, g.revision, coalesce(sum(e.amount) filter (where e.kind = 'capture'), 0) as captured,
                coalesce(sum(e.amount) filter (where e.kind = 'refund'), 0) as returned
            from entries e join accounts a on a.house_id = e.house_id and a.kind = 'granted'
                and a.account_id = case e.kind when 'capture' then e.to_account else e.from_account end
            join grants g on g.house_id = e.house_id and g.quote_id = e.subject and g.campaign_id = a.campaign_id
            join settlement_days d on d.house_id = e.house_id and d.currency = a.currency and e.at >= d.since and e.at < d.until
            where e.kind in ('capture', 'refund') group by d.currency, d.day, g.campaign_id, g.revision)
        select day || ' ' || campaign_id || ' ' || revision as subject, d.captured || '/' || d.returned as expected,
            t.captured || '/' || t.returned as found
        from due d full join day_totals t using (currency, day, campaign_id, revision)
        where (d.captured, d.returned) is distinct from (t.captured::numeric, t.returned::numeric)""",
    "days_follow_each_other": """
        select currency || ' ' || day as subject, coalesce(due, '-infinity')::text as expected, since::text as found from (
            select *, lag(until) over (partition by currency order by day) as due from settlement_days) d
        where since <> coalesce(due, '-infinity')""",
    "statement_lines_are_the_split": """
        select l.day || ' ' || l.campaign_id || ' ' || l.funder as subject, x.before || '/' || x.after as expected,
            l.billed_before || '/' || l.billed as found
        from statement_lines l join fundings f using (house_id, campaign_id, funding)
        cross join lateral unnest(f.funders, f.weights, split_total(l.total_before, f.weights), split_total(l.total, f.weights))
            as x (funder, weight, before, after)
        where x.funder = l.funder and (x.weight, x.before, x.after) <> (l.weight, l.billed_before, l.billed)""",
    "statements_are_the_days": """
        with said as (
            select currency, day, sum(closing - opening) as amount from statements group by currency, day
        ), lines as (
            select currency, day, sum(billed - billed_before) as amount from statement_lines group by currency, day
        ), counted as (
            select currency, day, sum(captured - returned) as amount from day_totals group by currency, day)
        select d.currency || ' ' || d.day as subject, coalesce(c.amount, 0)::text as expected,
            concat_ws('/', d.amount, coalesce(s.amount, 0), coalesce(l.amount, 0)) as found
        from settled_days d left join counted c using (currency, day) left join said s using (currency, day)
        left join lines l using (currency, day)
        where not (coalesce(c.amount, 0) = all (array[d.amount, coalesce(s.amount, 0), coalesce(l.amount, 0)]))""",
    "statements_add_up": """
        select s.currency || ' ' || s.day || ' ' || s.funder as subject, coalesce(p.closing, 0) + coalesce(l.amount, 0) || '' as expected,
            s.closing::text as found
        from statements s
        left join statements p on p.house_id = s.house_id and p.currency = s.currency and p.funder = s.funder and p.number = s.number - 1
        left join (select currency, day, funder, sum(billed - billed_before) as amount from statement_lines group by currency, day, funder) l
            on l.currency = s.currency and l.day = s.day and l.funder = s.funder
        where s.opening <> coalesce(p.closing, 0) or s.closing <> s.opening + coalesce(l.amount, 0) or (p.number is null and s.number <> 1)""",
    "fundings_are_those_of_the_documents": """
        select r.campaign_id || ' ' || r.revision as subject, concat_ws(' ', d.funders, d.weights) as expected,
            concat_ws(' ', f.funders, f.weights) as found
        from funded_revisions r join fundings f using (house_id, campaign_id, funding) cross join lateral (
            select array_agg(x ->> 'funder' order by x ->> 'funder' collate "C") as funders, array_agg(
                (rtrim(x ->> 'share', '%')::numeric * 100)::bigint order by x ->> 'funder' collate "C") as weights
            from documents c, jsonb_array_elements(convert_from(c.canonical, 'UTF8')::jsonb -> 'funding') x
            where c.house_id = r.house_id and c.revision = r.revision) d
        where (d.funders, d.weights) is distinct from (f.funders, f.weights)""",
}
