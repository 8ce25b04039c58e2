-- Reserving for quotes, a batch at a time.

-- First outcomes of payments that are known, by payment id; a payment that is not is left out. Whoever is answered with a
-- hold claims it.
create function first_outcomes(p_house bigint, p_payments text[], p_hashes bytea[]) returns table (payment_id text, outcome jsonb)
    language plpgsql set search_path = makegood, pg_temp set enable_seqscan = off as $$
declare v_quotes text[];
begin
    select array_agg(p.quote_id) into v_quotes
        from payments p where p.house_id = p_house and p.payment_id = any (p_payments) and p.quote_id is not null;
    perform lock_quotes(p_house, v_quotes);
    -- Whoever held them may have decided others of these meanwhile, which nobody would claim: all of it is done again.
    if exists (select from payments p where p.house_id = p_house and p.payment_id = any (p_payments)
               and p.quote_id is not null and p.quote_id <> all (coalesce(v_quotes, '{}'))) then
        raise exception 'a payment was decided by somebody else meanwhile' using errcode = 'serialization_failure';
    end if;
    update quotes set claims = claims + 1 from unnest(p_payments, p_hashes) as a (payment_id, hash)
        where quotes.house_id = p_house and quote_id = any (v_quotes) and state = 'reserved'
          and quotes.payment_id = a.payment_id and content_hash = a.hash;
    return query select a.payment_id, case
            when p.quote_id is null or q.state = 'void' then '{"outcome": "void"}'::jsonb
            when p.content_hash <> a.hash then '{"outcome": "content_differs"}'
            else jsonb_build_object('outcome', 'replayed', 'quote', quote_json(q)) end
        from unnest(p_payments, p_hashes) as a (payment_id, hash)
        join payments p on p.house_id = p_house and p.payment_id = a.payment_id
        left join quotes q on q.house_id = p_house and q.quote_id = p.quote_id;
end $$;

-- Which of these payments were decided before. By a payment each: nearly all are not, and are granted nothing now.
create function known_payments(p_house bigint, p_payments text[]) returns text[] language plpgsql stable security definer
    set search_path = makegood, pg_temp set enable_seqscan = off as $$
begin
    perform set_config('makegood.house', p_house::text, true);
    return array(select payment_id from payments where house_id = p_house and payment_id = any (p_payments));
end $$;

-- A retry's look-up for payments that are granted nothing now: they may have been granted something before. By position.
create function replay(p_house bigint, p_payments text[], p_hashes bytea[]) returns jsonb language plpgsql security definer
    set search_path = makegood, pg_temp set enable_seqscan = off as $$
begin
    perform set_config('makegood.house', p_house::text, true);
    if not exists (select from payments where house_id = p_house and payment_id = any (p_payments)) then return null; end if;
    return (select jsonb_agg(f.outcome order by n) from unnest(p_payments) with ordinality as a (payment_id, n)
            left join first_outcomes(p_house, p_payments, p_hashes) f using (payment_id));
end $$;

-- Why a campaign's state refuses a discount, or null: what a lock on its budget makes sure, or a look without one tells.
create function refusal_by_state(p_house bigint, p_campaign text, p_share smallint, p_revision text, p_discount bigint)
    returns text language sql stable set search_path = makegood, pg_temp as $$
    select case
        when b.live is distinct from p_revision then 'stale'
        when b.stopped then 'campaign_is_stopped'
        when s.balance >= p_discount then null
        when m.stage + m.budget < p_discount then 'budget_is_exhausted'
        when m.stage < p_discount then 'stage_is_exhausted'
        else 'share_is_short' end   -- Another share has it: see `rebalance`.
    from (values (1)) one
    left join budgets b on b.house_id = p_house and b.campaign_id = p_campaign and b.share = p_share
    left join accounts s on s.house_id = p_house and s.account_id = b.stage
    left join lateral (
        select sum(balance) filter (where kind = 'stage') as stage, sum(balance) filter (where kind = 'budget') as budget
        from accounts a where a.house_id = p_house and a.campaign_id = p_campaign and a.kind in ('stage', 'budget')) m
        on coalesce(s.balance, 0) < p_discount
$$;

-- Why a limit refuses a grant, or null. The caller holds the locks of the rights and of the budget.
create function refusal_by_limit(p_house bigint, g grants) returns text language sql stable
    set search_path = makegood, pg_temp as $$
    select case
        when x.ref is null then x.subject || '_is_unknown'
        when x.subject = 'all' and x.period = 'ever' then 'limit_is_reached'
        when x.subject = 'all' then x.period || '_limit_is_reached'
        else x.subject || '_limit_is_reached' end
    from (
        select k.*, r.ref, case when k.is_right then array[r.ref] else total_refs(p_house, g.campaign_id) end as refs
        from kept_counters(p_house, g.campaign_id) k, lateral (
            select counter_ref(k.subject, k.is_right, g.payer_ref, g.device_ref, g.payee_ref, g.share) as ref) r
        where k.count_max is not null or k.amount_max is not null
    ) x
    left join lateral (
        select sum(c.count) as count, sum(c.amount) as amount from counters c
        where c.house_id = p_house and c.campaign_id = x.scope and c.subject = x.subject and c.period = x.period
          and c.ref = any (x.refs) and c.slot = counter_slot(x.period, g.day, g.hour)) c on true
    where x.ref is null or coalesce(c.count, 0) + 1 > x.count_max or coalesce(c.amount, 0) + g.discount > x.amount_max
    order by x.ref is not null, array_position(array['all', 'payer', 'device', 'payee'], x.subject),
             array_position(array['ever', 'day', 'hour'], x.period)
    limit 1
$$;

-- Quotes whose grants break a bound when all are charged one after the other, in their order, to what accounts and
-- counters say now. The others may be charged together.
create function contended(p_house bigint, p_grants grants[]) returns text[] language sql stable
    set search_path = makegood, pg_temp as $$
    with g as materialized (
        select u.*, row_number() over () as n from unnest(p_grants) u
    ), kept as materialized (
        select c.campaign_id, k.*, total_refs(p_house, c.campaign_id) as totals
        from (select distinct campaign_id from g) c, lateral kept_counters(p_house, c.campaign_id) k
        where k.count_max is not null or k.amount_max is not null
    ), asked as (
        select g.quote_id, case when k.is_right then array[r.ref] else k.totals end as refs, k.scope, k.subject, k.period, k.count_max, k.amount_max, r.ref,
            counter_slot(k.period, g.day, g.hour) as slot, g.discount, g.n
        from g join kept k using (campaign_id), lateral (
            select counter_ref(k.subject, k.is_right, g.payer_ref, g.device_ref, g.payee_ref, g.share) as ref) r
    ), running as (
        select a.*, count(*) over w as more, sum(discount) over w as more_amount
        from asked a window w as (partition by scope, subject, period, ref, slot order by n)
    )
    select coalesce(array_agg(distinct quote_id), '{}') from (
        select r.quote_id from running r left join lateral (
            select sum(c.count) as count, sum(c.amount) as amount from counters c
            where c.house_id = p_house and c.campaign_id = r.scope and c.subject = r.subject and c.period = r.period
              and c.ref = any (r.refs) and c.slot = r.slot) c on true
        where r.ref is null or coalesce(c.count, 0) + r.more > r.count_max or coalesce(c.amount, 0) + r.more_amount > r.amount_max
        union all
        select x.quote_id from (
            select *, sum(discount) over (partition by campaign_id, share order by n) as upto from g) x
        left join budgets b on b.house_id = p_house and b.campaign_id = x.campaign_id and b.share = x.share
        left join accounts s on s.house_id = p_house and s.account_id = b.stage
        where (b.live = x.revision and not b.stopped and s.balance >= x.upto) is not true) bad
$$;

-- Whether every grant may be made as far as budgets tell: at a look without locks a reason to look closer, under their
-- locks the truth. A payer, device or payee that a limit counts and nobody named is a reason, too.
create function all_in_order(p_house bigint, p_grants grants[]) returns boolean language sql stable
    set search_path = makegood, pg_temp as $$
    select coalesce(bool_and(coalesce(b.live = g.least and b.live = g.most and not b.stopped and s.balance >= g.sum, false)
        and not exists (select from kept_counters(p_house, g.campaign_id) k
                        where (k.count_max is not null or k.amount_max is not null) and (
                            k.subject = 'payer' and g.no_payer or k.subject = 'device' and g.no_device))), true)
    from (select campaign_id, share, min(revision) as least, max(revision) as most, sum(discount) as sum,
                 bool_or(payer_ref is null) as no_payer, bool_or(device_ref is null) as no_device
          from unnest(p_grants) group by campaign_id, share) g
    left join budgets b on b.house_id = p_house and b.campaign_id = g.campaign_id and b.share = g.share
    left join accounts s on s.house_id = p_house and s.account_id = b.stage
$$;

-- The grants of other quotes than these.
create function without(p_grants grants[], p_quotes text[]) returns grants[] language sql stable as $$
    select case when p_quotes = '{}' then p_grants else array(
        select g from unnest(p_grants) g where not exists (select from unnest(p_quotes) q where q = g.quote_id)) end
$$;

-- Releases the quote of an abandoned checkout of the same payer, or says why not. Null: released, or nothing to release.
-- The caller holds the locks of that quote and of its rights.
create function supersede(p_house bigint, p_payment text, p_payer bytea) returns text language plpgsql
    set search_path = makegood, pg_temp as $$
declare v_old quotes;
begin
    select q.* into v_old from payments p join quotes q using (house_id, quote_id)
        where p.house_id = p_house and p.payment_id = p_payment;
    if v_old.quote_id is null then return null; end if;
    if v_old.payer_ref is null or v_old.payer_ref is distinct from p_payer then return 'superseded_is_another_payers'; end if;
    if v_old.state = 'captured' then return 'superseded_is_captured'; end if;
    if v_old.state = 'reserved' then perform give_back(p_house, array[v_old.quote_id], 'released', 'release'); end if;
    return null;
end $$;

-- What a superseded payment gave back to another share comes to the share that lacks it. The caller holds both.
create function bring_over(p_house bigint, p_payment text, g grants) returns void language plpgsql
    set search_path = makegood, pg_temp as $$
begin
    insert into entries (house_id, batch, kind, subject, from_account, to_account, amount, at)
        select p_house, current_setting('makegood.batch')::bigint, 'rebalance', g.campaign_id, f.account_id, t.account_id,
            least(f.balance, g.discount - t.balance), clock_timestamp()
        from payments p join grants o on o.house_id = p_house and o.quote_id = p.quote_id and o.campaign_id = g.campaign_id
        join accounts f on f.house_id = p_house and f.campaign_id = g.campaign_id and f.kind = 'stage' and f.share = o.share
        join accounts t on t.house_id = p_house and t.campaign_id = g.campaign_id and t.kind = 'stage' and t.share = g.share
        where p.house_id = p_house and p.payment_id = p_payment and o.share <> g.share and f.balance > 0;
end $$;

-- Decides one request by itself, whole or not at all, superseding included. Afterwards its money is moved where the outcome
-- says reserved, and its quote is yet to be written.
create function reserve_one(p_house bigint, p_grants grants[], p_supersedes text, p_payer bytea, p_device bytea, p_payee bytea,
                            p_day text, p_hour text, p_candidates text) returns jsonb language plpgsql set search_path = makegood, pg_temp as $$
declare
    v_wrong text;
    v_refused jsonb := '{}';
    v_charged grants[] := '{}';
    g grants;
begin
    if p_supersedes is not null then
        v_wrong := supersede(p_house, p_supersedes, p_payer);
        if v_wrong is not null then return jsonb_build_object('outcome', v_wrong); end if;
    end if;
    foreach g in array p_grants loop
        v_wrong := refusal_by_state(p_house, g.campaign_id, g.share, g.revision, g.discount);
        if v_wrong = 'share_is_short' and p_supersedes is not null then
            perform bring_over(p_house, p_supersedes, g);
            v_wrong := refusal_by_state(p_house, g.campaign_id, g.share, g.revision, g.discount);
        end if;
        v_wrong := coalesce(v_wrong, refusal_by_limit(p_house, g));
        if v_wrong is null then
            -- The next grant of this quote sees this one, where they share a limit.
            perform count_grants(p_house, array[g], null);
            v_charged := v_charged || g;
        else
            v_refused := v_refused || jsonb_build_object(g.campaign_id, v_wrong);
        end if;
    end loop;
    if v_refused <> '{}' then
        perform uncount_grants(p_house, v_charged);   -- What this payment sees is what others used.
        raise exception 'refused' using errcode = 'MG100', detail = jsonb_build_object('outcome', 'refused', 'refused', v_refused,
            'seen', balances(p_house, array(select json_array_elements_text(p_candidates::json)), p_payer, p_device, p_payee,
                             p_day, p_hour))::text;
    end if;
    if p_grants = '{}' then return jsonb_build_object('outcome', 'none'); end if;
    perform move(p_house, 'reserve', p_grants);
    return jsonb_build_object('outcome', 'reserved');
exception
    when sqlstate 'MG100' then   -- Whatever was superseded is reserved again.
        get stacked diagnostics v_wrong = pg_exception_detail;
        return v_wrong::jsonb;
end $$;

-- Reserves a batch. Arrays q_ have a place for each request, arrays g_ for each grant, with its request's place in g_at.
-- No two requests are of one payment, and none supersedes a payment of the batch.
--
-- Afterwards each request is: reserved, or what is given for its quote id: replayed (its first outcome), refused (why, and
-- the balances seen; nothing of it was done), none (no grants asked), void, content_differs, superseded_is_captured,
-- superseded_is_another_payers. Gives up when a lock takes longer than p_patience milliseconds.
create function reserve(
    p_house bigint, p_principal text, p_lane integer, p_patience integer,
    q_quote text[], q_payment text[], q_hash bytea[], q_payer bytea[], q_device bytea[], q_payee bytea[], q_currency text[],
    q_amount bigint[], q_discount bigint[], q_decided timestamptz[], q_valid timestamptz[], q_hold timestamptz[], q_day text[],
    q_hour text[], q_snapshot text[], q_seen text[], q_benefits text[], q_supersedes text[], q_candidates text[],
    g_at integer[], g_campaign text[], g_revision text[], g_discount bigint[]) returns jsonb
    language plpgsql security definer set search_path = makegood, pg_temp set enable_seqscan = off set timezone = 'UTC'
    set bytea_output = 'hex' as $$
declare
    v_batch bigint := begin_batch(p_house);
    v_grants grants[];
    v_all grants[];            -- with those of the quotes to supersede
    v_fast grants[];           -- those that are made together
    v_out jsonb := '{}';       -- by quote id, what is not simply reserved
    v_gone text[] := '{}';     -- quote ids that have their outcome
    v_slow text[] := '{}';     -- quote ids that are decided one by one
    v_old text[] := '{}';      -- quotes to supersede
    v_flagged boolean;
    v_version bigint;
    v_outcome jsonb;
    v_stored text[];
    v_new integer;
    v_said text;
    r record;
begin
    perform set_config('lock_timeout', p_patience::text, true);
    -- 1. Whoever was answered before is answered the same, under the lock of its quote.
    if exists (select from payments where house_id = p_house and payment_id = any (q_payment)) then
        select coalesce(jsonb_object_agg(a.quote, f.outcome), '{}'), coalesce(array_agg(a.quote), '{}') into v_out, v_gone
            from first_outcomes(p_house, q_payment, q_hash) f join unnest(q_quote, q_payment) as a (quote, payment) on a.payment = f.payment_id;
    end if;
    if exists (select from unnest(q_supersedes, q_discount) as a (supersedes, discount) where supersedes is not null or discount = 0) then
        select coalesce(array_agg(a.quote), '{}'), coalesce(array_agg(p.quote_id) filter (where p.quote_id is not null), '{}')
            into v_slow, v_old
            from unnest(q_quote, q_supersedes, q_discount) as a (quote, supersedes, discount)
            left join payments p on p.house_id = p_house and p.payment_id = a.supersedes
            where (a.supersedes is not null or a.discount = 0) and a.quote <> all (v_gone);
        perform lock_quotes(p_house, v_old);
    end if;
    -- 2. What is asked, as it would be stored.
    v_grants := without(array(select (p_house, a.quote, g.campaign, g.revision, g.discount, 0, a.day, a.hour, a.payer, a.device,
                a.payee, true, s.share)::grants
        from unnest(g_at, g_campaign, g_revision, g_discount) with ordinality as g (at, campaign, revision, discount, m)
        join unnest(q_quote, q_day, q_hour, q_payer, q_device, q_payee) with ordinality as a (quote, day, hour, payer, device, payee, n)
            on a.n = g.at
        join (select c.campaign, coalesce((select p_lane % x.shares from campaigns x where x.house_id = p_house
                                           and x.campaign_id = c.campaign), 0)::smallint as share
              from (select distinct unnest(g_campaign) as campaign) c) s using (campaign) order by g.m), v_gone);
    -- 3. What is stopped or sold out at a glance is refused before it takes a lock.
    if not all_in_order(p_house, v_grants) then
        for r in select g.quote_id, jsonb_object_agg(g.campaign_id, w.why) as refused
                 from unnest(v_grants) g, lateral (
                    select refusal_by_state(p_house, g.campaign_id, g.share, g.revision, g.discount) as why) w
                 where w.why is not null and g.quote_id <> all (v_slow) group by g.quote_id loop
            v_out := v_out || jsonb_build_object(r.quote_id, (
                select jsonb_build_object('outcome', 'refused', 'refused', r.refused, 'seen', balances(
                    p_house, array(select json_array_elements_text(a.candidates::json)), a.payer, a.device, a.payee, a.day, a.hour))
                from unnest(q_quote, q_candidates, q_payer, q_device, q_payee, q_day, q_hour)
                    as a (quote, candidates, payer, device, payee, day, hour) where a.quote = r.quote_id));
            v_gone := v_gone || r.quote_id;
        end loop;
        v_grants := without(v_grants, v_gone);
    end if;
    -- 4. Rights first, then budgets: both are charged for everybody, and stay locked. Limits that were replaced between the
    --    two counted this batch by the old ones: it is done again.
    v_all := case when v_old = '{}' then v_grants else v_grants || grants_of(p_house, v_old) end;
    perform hold_limits(p_house, v_all);
    v_version := (select version from live_sets where house_id = p_house);
    if v_old <> '{}' then perform lock_rights(p_house, v_all); end if;
    v_flagged := count_grants(p_house, v_grants, true);
    perform lock_budgets(p_house, v_all);
    if v_version is distinct from (select version from live_sets where house_id = p_house) then
        raise exception 'what is live changed meanwhile' using errcode = 'serialization_failure';
    end if;
    v_flagged := count_grants(p_house, v_grants, false) or v_flagged;
    v_fast := v_grants;
    -- 5. Void where a bound would be broken: then those who break it wait, and the others are charged again.
    if v_flagged or v_slow <> '{}' or not all_in_order(p_house, v_grants) then
        perform uncount_grants(p_house, v_grants);
        v_slow := v_slow || contended(p_house, without(v_grants, v_slow));
        v_fast := without(v_grants, v_slow);
        perform count_grants(p_house, v_fast, null);
    end if;
    perform move(p_house, 'reserve', v_fast);
    v_stored := array(select distinct quote_id from unnest(v_fast));
    -- 6. The rest is decided one by one, in its order.
    if v_slow <> '{}' then
        for r in select * from unnest(q_quote, q_supersedes, q_payer, q_device, q_payee, q_day, q_hour, q_candidates) with ordinality
                     as a (quote, supersedes, payer, device, payee, day, hour, candidates, n)
                 where quote = any (v_slow) order by n loop
            v_outcome := reserve_one(p_house, array(select g from unnest(v_grants) g where g.quote_id = r.quote), r.supersedes,
                                     r.payer, r.device, r.payee, r.day, r.hour, r.candidates);
            if v_outcome ->> 'outcome' = 'reserved' then
                v_stored := v_stored || r.quote;
            else
                v_out := v_out || jsonb_build_object(r.quote, v_outcome);
                v_gone := v_gone || r.quote;
            end if;
        end loop;
        v_grants := without(v_grants, v_gone);
    end if;
    -- 7. Quotes are written, with one event and one audit row.
    if v_stored <> '{}' then
        if exists (select from (select distinct s from unnest(q_snapshot) s) d
                   where not exists (select from snapshots x where x.house_id = p_house and x.snapshot = d.s)) then
            raise exception 'a snapshot is unknown' using errcode = 'foreign_key_violation';
        end if;
        with mine as (
            insert into payments (house_id, payment_id, quote_id, content_hash)
            select p_house, a.payment, a.quote, a.hash from unnest(q_payment, q_quote, q_hash) as a (payment, quote, hash)
            join unnest(v_stored) s on s = a.quote order by a.payment collate "C"
            on conflict do nothing returning 1)
        select count(*) into v_new from mine;
        if v_new < cardinality(v_stored) then
            raise exception 'a payment was decided by somebody else meanwhile' using errcode = 'serialization_failure';
        end if;
        with mine as (
            insert into quotes (house_id, quote_id, payment_id, content_hash, payer_ref, currency, amount, discount, decided_at,
                                valid_until, hold_until, snapshot, seen, benefits)
            select p_house, a.quote, a.payment, a.hash, a.payer, a.currency, a.amount, a.discount, a.decided, a.valid, a.hold, a.snapshot,
                a.seen::json, a.benefits::json from unnest(q_quote, q_payment, q_hash, q_payer, q_currency, q_amount, q_discount, q_decided,
                q_valid, q_hold, q_snapshot, q_seen, q_benefits) as a (quote, payment, hash, payer, currency, amount, discount,
                decided, valid, hold, snapshot, seen, benefits)
            join unnest(v_stored) s on s = a.quote order by a.quote collate "C"
            returning quotes)
        select string_agg(said_by_quote(quotes), '' order by (quotes).quote_id) into v_said from mine;
        insert into grants select g.* from unnest(v_grants) g;
        perform emit_all(p_house, 'quote.reserved', v_stored);
    end if;
    if exists (select from entries where house_id = p_house and batch = v_batch
               and entry_id >= current_setting('makegood.before')::bigint) then
        perform close_batch(p_house, 1 + p_lane, p_principal, 'quotes.reserve', coalesce(v_stored[1], ''),
            jsonb_build_object('quotes', cardinality(v_stored)), coalesce(v_said || (
                select string_agg(said_by_grant(g), '' order by g.quote_id, g.campaign_id) from unnest(v_grants) g), ''));
    end if;
    return v_out;
end $$;
