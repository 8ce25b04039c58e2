-- Quotes and their ends. The server may execute these and write nothing by itself.
--
-- If the server dies before COMMIT nothing happened; if it dies after, a retry with the same id finds the outcome.

create function quote_json(q quotes) returns jsonb language sql stable set search_path = makegood, pg_temp as $$
    select jsonb_build_object(
        'quote_id', q.quote_id, 'payment_id', q.payment_id, 'currency', q.currency, 'amount', q.amount,
        'discount', q.discount, 'decided_at', q.decided_at, 'valid_until', q.valid_until, 'hold_until', q.hold_until,
        'snapshot', q.snapshot, 'benefits', q.benefits, 'state', q.state, 'captured', q.captured, 'paid_at', q.paid_at,
        'refunded', q.refunded, 'returned', q.returned)
$$;

create function lock_campaigns(p_house bigint, p_campaigns text[]) returns void language plpgsql
    set search_path = makegood, pg_temp as $$
begin
    perform from campaigns where house_id = p_house and campaign_id = any (p_campaigns) order by campaign_id for update;
end $$;

create function campaigns_of(p_house bigint, p_quotes text[]) returns text[] language sql stable
    set search_path = makegood, pg_temp as $$
    select coalesce(array_agg(distinct campaign_id), '{}') from grants where house_id = p_house and quote_id = any (p_quotes)
$$;

-- Ends a hold: its money returns to the open stage, its counts to the day they were charged to.
-- The caller holds the locks of the quote and of its campaigns.
create function give_back(p_house bigint, p_quote text, p_state text, p_kind text) returns void language plpgsql
    set search_path = makegood, pg_temp as $$
declare g grants;
begin
    update quotes set state = p_state where house_id = p_house and quote_id = p_quote;
    perform move(p_house, p_kind, p_quote, 'reserved', 'stage', array_agg(campaign_id), array_agg(discount))
        from grants where house_id = p_house and quote_id = p_quote;
    for g in select * from grants where house_id = p_house and quote_id = p_quote loop
        perform uncount_grant(p_house, g);
    end loop;
    perform emit(p_house, 'quote.' || p_state, p_quote, jsonb_build_object('quote_id', p_quote));
end $$;

create function balance_of(p_house bigint, p_campaign text, p_kind text) returns bigint language sql stable
    set search_path = makegood, pg_temp as $$
    select coalesce(sum(balance), 0)::bigint from accounts
    where house_id = p_house and campaign_id = p_campaign and kind = p_kind
$$;

-- What a payment with these references, on this day and hour, sees of campaigns:
-- {campaign: {budget, stage, used: [[subject, period, count, amount]]}}, minor units.
create function balances(p_house bigint, p_campaigns text[], p_payer bytea, p_device bytea, p_payee bytea, p_day text, p_hour text)
    returns jsonb language plpgsql stable security definer set search_path = makegood, pg_temp as $$
begin
    perform set_config('makegood.house', p_house::text, true);
    return (
        select coalesce(jsonb_object_agg(c.campaign_id, jsonb_build_object(
            'budget', balance_of(p_house, c.campaign_id, 'budget') + balance_of(p_house, c.campaign_id, 'stage'),
            'stage', balance_of(p_house, c.campaign_id, 'stage'),
            'used', (select coalesce(jsonb_agg(jsonb_build_array(k.subject, k.period, k.count, k.amount)), '[]')
                from counters k
                where k.house_id = p_house and k.campaign_id = c.campaign_id
                  and k.ref = counter_ref(k.subject, p_payer, p_device, p_payee)
                  and k.slot = counter_slot(k.period, p_day, p_hour)))), '{}')
        from campaigns c where c.house_id = p_house and c.campaign_id = any (p_campaigns));
end $$;

-- Why the store refuses a grant, or null. The caller holds the campaign's lock.
create function refusal(p_house bigint, p_request jsonb, p_grant jsonb) returns text language plpgsql stable
    set search_path = makegood, pg_temp as $$
declare
    v_campaign campaigns;
    v_discount bigint := (p_grant ->> 'discount')::bigint;
    v_stage bigint;
    v_budget bigint;
    v_reason text;
begin
    select * into v_campaign from campaigns where house_id = p_house and campaign_id = p_grant ->> 'campaign';
    if v_campaign.campaign_id is null or v_campaign.live is distinct from p_grant ->> 'revision' then return 'stale'; end if;
    if v_campaign.stopped then return 'campaign_is_stopped'; end if;
    select sum(balance) filter (where kind = 'stage'), sum(balance) filter (where kind = 'budget') into v_stage, v_budget
        from accounts where house_id = p_house and campaign_id = v_campaign.campaign_id;
    if v_stage + v_budget < v_discount then return 'budget_is_exhausted'; end if;
    if v_stage < v_discount then return 'stage_is_exhausted'; end if;
    select case
            when x.ref is null then x.subject || '_is_unknown'
            when x.subject = 'all' and x.period = 'ever' then 'limit_is_reached'
            when x.subject = 'all' then x.period || '_limit_is_reached'
            else x.subject || '_limit_is_reached' end as reason
        into v_reason
        from (
            select l.*, counter_ref(l.subject, decode(p_request ->> 'payer_ref', 'hex'),
                decode(p_request ->> 'device_ref', 'hex'), decode(p_request ->> 'payee_ref', 'hex')) as ref
            from limits l where l.house_id = p_house and l.campaign_id = v_campaign.campaign_id
        ) x
        left join counters c on c.house_id = p_house and c.campaign_id = x.campaign_id and c.subject = x.subject
            and c.period = x.period and c.ref = x.ref
            and c.slot = counter_slot(x.period, p_request ->> 'day', p_request ->> 'hour')
        where x.ref is null
           or coalesce(c.count, 0) + 1 > x.count_max
           or coalesce(c.amount, 0) + v_discount > x.amount_max
        order by x.ref is not null, array_position(array['all', 'payer', 'device', 'payee'], x.subject),
                 array_position(array['ever', 'day', 'hour'], x.period)
        limit 1;
    return v_reason;
end $$;

-- Releases the quote of an abandoned checkout of the same payer, or says why not. Null: released, or nothing to release.
create function supersede(p_house bigint, p_request jsonb, p_locked text[]) returns text language plpgsql
    set search_path = makegood, pg_temp as $$
declare v_old quotes;
begin
    select * into v_old from quotes where house_id = p_house and payment_id = p_request ->> 'supersedes' for update;
    if v_old.quote_id is null then return null; end if;
    if not campaigns_of(p_house, array[v_old.quote_id]) <@ p_locked then
        raise exception 'it was reserved after the campaigns were locked' using errcode = 'serialization_failure';
    end if;
    if v_old.payer_ref is null or v_old.payer_ref is distinct from decode(p_request ->> 'payer_ref', 'hex') then
        return 'superseded_is_another_payers';
    end if;
    if v_old.state = 'captured' then return 'superseded_is_captured'; end if;
    if v_old.state = 'reserved' then perform give_back(p_house, v_old.quote_id, 'released', 'release'); end if;
    return null;
end $$;

create function store_quote(p_house bigint, r jsonb) returns quotes language plpgsql
    set search_path = makegood, pg_temp as $$
declare
    v_quote quotes;
    g grants;
begin
    insert into quotes (house_id, quote_id, payment_id, content_hash, payer_ref, currency, amount, discount, decided_at,
                        valid_until, hold_until, snapshot, seen, benefits)
    values (p_house, r ->> 'quote_id', r ->> 'payment_id', decode(r ->> 'content_hash', 'hex'),
            decode(r ->> 'payer_ref', 'hex'), r ->> 'currency', (r ->> 'amount')::bigint,
            (select sum((x ->> 'discount')::bigint) from jsonb_array_elements(r -> 'grants') x),
            (r ->> 'decided_at')::timestamptz, (r ->> 'valid_until')::timestamptz, (r ->> 'hold_until')::timestamptz,
            r ->> 'snapshot', r -> 'seen', r -> 'benefits')
    returning * into v_quote;
    for g in
        insert into grants (house_id, quote_id, campaign_id, revision, discount, day, hour, payer_ref, device_ref, payee_ref)
        select p_house, v_quote.quote_id, x ->> 'campaign', x ->> 'revision', (x ->> 'discount')::bigint, r ->> 'day',
               r ->> 'hour', decode(r ->> 'payer_ref', 'hex'), decode(r ->> 'device_ref', 'hex'),
               decode(r ->> 'payee_ref', 'hex')
        from jsonb_array_elements(r -> 'grants') x order by x ->> 'campaign' returning *
    loop
        perform count_grant(p_house, g);
    end loop;
    perform move(p_house, 'reserve', v_quote.quote_id, 'stage', 'reserved', array_agg(x ->> 'campaign'),
                 array_agg((x ->> 'discount')::bigint)) from jsonb_array_elements(r -> 'grants') x;
    perform emit(p_house, 'quote.reserved', v_quote.quote_id, quote_json(v_quote));
    return v_quote;
end $$;

-- The first outcome of a payment id, for a retry; null where there is none. Whoever is answered with a hold claims it.
create function first_outcome(p_house bigint, p_payment text, p_hash bytea) returns jsonb language plpgsql
    set search_path = makegood, pg_temp as $$
declare v_quote quotes;
begin
    if exists (select from closed_payments where house_id = p_house and payment_id = p_payment) then
        return jsonb_build_object('outcome', 'void');
    end if;
    select * into v_quote from quotes where house_id = p_house and payment_id = p_payment for update;
    if v_quote.quote_id is null then return null; end if;
    if v_quote.content_hash <> p_hash then return jsonb_build_object('outcome', 'content_differs'); end if;
    if v_quote.state = 'void' then return jsonb_build_object('outcome', 'void'); end if;
    update quotes set claims = claims + 1
        where house_id = p_house and quote_id = v_quote.quote_id and state = 'reserved';
    return jsonb_build_object('outcome', 'replayed', 'quote', quote_json(v_quote));
end $$;

-- What a refusal tells: why, by campaign, and the balances as they were seen, with what was superseded given back.
create function refusal_detail(p_house bigint, r jsonb, p_refused jsonb) returns text language sql
    set search_path = makegood, pg_temp as $$
    select jsonb_build_object('outcome', 'refused', 'refused', p_refused, 'seen', balances(
        p_house, (select coalesce(array_agg(c), '{}') from jsonb_array_elements_text(r -> 'candidates') c),
        decode(r ->> 'payer_ref', 'hex'), decode(r ->> 'device_ref', 'hex'), decode(r ->> 'payee_ref', 'hex'),
        r ->> 'day', r ->> 'hour'))::text
$$;

create function reserve_one(p_house bigint, r jsonb, p_locked text[]) returns jsonb language plpgsql
    set search_path = makegood, pg_temp as $$
declare
    v_first jsonb;
    v_wrong text;
    v_refused jsonb;
    v_quote quotes;
begin
    perform lock_payment(p_house, r ->> 'payment_id');
    v_first := first_outcome(p_house, r ->> 'payment_id', decode(r ->> 'content_hash', 'hex'));
    if v_first is not null then return v_first; end if;
    if r ->> 'supersedes' is not null then
        v_wrong := supersede(p_house, r, p_locked);
        if v_wrong is not null then return jsonb_build_object('outcome', v_wrong); end if;
    end if;
    select jsonb_object_agg(x ->> 'campaign', y.reason) into v_refused
        from jsonb_array_elements(r -> 'grants') x, lateral (select refusal(p_house, r, x) as reason) y
        where y.reason is not null;
    if v_refused is not null then
        raise exception 'refused' using errcode = 'MG100', detail = refusal_detail(p_house, r, v_refused);
    end if;
    if jsonb_array_length(r -> 'grants') = 0 then return jsonb_build_object('outcome', 'none'); end if;
    v_quote := store_quote(p_house, r);
    return jsonb_build_object('outcome', 'reserved', 'quote', quote_json(v_quote));
exception
    when sqlstate 'MG100' then   -- Whatever was superseded is reserved again.
        get stacked diagnostics v_wrong = pg_exception_detail;
        return v_wrong::jsonb;
end $$;

-- Reserves a batch. Afterwards each request, in order, is: reserved, replayed (its first outcome), refused (why, and the
-- balances seen; nothing of it was done), none (no grants asked), void, content_differs, superseded_is_captured,
-- superseded_is_another_payers. Gives up when a lock takes longer than p_patience milliseconds.
create function reserve(p_house bigint, p_principal text, p_requests jsonb, p_patience integer) returns jsonb
    language plpgsql security definer set search_path = makegood, pg_temp as $$
declare
    v_batch bigint := begin_batch(p_house);
    v_locked text[];
    v_results jsonb[] := array_fill(null::jsonb, array[jsonb_array_length(p_requests)]);
    v_reserved text[] := '{}';
    r record;
begin
    perform set_config('lock_timeout', p_patience::text, true);
    -- 1. Lock every campaign that may be touched, also those of superseded quotes.
    v_locked := coalesce((
        select array_agg(distinct g ->> 'campaign')
        from jsonb_array_elements(p_requests) x, jsonb_array_elements(x -> 'grants') g), '{}')
        || campaigns_of(p_house, (
        select coalesce(array_agg(q.quote_id), '{}')
        from jsonb_array_elements(p_requests) x
        join quotes q on q.house_id = p_house and q.payment_id = x ->> 'supersedes'));
    perform lock_campaigns(p_house, v_locked);
    -- 2. Decide each payment, by payment id, so that two batches meet their payments in one order.
    for r in select x as request, n from jsonb_array_elements(p_requests) with ordinality as t (x, n)
             order by x ->> 'payment_id', n loop
        v_results[r.n] := reserve_one(p_house, r.request, v_locked);
        if v_results[r.n] ->> 'outcome' = 'reserved' then v_reserved := v_reserved || (r.request ->> 'quote_id'); end if;
    end loop;
    -- 3. One audit row, if anything was written.
    if exists (select from entries where house_id = p_house and batch = v_batch) then
        perform end_batch(p_house, v_batch, p_principal, 'quotes.reserve', coalesce(v_reserved[1], ''),
                          jsonb_build_object('quotes', v_reserved));
    end if;
    return to_jsonb(v_results);
end $$;

-- Locks a quote with its campaigns; null where it is unknown.
create function lock_quote(p_house bigint, p_quote text) returns quotes language plpgsql
    set search_path = makegood, pg_temp as $$
declare v_quote quotes;
begin
    perform lock_campaigns(p_house, campaigns_of(p_house, array[p_quote]));
    select * into v_quote from quotes where house_id = p_house and quote_id = p_quote for update;
    return v_quote;
end $$;

-- Returns discount to the open stage so that, of each grant, floor(discount x refunded / amount) was returned in all,
-- and everything once the whole amount was refunded. Gives what was returned now, by campaign.
create function return_discount(p_house bigint, p_quote quotes, p_refunded bigint) returns jsonb language plpgsql
    set search_path = makegood, pg_temp as $$
declare
    v_campaigns text[];
    v_amounts bigint[];
begin
    select array_agg(campaign_id order by campaign_id), array_agg(target - returned order by campaign_id)
        into v_campaigns, v_amounts
        from (select campaign_id, returned, case when p_refunded = p_quote.amount then discount
              else floor(discount::numeric * p_refunded / p_quote.amount)::bigint end as target
              from grants where house_id = p_house and quote_id = p_quote.quote_id) t;
    perform move(p_house, 'refund', p_quote.quote_id, 'granted', 'stage', v_campaigns, v_amounts);
    update grants g set returned = g.returned + m.amount
        from unnest(v_campaigns, v_amounts) as m (campaign_id, amount)
        where g.house_id = p_house and g.quote_id = p_quote.quote_id and g.campaign_id = m.campaign_id;
    update quotes set refunded = p_refunded, returned = returned + (select sum(a) from unnest(v_amounts) a)
        where house_id = p_house and quote_id = p_quote.quote_id;
    return (select jsonb_agg(jsonb_build_object('campaign', c, 'returned', a) order by c)
            from unnest(v_campaigns, v_amounts) as m (c, a));
end $$;

-- Captures a quote. `p_paid_at` decides whether it was paid in time, `p_now` whether its hold still stands.
create function capture(p_house bigint, p_principal text, p_quote text, p_paid_at timestamptz, p_captured bigint,
                        p_now timestamptz) returns jsonb language plpgsql security definer
    set search_path = makegood, pg_temp as $$
declare
    v_batch bigint := begin_batch(p_house);
    v_quote quotes := lock_quote(p_house, p_quote);
    v_captured bigint := coalesce(p_captured, v_quote.amount);
begin
    if v_quote.quote_id is null or v_quote.state = 'void' then return jsonb_build_object('outcome', 'not_found'); end if;
    if v_quote.state = 'captured' then
        if v_quote.captured <> v_captured then return jsonb_build_object('outcome', 'content_differs'); end if;
        return jsonb_build_object('outcome', 'done', 'quote', quote_json(v_quote));
    end if;
    if v_quote.state = 'released' then return jsonb_build_object('outcome', 'quote_is_released'); end if;
    if v_quote.state = 'expired' or coalesce(p_paid_at, p_now, v_quote.decided_at) > v_quote.valid_until
        or p_now > v_quote.hold_until then
        return jsonb_build_object('outcome', 'quote_has_expired', 'quote', quote_json(v_quote));
    end if;
    if p_paid_at < v_quote.decided_at - interval '5 minutes' then
        return jsonb_build_object('outcome', 'paid_too_early', 'quote', quote_json(v_quote));
    end if;
    if v_captured > v_quote.amount then return jsonb_build_object('outcome', 'capture_exceeds_quote', 'quote', quote_json(v_quote)); end if;
    update quotes set state = 'captured', captured = v_captured, paid_at = coalesce(p_paid_at, p_now, v_quote.decided_at)
        where house_id = p_house and quote_id = p_quote;
    perform move(p_house, 'capture', p_quote, 'reserved', 'granted', array_agg(campaign_id), array_agg(discount))
        from grants where house_id = p_house and quote_id = p_quote;
    if v_captured < v_quote.amount then
        perform return_discount(p_house, v_quote, v_quote.amount - v_captured);
    end if;
    select * into v_quote from quotes where house_id = p_house and quote_id = p_quote;
    perform emit(p_house, 'quote.captured', p_quote, quote_json(v_quote));
    perform end_batch(p_house, v_batch, p_principal, 'quote.capture', p_quote, jsonb_build_object('captured', v_captured));
    return jsonb_build_object('outcome', 'done', 'quote', quote_json(v_quote));
end $$;

create function release(p_house bigint, p_principal text, p_quote text) returns jsonb language plpgsql security definer
    set search_path = makegood, pg_temp as $$
declare
    v_batch bigint := begin_batch(p_house);
    v_quote quotes := lock_quote(p_house, p_quote);
begin
    if v_quote.quote_id is null or v_quote.state = 'void' then return jsonb_build_object('outcome', 'not_found'); end if;
    if v_quote.state = 'captured' then return jsonb_build_object('outcome', 'quote_is_captured'); end if;
    if v_quote.state = 'reserved' then
        perform give_back(p_house, p_quote, 'released', 'release');
        perform end_batch(p_house, v_batch, p_principal, 'quote.release', p_quote, '{}');
        select * into v_quote from quotes where house_id = p_house and quote_id = p_quote;
    end if;
    return jsonb_build_object('outcome', 'done', 'quote', quote_json(v_quote));
end $$;

-- A caller was answered full price although a hold may have been made for it, or may still be. `p_touched`: this caller's
-- try is known to have claimed the hold. Once nobody claims it, it is void, its money returns, and its payment id answers
-- full price for ever; so it does where there is no hold yet.
create function disown(p_house bigint, p_principal text, p_payment text, p_quote text, p_touched boolean) returns boolean
    language plpgsql security definer set search_path = makegood, pg_temp as $$
declare
    v_batch bigint := begin_batch(p_house);
    v_quote quotes;
begin
    select * into v_quote from quotes where house_id = p_house and payment_id = p_payment;
    perform lock_campaigns(p_house, campaigns_of(p_house, array[v_quote.quote_id]));
    perform lock_payment(p_house, p_payment);
    if v_quote.quote_id is null then
        select * into v_quote from quotes where house_id = p_house and payment_id = p_payment;
        if v_quote.quote_id is not null then
            raise exception 'it was reserved meanwhile' using errcode = 'serialization_failure';
        end if;
        insert into closed_payments values (p_house, p_payment) on conflict do nothing;
        return true;
    end if;
    select * into v_quote from quotes where house_id = p_house and quote_id = v_quote.quote_id for update;
    if v_quote.state <> 'reserved' or not (p_touched or v_quote.quote_id = p_quote) then return false; end if;
    update quotes set claims = claims - 1 where house_id = p_house and quote_id = v_quote.quote_id;
    if v_quote.claims > 1 then return false; end if;
    perform give_back(p_house, v_quote.quote_id, 'void', 'release');
    perform end_batch(p_house, v_batch, p_principal, 'quote.void', v_quote.quote_id, '{}');
    return true;
end $$;

create function refund(p_house bigint, p_principal text, p_payment text, p_refund text, p_amount bigint) returns jsonb
    language plpgsql security definer set search_path = makegood, pg_temp as $$
declare
    v_batch bigint := begin_batch(p_house);
    v_quote quotes;
    v_refund refunds;
    v_benefits jsonb;
begin
    select * into v_quote from quotes where house_id = p_house and payment_id = p_payment;
    v_quote := lock_quote(p_house, v_quote.quote_id);
    if v_quote.quote_id is null or v_quote.state = 'void' then return jsonb_build_object('outcome', 'not_found'); end if;
    select * into v_refund from refunds where house_id = p_house and payment_id = p_payment and refund_id = p_refund;
    if v_refund.refund_id is not null then
        if v_refund.amount <> p_amount then return jsonb_build_object('outcome', 'content_differs'); end if;
        return jsonb_build_object('outcome', 'done', 'refund', to_jsonb(v_refund), 'quote', quote_json(v_quote));
    end if;
    if v_quote.state <> 'captured' then
        return jsonb_build_object('outcome', 'quote_is_not_captured', 'quote', quote_json(v_quote));
    end if;
    if p_amount > v_quote.amount - v_quote.refunded then
        return jsonb_build_object('outcome', 'refund_exceeds_payment', 'quote', quote_json(v_quote));
    end if;
    v_benefits := return_discount(p_house, v_quote, v_quote.refunded + p_amount);
    insert into refunds (house_id, payment_id, refund_id, quote_id, amount, returned, refunded_after, benefits, at)
        values (p_house, p_payment, p_refund, v_quote.quote_id, p_amount,
                (select sum((b ->> 'returned')::bigint) from jsonb_array_elements(v_benefits) b),
                v_quote.refunded + p_amount, v_benefits, clock_timestamp())
        returning * into v_refund;
    perform emit(p_house, 'payment.refunded', v_quote.quote_id, to_jsonb(v_refund));
    perform end_batch(p_house, v_batch, p_principal, 'payment.refund', v_quote.quote_id,
                      jsonb_build_object('refund_id', p_refund, 'amount', p_amount));
    return jsonb_build_object('outcome', 'done', 'refund', to_jsonb(v_refund));
end $$;

-- Expires at most p_most holds that ended before p_now. Several processes may run it: none waits for another's.
create function expire(p_house bigint, p_now timestamptz, p_most integer) returns integer language plpgsql security definer
    set search_path = makegood, pg_temp as $$
declare
    v_batch bigint := begin_batch(p_house);
    v_due text[];
    v_expired text[] := '{}';
    v_quote text;
begin
    select array_agg(quote_id) into v_due from (
        select quote_id from quotes where house_id = p_house and state = 'reserved' and hold_until < p_now
        order by hold_until limit p_most) t;
    if v_due is null then return 0; end if;
    perform lock_campaigns(p_house, campaigns_of(p_house, v_due));
    for v_quote in select quote_id from quotes where house_id = p_house and quote_id = any (v_due) and state = 'reserved'
                   order by payment_id for update skip locked loop
        perform give_back(p_house, v_quote, 'expired', 'expire');
        v_expired := v_expired || v_quote;
    end loop;
    if v_expired <> '{}' then
        perform end_batch(p_house, v_batch, 'makegood', 'quotes.expire', v_expired[1], jsonb_build_object('quotes', v_expired));
    end if;
    return cardinality(v_expired);
end $$;

-- A retry's look-up for payments that are granted nothing now: they may have been granted something before. By position.
create function replay(p_house bigint, p_payments jsonb) returns jsonb language plpgsql security definer
    set search_path = makegood, pg_temp as $$
declare
    v_results jsonb[] := array_fill(null::jsonb, array[jsonb_array_length(p_payments)]);
    r record;
begin
    perform set_config('makegood.house', p_house::text, true);
    for r in select x, n from jsonb_array_elements(p_payments) with ordinality as t (x, n) order by x ->> 'payment_id', n loop
        v_results[r.n] := first_outcome(p_house, r.x ->> 'payment_id', decode(r.x ->> 'content_hash', 'hex'));
    end loop;
    return to_jsonb(v_results);
end $$;

-- Every house, for what a server does in all of them: expiry, and knowing their live sets before the first payment.
create policy owner_lists_houses on houses for select to makegood_owner using (true);
create function house_names() returns text[] language sql stable security definer set search_path = makegood, pg_temp
    as $$ select coalesce(array_agg(name order by house_id), '{}') from houses $$;
