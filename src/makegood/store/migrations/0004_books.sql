-- The parts that everything which moves money is made of: batches, entries, counters, locks.
--
-- Locks are always taken in this order, so that no two transactions wait for each other: the house's live set, campaigns
-- (by id), payments (by id) with their quotes, counters and accounts (under their campaign), the audit head.

-- -- one batch: its number, its audit row --------------------------------------------------------------

create function begin_batch(p_house bigint) returns bigint language plpgsql
    set search_path = makegood, pg_temp as $$
declare v_batch bigint := nextval('batches');
begin
    perform set_config('makegood.house', p_house::text, true);
    perform set_config('makegood.batch', v_batch::text, true);
    return v_batch;
end $$;

-- Each part behind its length in characters, so that no two lists of parts make the same text.
create function netstring(variadic parts text[]) returns text language sql immutable parallel safe
    as $$ select string_agg(length(part) || ':' || part, ',' order by n) from unnest(parts) with ordinality as p (part, n) $$;

-- What a batch did, as one hash: every posting with whose account it moves, and every answer it reserved money for, with
-- its grants. Only what never changes afterwards goes in, so that it can be computed again at any time.
create function batch_digest(p_house bigint, p_batch bigint) returns bytea language sql stable
    set search_path = makegood, pg_temp as $$
    select sha256(convert_to(coalesce((
        select string_agg(netstring(
            e.entry_id::text, e.kind, e.subject, p.account_id::text, a.kind, a.campaign_id, coalesce(a.funder, ''),
            a.currency, p.amount::text), ';' order by p.entry_id, p.account_id)
        from entries e join postings p using (house_id, entry_id) join accounts a using (house_id, account_id)
        where e.house_id = p_house and e.batch = p_batch), '') || '|' || coalesce((
        select string_agg(netstring(
            q.quote_id, q.payment_id, encode(q.content_hash, 'hex'), coalesce(encode(q.payer_ref, 'hex'), ''), q.currency,
            q.amount::text, q.discount::text, extract(epoch from q.decided_at)::text,
            extract(epoch from q.valid_until)::text, extract(epoch from q.hold_until)::text, q.snapshot, q.seen::text,
            q.benefits::text, g.campaign_id, g.revision, g.discount::text, g.day, g.hour,
            coalesce(encode(g.payer_ref, 'hex'), ''), coalesce(encode(g.device_ref, 'hex'), ''),
            encode(g.payee_ref, 'hex')), ';'
            order by g.quote_id collate "C", g.campaign_id collate "C")
        from entries e join quotes q on q.house_id = e.house_id and q.quote_id = e.subject
        join grants g on g.house_id = q.house_id and g.quote_id = q.quote_id
        where e.house_id = p_house and e.batch = p_batch and e.kind = 'reserve'), ''), 'UTF8'))
$$;

create function end_batch(p_house bigint, p_batch bigint, p_principal text, p_action text, p_subject text, p_detail jsonb)
    returns void language plpgsql set search_path = makegood, pg_temp as $$
declare
    v_head audit_heads;
    v_at text;
    v_digest bytea := batch_digest(p_house, p_batch);
    v_hash bytea;
begin
    insert into audit_heads (house_id) values (p_house) on conflict do nothing;
    select * into v_head from audit_heads where house_id = p_house for update;
    v_at := to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');
    v_hash := sha256(convert_to(netstring(
        encode(v_head.hash, 'hex'), (v_head.seq + 1)::text, p_batch::text, v_at, p_principal, p_action, p_subject,
        p_detail::text, encode(v_digest, 'hex')), 'UTF8'));
    insert into audits values (p_house, v_head.seq + 1, p_batch, v_at, p_principal, p_action, p_subject,
        p_detail::text, v_digest, v_head.hash, v_hash);
    update audit_heads set seq = v_head.seq + 1, hash = v_hash where house_id = p_house;
end $$;

create function emit(p_house bigint, p_type text, p_subject text, p_data jsonb) returns void language sql
    set search_path = makegood, pg_temp as $$
    insert into outbox (house_id, batch, type, subject, data)
    values (p_house, current_setting('makegood.batch')::bigint, p_type, p_subject, p_data)
$$;

-- -- entries and counters ------------------------------------------------------------------------------

-- One entry that moves, for each grant of a quote, `amount` from one account kind of its campaign to another.
create function move(p_house bigint, p_kind text, p_quote text, p_from text, p_to text, p_campaigns text[], p_amounts bigint[])
    returns void language plpgsql set search_path = makegood, pg_temp as $$
declare v_entry bigint;
begin
    if not exists (select from unnest(p_amounts) a where a > 0) then return; end if;
    insert into entries (house_id, batch, kind, subject, at)
        values (p_house, current_setting('makegood.batch')::bigint, p_kind, p_quote, clock_timestamp())
        returning entry_id into v_entry;
    insert into postings (house_id, entry_id, account_id, amount)
        select p_house, v_entry, a.account_id, case when a.kind = p_from then -m.amount else m.amount end
        from unnest(p_campaigns, p_amounts) as m (campaign_id, amount)
        join accounts a on a.house_id = p_house and a.campaign_id = m.campaign_id and a.kind in (p_from, p_to)
        where m.amount > 0;
end $$;

-- The counters that a campaign keeps: those of its limits, and three that screens show.
create function kept_counters(p_house bigint, p_campaign text) returns table (subject text, period text) language sql stable
    set search_path = makegood, pg_temp as $$
    select l.subject, l.period from limits l where l.house_id = p_house and l.campaign_id = p_campaign
    union values ('all', 'ever'), ('all', 'day'), ('payer', 'ever')
$$;

create function counter_ref(p_subject text, p_payer bytea, p_device bytea, p_payee bytea) returns bytea language sql immutable
    as $$ select case p_subject when 'all' then ''::bytea when 'payer' then p_payer when 'device' then p_device else p_payee end $$;

create function counter_slot(p_period text, p_day text, p_hour text) returns text language sql immutable
    as $$ select case p_period when 'ever' then '' when 'day' then p_day else p_hour end $$;

create function count_grant(p_house bigint, g grants) returns void language sql set search_path = makegood, pg_temp as $$
    insert into counters as c (house_id, campaign_id, subject, period, ref, slot, count, amount)
    select p_house, g.campaign_id, k.subject, k.period, r.ref, counter_slot(k.period, g.day, g.hour), 1, g.discount
    from kept_counters(p_house, g.campaign_id) k,
         lateral (select counter_ref(k.subject, g.payer_ref, g.device_ref, g.payee_ref) as ref) r
    where r.ref is not null
    on conflict (house_id, campaign_id, subject, period, ref, slot)
        do update set count = c.count + 1, amount = c.amount + excluded.amount
$$;

create function uncount_grant(p_house bigint, g grants) returns void language sql set search_path = makegood, pg_temp as $$
    update counters c set count = c.count - 1, amount = c.amount - g.discount
    from kept_counters(p_house, g.campaign_id) k
    where c.house_id = p_house and c.campaign_id = g.campaign_id and c.subject = k.subject and c.period = k.period
      and c.ref = counter_ref(k.subject, g.payer_ref, g.device_ref, g.payee_ref)
      and c.slot = counter_slot(k.period, g.day, g.hour);
    update grants set counted = false
    where house_id = p_house and quote_id = g.quote_id and campaign_id = g.campaign_id;
$$;

-- Payments whose caller was answered full price while nobody knew whether a hold would still commit. One that comes after
-- is not made: the payment answers full price for ever.
create table closed_payments (
    house_id   bigint not null references houses,
    payment_id text   not null,
    at         timestamptz not null default now(),
    primary key (house_id, payment_id)
);
call keep_houses_apart('closed_payments');
grant select on closed_payments to makegood_app;

-- Whoever decides on a payment id holds this until the end of the transaction; it is taken after the campaigns.
create function lock_payment(p_house bigint, p_payment text) returns void language sql
    as $$ select pg_advisory_xact_lock(hashtextextended(p_payment, p_house)) $$;
