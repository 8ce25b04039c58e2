-- Batches: whatever arrived while the last one was committing is decided in one transaction. The server may execute these
-- and write nothing by itself.
--
-- Locks are always taken in this order, so that no two transactions wait for each other: the house's live set, quotes by id,
-- the limits of campaigns (`hold_limits`, `lock_limits`), campaigns (administration only), rights by key (counters of payers,
-- devices, payees, and those that campaigns share), budgets by campaign and share, new payments by id, the audit head.
-- Accounts and a campaign's own totals are written under its budgets.
--
-- If the server dies before COMMIT nothing happened; if it dies after, a retry with the same id finds the outcome.

drop function batch_digest(bigint, bigint);
drop function end_batch(bigint, bigint, text, text, text, jsonb);
drop function move(bigint, text, text, text, text, text[], bigint[]);
drop function kept_counters(bigint, text), count_grant(bigint, grants), uncount_grant(bigint, grants);
drop function lock_campaigns(bigint, text[]), campaigns_of(bigint, text[]), give_back(bigint, text, text, text);
drop function refusal(bigint, jsonb, jsonb), supersede(bigint, jsonb, text[]), store_quote(bigint, jsonb);
drop function first_outcome(bigint, text, bytea), refusal_detail(bigint, jsonb, jsonb), reserve_one(bigint, jsonb, text[]);
drop function reserve(bigint, text, jsonb, integer), lock_quote(bigint, text), return_discount(bigint, quotes, bigint);
drop function capture(bigint, text, text, timestamptz, bigint, timestamptz), release(bigint, text, text);
drop function disown(bigint, text, text, text, boolean), refund(bigint, text, text, text, bigint);
drop function expire(bigint, timestamptz, integer), replay(bigint, jsonb);

-- -- one batch: its number, its audit row --------------------------------------------------------------

create or replace function begin_batch(p_house bigint) returns bigint language plpgsql
    set search_path = makegood, pg_temp as $$
declare v_batch bigint := nextval('batches');
begin
    perform set_config('makegood.house', p_house::text, true), set_config('makegood.batch', v_batch::text, true),
            set_config('makegood.before', (select last_value from entries_entry_id_seq)::text, true);
    return v_batch;
end $$;

-- What the entries of a batch say, and whose accounts they move. Only what never changes goes in, so that it can be
-- computed again at any time. Entries of this transaction are younger than those that were there before it began.
create function said_by_entries(p_house bigint, p_batch bigint) returns text language sql stable
    set search_path = makegood, pg_temp as $$
    with mine as materialized (
        select * from entries where house_id = p_house and batch = p_batch
            and entry_id >= current_setting('makegood.before')::bigint
    )
    select coalesce(string_agg((entry_id, line, kind, subject, from_account, to_account, amount)::text, '' order by entry_id, line), '')
        || '|' || coalesce((
        select string_agg((account_id, kind, campaign_id, share, funder, currency)::text, '' order by account_id)
        from accounts where house_id = p_house
            and account_id in (select from_account from mine union select to_account from mine)), '')
    from mine
$$;

-- One answer that money was reserved for, as it goes into the digest of its batch.
create function said_by_quote(q quotes) returns text language sql stable as $$
    select (q.quote_id, q.payment_id, q.content_hash, q.payer_ref, q.currency, q.amount, q.discount,
            extract(epoch from q.decided_at), extract(epoch from q.valid_until), extract(epoch from q.hold_until),
            q.snapshot, q.seen, q.benefits)::text
$$;

create function said_by_grant(g grants) returns text language sql stable as $$
    select (g.quote_id, g.campaign_id, g.revision, g.discount, g.day, g.hour, g.payer_ref, g.device_ref, g.payee_ref, g.share)::text
$$;

-- One audit row for everything that was done since `begin_batch`. p_answers: what was answered, see `said_by_quote`.
create function close_batch(p_house bigint, p_chain integer, p_principal text, p_action text, p_subject text, p_detail jsonb,
                            p_answers text) returns void language plpgsql set search_path = makegood, pg_temp as $$
declare
    v_batch bigint := current_setting('makegood.batch')::bigint;
    v_digest bytea := sha256(convert_to(said_by_entries(p_house, v_batch) || '|' || p_answers, 'UTF8'));
    v_at text := to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');
    v_head audit_heads;
    v_hash bytea;
begin
    select * into v_head from audit_heads where house_id = p_house and chain = p_chain for update;
    if v_head.house_id is null then
        insert into audit_heads (house_id, chain) values (p_house, p_chain) on conflict do nothing;
        select * into v_head from audit_heads where house_id = p_house and chain = p_chain for update;
    end if;
    v_hash := sha256(convert_to(netstring(
        encode(v_head.hash, 'hex'), p_chain::text, (v_head.seq + 1)::text, v_batch::text, v_at, p_principal, p_action, p_subject,
        p_detail::text, encode(v_digest, 'hex')), 'UTF8'));
    insert into audits (house_id, chain, seq, batch, at, principal, action, subject, detail, digest, prev, hash, form)
        values (p_house, p_chain, v_head.seq + 1, v_batch, v_at, p_principal, p_action, p_subject, p_detail::text, v_digest,
                v_head.hash, v_hash, 2);
    update audit_heads set seq = v_head.seq + 1, hash = v_hash where house_id = p_house and chain = p_chain;
end $$;

create function end_batch(p_house bigint, p_batch bigint, p_principal text, p_action text, p_subject text, p_detail jsonb)
    returns void language sql set search_path = makegood, pg_temp
    as $$ select close_batch(p_house, 0, p_principal, p_action, p_subject, p_detail, '') $$;

-- One event of a batch about several subjects, in order.
create function emit_all(p_house bigint, p_type text, p_subjects text[]) returns void language sql
    set search_path = makegood, pg_temp as $$
    insert into outbox (house_id, batch, type, subject, subjects, data)
    select p_house, current_setting('makegood.batch')::bigint, p_type, p_subjects[1], p_subjects, '{}'
    where p_subjects <> '{}'
$$;

-- -- limits and what they count -------------------------------------------------------------------------

-- The counters that a grant of a campaign is counted by, with their bounds: its limits, those of the policy that it shares
-- with others, and three that screens show. `is_right`: of a payer, a device, a payee, or shared; the row itself guards it.
-- The others are a campaign's own totals, kept under its budgets.
create function kept_counters(p_house bigint, p_campaign text)
    returns table (scope text, subject text, period text, count_max bigint, amount_max bigint, is_right boolean)
    language sql stable set search_path = makegood, pg_temp as $$
    select p_campaign, coalesce(l.subject, v.subject), coalesce(l.period, v.period), l.count_max, l.amount_max,
           coalesce(l.subject, v.subject) <> 'all'
    from (select * from limits where house_id = p_house and campaign_id = p_campaign) l
    full join (values ('all', 'ever'), ('all', 'day'), ('payer', 'ever')) v (subject, period) using (subject, period)
    union all
    select 'policy:' || s.currency || ':' || s.limit_id, s.subject, s.period, s.count_max, s.amount_max, true
    from campaigns c join shared_limits s on s.house_id = c.house_id and s.currency = c.currency
        and (s.labels is null or c.label = any (s.labels))
    where c.house_id = p_house and c.campaign_id = p_campaign
$$;

-- Whose counter it is. A campaign's totals are kept by share, so that shares do not wait for each other.
drop function counter_ref(text, bytea, bytea, bytea);
create function counter_ref(p_subject text, p_is_right boolean, p_payer bytea, p_device bytea, p_payee bytea, p_share smallint)
    returns bytea language sql immutable as $$
    select case p_subject when 'payer' then p_payer when 'device' then p_device when 'payee' then p_payee
        else case when p_is_right or p_share = 0 then ''::bytea else int2send(p_share) end end
$$;

-- Under whose name a campaign's totals are kept: one a share.
create function total_refs(p_house bigint, p_campaign text) returns bytea[] language sql stable
    set search_path = makegood, pg_temp as $$
    select array_agg(case share when 0 then ''::bytea else int2send(share) end)
    from budgets where house_id = p_house and campaign_id = p_campaign
$$;

-- What some grants are counted by: one row a counter, with what they add to it. p_rights: rights or totals, null both.
create function counted_by(p_house bigint, p_grants grants[], p_rights boolean)
    returns table (scope text, subject text, period text, ref bytea, slot text, count bigint, amount bigint)
    language sql stable set search_path = makegood, pg_temp as $$
    with kept as materialized (
        select c.campaign_id, k.* from (select distinct campaign_id from unnest(p_grants)) c,
            lateral kept_counters(p_house, c.campaign_id) k
        where p_rights is null or k.is_right = p_rights
    )
    select k.scope, k.subject, k.period, r.ref, counter_slot(k.period, g.day, g.hour), count(*), sum(g.discount)::bigint
    from unnest(p_grants) g join kept k using (campaign_id), lateral (
        select counter_ref(k.subject, k.is_right, g.payer_ref, g.device_ref, g.payee_ref, g.share) as ref) r
    where r.ref is not null
    group by 1, 2, 3, 4, 5
$$;

-- Charges counters, in the order of their key; gives whether one of them is now above its bound.
create function count_grants(p_house bigint, p_grants grants[], p_rights boolean) returns boolean language sql
    set search_path = makegood, pg_temp as $$
    with charged as (
        insert into counters as c (house_id, campaign_id, subject, period, ref, slot, count, amount)
        select p_house, scope, subject, period, ref, slot, count, amount from counted_by(p_house, p_grants, p_rights)
            order by slot collate "C", ref, scope collate "C", subject collate "C", period collate "C"
        on conflict (house_id, ref, campaign_id, subject, period, slot)
            do update set count = c.count + excluded.count, amount = c.amount + excluded.amount
        returning campaign_id, subject, period, c.count, c.amount
    ), most as (
        select campaign_id, subject, period, max(count) as count, max(amount) as amount from charged group by 1, 2, 3
    )
    select coalesce(bool_or(m.count > k.count_max or m.amount > k.amount_max
        -- Shares that were joined counted in rows of their own: `contended` looks at all of them.
        or not k.is_right and coalesce(k.count_max, k.amount_max) is not null and exists (
            select from budgets b where b.house_id = p_house and b.campaign_id = g.campaign_id and b.share > 0)), false)
    from (select distinct campaign_id from unnest(p_grants)) g, lateral kept_counters(p_house, g.campaign_id) k
    join most m on m.campaign_id = k.scope and m.subject = k.subject and m.period = k.period
$$;

-- Gives counts back. The caller holds the locks of rights and budgets. A counter that counts nothing any more goes.
create function uncount_grants(p_house bigint, p_grants grants[]) returns void language plpgsql
    set search_path = makegood, pg_temp as $$
begin
    update counters c set count = c.count - k.count, amount = c.amount - k.amount
        from counted_by(p_house, p_grants, null) k
        where c.house_id = p_house and c.campaign_id = k.scope and c.subject = k.subject and c.period = k.period
          and c.ref = k.ref and c.slot = k.slot;
    delete from counters c using counted_by(p_house, p_grants, null) k
        where c.house_id = p_house and c.campaign_id = k.scope and c.subject = k.subject and c.period = k.period
          and c.ref = k.ref and c.slot = k.slot and c.count = 0;
end $$;

-- Who charges rights holds off whoever replaces the limits of these campaigns, who comes with budgets to the counters.
create function hold_limits(p_house bigint, p_grants grants[]) returns void language plpgsql
    set search_path = makegood, pg_temp as $$
begin
    perform pg_advisory_xact_lock_shared(hashtextextended('limits ' || campaign_id, p_house))
        from (select distinct campaign_id from unnest(p_grants) order by 1) c;
end $$;

-- Waits for those, and keeps others from coming, until the transaction ends. The caller holds the house's lock and no budget.
create function lock_limits(p_house bigint, p_campaigns text[]) returns void language plpgsql
    set search_path = makegood, pg_temp as $$
begin
    perform pg_advisory_xact_lock(hashtextextended('limits ' || c, p_house))
        from (select distinct c from unnest(p_campaigns) c order by 1) d;
end $$;

create function lock_rights(p_house bigint, p_grants grants[]) returns void language plpgsql
    set search_path = makegood, pg_temp as $$
begin
    perform hold_limits(p_house, p_grants);
    perform from counted_by(p_house, p_grants, true) k join counters c
        on c.campaign_id = k.scope and c.subject = k.subject and c.period = k.period and c.ref = k.ref and c.slot = k.slot
        where c.house_id = p_house
        order by c.slot, c.ref, c.campaign_id, c.subject, c.period for update of c;
end $$;

-- -- quotes and budgets ---------------------------------------------------------------------------------

-- For administration: the campaign and all of its budgets.
create function lock_campaigns(p_house bigint, p_campaigns text[]) returns void language plpgsql
    set search_path = makegood, pg_temp as $$
begin
    perform from campaigns where house_id = p_house and campaign_id = any (p_campaigns) order by campaign_id for update;
    perform from budgets where house_id = p_house and campaign_id = any (p_campaigns) order by campaign_id, share for update;
end $$;

create function lock_budgets(p_house bigint, p_grants grants[]) returns void language plpgsql
    set search_path = makegood, pg_temp as $$
begin
    perform from budgets b join (select distinct campaign_id, share from unnest(p_grants)) g using (campaign_id, share)
        where b.house_id = p_house order by b.campaign_id, b.share for update of b;
end $$;

create function lock_quotes(p_house bigint, p_quotes text[]) returns void language plpgsql
    set search_path = makegood, pg_temp as $$
begin
    perform from quotes where house_id = p_house and quote_id = any (p_quotes) order by quote_id for update;
end $$;

create function grants_of(p_house bigint, p_quotes text[]) returns grants[] language sql stable
    set search_path = makegood, pg_temp as $$
    select coalesce(array_agg(g::grants order by g.quote_id, g.campaign_id), '{}') from unnest(p_quotes) q,
        lateral (select * from grants where house_id = p_house and quote_id = q offset 0) g
$$;

-- One entry a grant, between two accounts of its budget; `holds` follows.
create function move(p_house bigint, p_kind text, p_grants grants[]) returns void language plpgsql
    set search_path = makegood, pg_temp as $$
begin
    insert into entries (house_id, batch, kind, subject, from_account, to_account, amount, at)
        select p_house, current_setting('makegood.batch')::bigint, p_kind, g.quote_id,
            case p_kind when 'reserve' then b.stage else b.reserved end,
            case p_kind when 'reserve' then b.reserved when 'capture' then b.granted else b.stage end, g.discount, clock_timestamp()
        from unnest(p_grants) g join budgets b on b.house_id = p_house and b.campaign_id = g.campaign_id and b.share = g.share;
    update budgets b set holds = b.holds + case p_kind when 'reserve' then n.count else -n.count end
        from (select campaign_id, share, count(*) from unnest(p_grants) group by campaign_id, share) n
        where b.house_id = p_house and b.campaign_id = n.campaign_id and b.share = n.share;
end $$;

-- Ends holds: their money returns to the stages, their counts to the days they were charged to. The caller holds the locks
-- of the quotes and of their rights.
create function give_back(p_house bigint, p_quotes text[], p_state text, p_kind text) returns void language plpgsql
    set search_path = makegood, pg_temp as $$
declare v_grants grants[] := grants_of(p_house, p_quotes);
begin
    if p_quotes = '{}' then return; end if;
    perform lock_budgets(p_house, v_grants);
    update quotes set state = p_state where house_id = p_house and quote_id = any (p_quotes);
    perform move(p_house, p_kind, v_grants);
    perform uncount_grants(p_house, v_grants);
    update grants set counted = false where house_id = p_house and quote_id = any (p_quotes);
    perform emit_all(p_house, 'quote.' || p_state, p_quotes);
end $$;

-- What a payment with these references, on this day and hour, sees of campaigns:
-- {campaign: {budget, stage, used: [[subject, period, count, amount]], shared: {limit_id: [count, amount]}}}, minor units.
create or replace function balances(p_house bigint, p_campaigns text[], p_payer bytea, p_device bytea, p_payee bytea, p_day text, p_hour text)
    returns jsonb language plpgsql stable security definer set search_path = makegood, pg_temp as $$
begin
    perform set_config('makegood.house', p_house::text, true);
    return (
        select coalesce(jsonb_object_agg(c.campaign_id, jsonb_build_object(
            'budget', m.budget + m.stage, 'stage', m.stage,
            'used', (select coalesce(jsonb_agg(jsonb_build_array(u.subject, u.period, u.count, u.amount)), '[]') from (
                select k.subject, k.period, sum(k.count) as count, sum(k.amount) as amount from counters k
                where k.house_id = p_house and k.campaign_id = c.campaign_id and k.slot = counter_slot(k.period, p_day, p_hour)
                  and k.ref = any (total_refs(p_house, c.campaign_id) || array[p_payer, p_device, p_payee])
                  and (k.subject = 'all' or k.ref = counter_ref(k.subject, true, p_payer, p_device, p_payee, 0::smallint))
                group by k.subject, k.period) u),
            'shared', (select coalesce(jsonb_object_agg(s.limit_id, jsonb_build_array(k.count, k.amount)), '{}') from shared_limits s
                join counters k on k.house_id = p_house and k.campaign_id = 'policy:' || s.currency || ':' || s.limit_id
                    and k.subject = s.subject and k.period = s.period and k.slot = counter_slot(s.period, p_day, p_hour)
                    and k.ref = counter_ref(s.subject, true, p_payer, p_device, p_payee, 0::smallint)
                where s.house_id = p_house and s.currency = c.currency and (s.labels is null or c.label = any (s.labels))))), '{}')
        from campaigns c, lateral (
            select coalesce(sum(balance) filter (where kind = 'budget'), 0) as budget,
                   coalesce(sum(balance) filter (where kind = 'stage'), 0) as stage
            from accounts where house_id = p_house and campaign_id = c.campaign_id) m
        where c.house_id = p_house and c.campaign_id = any (p_campaigns));
end $$;
