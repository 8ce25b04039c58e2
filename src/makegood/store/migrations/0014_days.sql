-- Days, billed to funders by 0012.
--
-- A day takes what was booked before its end and was not in a day before. It is done in steps, each a transaction of its
-- own, so that no payment waits for more than one campaign's turn:
-- 1. open_day counts the day once. If we die here, the counts stand; a run later goes on from them.
-- 2. settle_campaign bills one campaign's day, or finds that it was. If we die here, the rest is billed by the next run.
-- 3. close_day writes each funder's statement. Before this a day has none.

create function lock_settlement(p_house bigint, p_currency text) returns void language plpgsql
    set search_path = makegood, pg_temp as $$
begin
    perform set_config('makegood.house', p_house::text, true);
    perform pg_advisory_xact_lock(hashtextextended('settlement ' || p_currency, p_house));
end $$;

-- Waits until everything that was booked before this moment has committed: who books holds a budget from before the entry
-- gets its time until it commits. The block gives the locks back at once.
create function let_money_calls_end(p_house bigint) returns void language plpgsql set search_path = makegood, pg_temp as $$
begin
    perform from budgets where house_id = p_house order by campaign_id, share for share;
    raise exception using errcode = 'MG200';
exception
    when sqlstate 'MG200' then return;
end $$;

-- Counts a day, once: what each revision granted and took back from the end of the day before until p_until. Outcomes: done
-- (also where it was counted before), day_is_not_over, day_before_is_open and day_is_in_the_past, with the day meant.
create function open_day(p_house bigint, p_currency text, p_day date, p_zone text, p_until timestamptz) returns jsonb
    language plpgsql security definer set search_path = makegood, pg_temp as $$
declare v_last settlement_days;
begin
    perform lock_settlement(p_house, p_currency);
    if exists (select from settlement_days where house_id = p_house and currency = p_currency and day = p_day) then
        return jsonb_build_object('outcome', 'done');
    end if;
    select * into v_last from settlement_days where house_id = p_house and currency = p_currency order by day desc limit 1;
    if v_last.day > p_day then return jsonb_build_object('outcome', 'day_is_in_the_past', 'day', v_last.day); end if;
    if p_until > clock_timestamp() then return jsonb_build_object('outcome', 'day_is_not_over', 'day', p_day); end if;
    if v_last.day is not null and not exists (
        select from settled_days where house_id = p_house and currency = p_currency and day = v_last.day) then
        return jsonb_build_object('outcome', 'day_before_is_open', 'day', v_last.day);
    end if;
    perform let_money_calls_end(p_house);
    insert into settlement_days values (p_house, p_currency, p_day, p_zone, coalesce(v_last.until, '-infinity'),
        greatest(p_until, v_last.until));   -- A policy may have moved to a zone further east: its day ended already.
    insert into day_totals
        select p_house, p_currency, p_day, g.campaign_id, g.revision,
               coalesce(sum(e.amount) filter (where e.kind = 'capture'), 0), coalesce(sum(e.amount) filter (where e.kind = 'refund'), 0)
        from settlement_days d
        join entries e on e.house_id = d.house_id and e.at >= d.since and e.at < d.until and e.kind in ('capture', 'refund')
        join accounts a on a.house_id = d.house_id and a.currency = d.currency
            and a.account_id = case e.kind when 'capture' then e.to_account else e.from_account end
        join grants g on g.house_id = d.house_id and g.quote_id = e.subject and g.campaign_id = a.campaign_id
        where d.house_id = p_house and d.currency = p_currency and d.day = p_day
        group by g.campaign_id, g.revision;
    return jsonb_build_object('outcome', 'done');
end $$;

-- Bills one campaign for a day that was opened, once; whether it is new. The caller runs it for each campaign of the day.
create function settle_campaign(p_house bigint, p_principal text, p_currency text, p_day date, p_campaign text) returns boolean
    language plpgsql security definer set search_path = makegood, pg_temp as $$
declare
    v_batch bigint := begin_batch(p_house);
    v_totals jsonb;
    v_steps jsonb;
    v_short bigint;
begin
    perform lock_campaigns(p_house, array[p_campaign]);
    insert into settlements select p_house, p_currency, p_day, p_campaign, v_batch where exists (
        select from day_totals where house_id = p_house and currency = p_currency and day = p_day and campaign_id = p_campaign)
        on conflict do nothing;
    if not found then return false; end if;
    perform from fundings where house_id = p_house and campaign_id = p_campaign order by funding for update;
    -- 1. The running totals of its fundings at the end of the day.
    with added as (
        select funding_of(p_house, p_campaign, revision) as funding, captured - returned as net from day_totals
        where house_id = p_house and currency = p_currency and day = p_day and campaign_id = p_campaign order by revision
    ), summed as (select funding, sum(net) as net from added group by funding)
    select jsonb_agg(jsonb_build_object('funding', funding, 'net', net)) into v_totals from summed;
    select jsonb_agg(jsonb_build_object('funding', f.funding, 'total', f.counted + coalesce((t ->> 'net')::bigint, 0)) order by f.funding)
        into v_totals
        from fundings f left join jsonb_array_elements(v_totals) t on (t ->> 'funding')::smallint = f.funding
        where f.house_id = p_house and f.campaign_id = p_campaign;
    -- 2. Bill them. What was refunded since the day ended, out of money that this day is billed for, is reversed again in the
    --    same step: it belongs to the statement of a later day.
    select jsonb_agg(t || '{"kind": "settle"}' order by f.funding) filter (where (t ->> 'total')::bigint <> f.billed),
           sum((t ->> 'total')::bigint - f.billed) - (select sum(balance) from accounts
               where house_id = p_house and campaign_id = p_campaign and kind = 'granted')
        into v_steps, v_short
        from jsonb_array_elements(v_totals) t join fundings f
            on f.house_id = p_house and f.campaign_id = p_campaign and f.funding = (t ->> 'funding')::smallint;
    v_steps := coalesce(v_steps, '[]') || case when v_short > 0 then reversal(v_totals, null, v_short) else '[]' end;
    perform bill(p_house, p_campaign, 0::smallint, p_day, v_steps);
    -- 3. Write what each funder's statement will say.
    insert into statement_lines
        select p_house, p_currency, p_day, p_campaign, f.funding, x.funder, x.weight, f.counted, t.total, x.before, x.after
        from jsonb_to_recordset(v_totals) as t (funding smallint, total bigint)
        join fundings f on f.house_id = p_house and f.campaign_id = p_campaign and f.funding = t.funding
        cross join lateral unnest(f.funders, f.weights, split_total(f.counted, f.weights), split_total(t.total, f.weights))
            as x (funder, weight, before, after)
        where t.total <> f.counted;
    update fundings f set counted = t.total from jsonb_to_recordset(v_totals) as t (funding smallint, total bigint)
        where f.house_id = p_house and f.campaign_id = p_campaign and f.funding = t.funding and f.counted <> t.total;
    perform emit(p_house, 'campaign.settled', p_campaign, jsonb_build_object('currency', p_currency, 'day', p_day));
    perform end_batch(p_house, v_batch, p_principal, 'campaign.settle', p_campaign,
        jsonb_build_object('currency', p_currency, 'day', p_day, 'totals', v_totals));
    return true;
end $$;

-- The lines of one statement as one text, for its hash.
create function text_of_lines(p_house bigint, p_currency text, p_day date, p_funder text) returns text language sql stable
    set search_path = makegood, pg_temp as $$
    select coalesce(string_agg(netstring(campaign_id, funding::text, weight::text, total_before::text, total::text,
        billed_before::text, billed::text), ';' order by campaign_id collate "C", funding), '')
    from statement_lines where house_id = p_house and currency = p_currency and day = p_day and funder = p_funder
$$;

-- Closes a day once all of its campaigns are settled: writes each funder's statement. Outcomes: done, day_is_open.
create function close_day(p_house bigint, p_principal text, p_currency text, p_day date) returns jsonb
    language plpgsql security definer set search_path = makegood, pg_temp as $$
declare
    v_batch bigint := begin_batch(p_house);
    v_day settlement_days;
    v_amount bigint;
begin
    perform lock_settlement(p_house, p_currency);
    select * into v_day from settlement_days where house_id = p_house and currency = p_currency and day = p_day;
    if v_day.day is null or exists (
        select from day_totals t left join settlements s using (house_id, currency, day, campaign_id)
        where t.house_id = p_house and t.currency = p_currency and t.day = p_day and s.batch is null) then
        return jsonb_build_object('outcome', 'day_is_open');
    end if;
    if exists (select from settled_days where house_id = p_house and currency = p_currency and day = p_day) then
        return jsonb_build_object('outcome', 'done');
    end if;
    insert into statements
        with due as (
            select funder, sum(billed - billed_before)::bigint as amount from statement_lines
            where house_id = p_house and currency = p_currency and day = p_day group by funder
        ), made as (
            select d.funder, coalesce(s.number, 0) + 1 as number, coalesce(s.closing, 0) as opening,
                   coalesce(s.closing, 0) + d.amount as closing, coalesce(s.hash, decode(repeat('00', 32), 'hex')) as previous
            from due d left join lateral (
                select * from statements s where s.house_id = p_house and s.currency = p_currency and s.funder = d.funder
                order by number desc limit 1) s on true
        )
        select p_house, p_currency, p_day, funder, number, opening, closing, v_batch, previous, sha256(convert_to(netstring(
            h.name, funder, p_currency, v_day.zone, p_day::text, number::text, opening::text, closing::text, v_batch::text,
            encode(previous, 'hex'), text_of_lines(p_house, p_currency, p_day, funder)), 'UTF8'))
        from made, houses h where h.house_id = p_house;
    select coalesce(sum(closing - opening), 0) into v_amount from statements
        where house_id = p_house and currency = p_currency and day = p_day;
    insert into settled_days values (p_house, p_currency, p_day, v_batch, v_amount);
    perform emit(p_house, 'day.settled', p_currency, jsonb_build_object('day', p_day, 'amount', v_amount));
    perform end_batch(p_house, v_batch, p_principal, 'day.settle', p_currency, (
        select jsonb_build_object('day', p_day, 'amount', v_amount, 'statements',
            coalesce(jsonb_object_agg(funder, encode(hash, 'hex')), '{}'))
        from statements where house_id = p_house and currency = p_currency and day = p_day));
    return jsonb_build_object('outcome', 'done');
end $$;

revoke all on function lock_settlement(bigint, text), let_money_calls_end(bigint), text_of_lines(bigint, text, date, text),
    open_day(bigint, text, date, text, timestamptz), settle_campaign(bigint, text, text, date, text),
    close_day(bigint, text, text, date) from public;
grant execute on function open_day(bigint, text, date, text, timestamptz), settle_campaign(bigint, text, text, date, text),
    close_day(bigint, text, text, date) to makegood_app;
