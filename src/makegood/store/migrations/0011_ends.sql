-- The ends of a quote: capture, release, expiry; and refunds of what was captured. Locks as in 0009.

-- Returns discount to the stage so that, of each grant, floor(discount x refunded / amount) was returned in all, and
-- everything once the whole amount was refunded. Gives what was returned now, by campaign. The caller holds the locks.
create function return_discount(p_house bigint, p_quote quotes, p_refunded bigint) returns jsonb language plpgsql
    set search_path = makegood, pg_temp as $$
declare
    v_due jsonb;
begin
    select jsonb_agg(jsonb_build_object('campaign', campaign_id, 'returned', target - returned) order by campaign_id) into v_due
        from (select campaign_id, returned, case when p_refunded = p_quote.amount then discount
              else floor(discount::numeric * p_refunded / p_quote.amount)::bigint end as target
              from grants where house_id = p_house and quote_id = p_quote.quote_id) t;
    -- What was settled with the funders is no longer there: it is taken back from them first.
    perform cover_refund(p_house, g.campaign_id, g.share, g.revision, d.returned)
        from jsonb_to_recordset(v_due) as d (campaign text, returned bigint)
        join grants g on g.house_id = p_house and g.quote_id = p_quote.quote_id and g.campaign_id = d.campaign
        where d.returned > 0 order by g.campaign_id;
    insert into entries (house_id, batch, kind, subject, from_account, to_account, amount, at)
        select p_house, current_setting('makegood.batch')::bigint, 'refund', g.quote_id, b.granted, b.stage, d.returned, clock_timestamp()
        from jsonb_to_recordset(v_due) as d (campaign text, returned bigint)
        join grants g on g.house_id = p_house and g.quote_id = p_quote.quote_id and g.campaign_id = d.campaign
        join budgets b on b.house_id = p_house and b.campaign_id = g.campaign_id and b.share = g.share
        where d.returned > 0 order by g.campaign_id;
    update grants g set returned = g.returned + d.returned from jsonb_to_recordset(v_due) as d (campaign text, returned bigint)
        where g.house_id = p_house and g.quote_id = p_quote.quote_id and g.campaign_id = d.campaign;
    update quotes set refunded = p_refunded,
        returned = returned + (select sum(d.returned) from jsonb_to_recordset(v_due) as d (returned bigint))
        where house_id = p_house and quote_id = p_quote.quote_id;
    return v_due;
end $$;

-- Captures quotes, no quote twice. p_paid decides whether one was paid in time, p_now whether its hold still stands: the
-- store's clock, null in a test house. p_captured: of the amount, null for all of it. Afterwards each is: done, not_found,
-- content_differs, quote_is_released, quote_has_expired, paid_too_early or capture_exceeds_quote; and the quote as it is.
create function capture(p_house bigint, p_principal text, p_lane integer, p_quotes text[], p_paid timestamptz[],
                        p_captured bigint[], p_now timestamptz[]) returns table (quote_id text, outcome text, quote quotes)
    language plpgsql security definer set search_path = makegood, pg_temp set enable_seqscan = off as $$
#variable_conflict use_column
declare
    v_batch bigint := begin_batch(p_house);
    v_found text[];
    v_ready text[];
    v_grants grants[];
    r quotes;
begin
    perform lock_quotes(p_house, p_quotes);
    select array_agg(case
            when q.quote_id is null or q.state = 'void' then 'not_found'
            when q.state = 'captured' then case when q.captured = coalesce(a.captured, q.amount) then 'done' else 'content_differs' end
            when q.state = 'released' then 'quote_is_released'
            when q.state = 'expired' or coalesce(a.paid, a.now, q.decided_at) > q.valid_until or a.now > q.hold_until then 'quote_has_expired'
            when a.paid < q.decided_at - interval '5 minutes' then 'paid_too_early'
            when a.captured > q.amount then 'capture_exceeds_quote'
            else 'ready' end order by n)
        into v_found
        from unnest(p_quotes, p_paid, p_captured, p_now) with ordinality as a (quote, paid, captured, now, n)
        left join quotes q on q.house_id = p_house and q.quote_id = a.quote;
    v_ready := array(select a.quote from unnest(p_quotes, v_found) as a (quote, found) where a.found = 'ready');
    if v_ready <> '{}' then
        v_grants := grants_of(p_house, v_ready);
        perform lock_budgets(p_house, v_grants);
        update quotes q set state = 'captured', captured = coalesce(a.captured, q.amount), paid_at = coalesce(a.paid, a.now, q.decided_at)
            from unnest(p_quotes, p_paid, p_captured, p_now, v_found) as a (quote, paid, captured, now, found)
            where a.found = 'ready' and q.house_id = p_house and q.quote_id = a.quote;
        perform move(p_house, 'capture', v_grants);
        for r in select q.* from unnest(p_quotes, p_captured, v_found) as a (quote, captured, found)
                 join quotes q on q.house_id = p_house and q.quote_id = a.quote
                 where a.found = 'ready' and a.captured < q.amount order by q.quote_id loop
            perform return_discount(p_house, r, r.amount - r.captured);
        end loop;
        perform emit_all(p_house, 'quote.captured', v_ready);
        perform close_batch(p_house, 1 + p_lane, p_principal, 'quotes.capture', v_ready[1],
                            jsonb_build_object('quotes', cardinality(v_ready)), '');
    end if;
    return query select a.quote, case a.found when 'ready' then 'done' else a.found end, q
        from unnest(p_quotes, v_found) as a (quote, found) left join quotes q on q.house_id = p_house and q.quote_id = a.quote;
end $$;

-- Releases quotes, no quote twice: each is then done, not_found or quote_is_captured; and the quote as it is.
create function release(p_house bigint, p_principal text, p_lane integer, p_quotes text[])
    returns table (quote_id text, outcome text, quote quotes)
    language plpgsql security definer set search_path = makegood, pg_temp set enable_seqscan = off as $$
#variable_conflict use_column
declare
    v_batch bigint := begin_batch(p_house);
    v_ready text[];
begin
    perform lock_quotes(p_house, p_quotes);
    v_ready := array(select q.quote_id from quotes q where q.house_id = p_house and q.quote_id = any (p_quotes) and q.state = 'reserved'
                     order by q.quote_id);
    if v_ready <> '{}' then
        perform lock_rights(p_house, grants_of(p_house, v_ready));
        perform give_back(p_house, v_ready, 'released', 'release');
        perform close_batch(p_house, 1 + p_lane, p_principal, 'quotes.release', v_ready[1],
                            jsonb_build_object('quotes', cardinality(v_ready)), '');
    end if;
    return query select a.quote, case when q.quote_id is null or q.state = 'void' then 'not_found'
            when q.state = 'captured' then 'quote_is_captured' else 'done' end, q
        from unnest(p_quotes) as a (quote) left join quotes q on q.house_id = p_house and q.quote_id = a.quote;
end $$;

-- A caller was answered full price although a hold may have been made for it, or may still be. `p_touched`: this caller's
-- try is known to have claimed the hold. Once nobody claims it, it is void, its money returns, and its payment id answers
-- full price for ever; so it does where there is no hold yet.
create function disown(p_house bigint, p_principal text, p_payment text, p_quote text, p_touched boolean, p_try text)
    returns boolean
    language plpgsql security definer set search_path = makegood, pg_temp as $$
declare
    v_batch bigint := begin_batch(p_house);
    v_quote quotes;
begin
    insert into payments (house_id, payment_id) values (p_house, p_payment) on conflict do nothing;
    if found then return true; end if;
    perform lock_quotes(p_house, array(select quote_id from payments where house_id = p_house and payment_id = p_payment));
    select q.* into v_quote from payments p join quotes q using (house_id, quote_id)
        where p.house_id = p_house and p.payment_id = p_payment;
    if v_quote.quote_id is null then return true; end if;
    if v_quote.state <> 'reserved' or not (p_touched or v_quote.quote_id = p_quote) then return false; end if;
    insert into disowned values (p_house, v_quote.quote_id, p_try) on conflict do nothing;
    if not found then return false; end if;   -- Asked again, for its answer was lost: one try has one claim.
    update quotes set claims = claims - 1 where house_id = p_house and quote_id = v_quote.quote_id;
    if v_quote.claims > 1 then return false; end if;
    perform lock_rights(p_house, grants_of(p_house, array[v_quote.quote_id]));
    perform give_back(p_house, array[v_quote.quote_id], 'void', 'release');
    perform end_batch(p_house, v_batch, p_principal, 'quote.void', v_quote.quote_id, '{}');
    return true;
end $$;

create function refund(p_house bigint, p_principal text, p_payment text, p_refund text, p_amount bigint) returns jsonb
    language plpgsql security definer set search_path = makegood, pg_temp as $$
declare
    v_batch bigint := begin_batch(p_house);
    v_name text[] := array(select quote_id from payments where house_id = p_house and payment_id = p_payment and quote_id is not null);
    v_quote quotes;
    v_refund refunds;
    v_benefits jsonb;
begin
    perform lock_quotes(p_house, v_name);
    select * into v_quote from quotes where house_id = p_house and quote_id = v_name[1];
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
    perform lock_budgets(p_house, grants_of(p_house, v_name));
    v_benefits := return_discount(p_house, v_quote, v_quote.refunded + p_amount);
    insert into refunds (house_id, payment_id, refund_id, quote_id, amount, returned, refunded_after, benefits, at)
        values (p_house, p_payment, p_refund, v_quote.quote_id, p_amount,
                (select sum((b ->> 'returned')::bigint) from jsonb_array_elements(v_benefits) b),
                v_quote.refunded + p_amount, v_benefits, clock_timestamp())
        returning * into v_refund;
    perform emit(p_house, 'payment.refunded', v_quote.quote_id, to_jsonb(v_refund));
    perform end_batch(p_house, v_batch, p_principal, 'payment.refund', v_quote.quote_id,
                      jsonb_build_object('refund_id', p_refund, 'amount', p_amount));
    return jsonb_build_object('outcome', 'done', 'refund', to_jsonb(v_refund), 'quote', quote_json(v_quote));
end $$;

-- Expires at most p_most holds that ended before p_now. Several processes may run it: none waits for another's.
create function expire(p_house bigint, p_now timestamptz, p_most integer) returns integer language plpgsql security definer
    set search_path = makegood, pg_temp as $$
declare
    v_batch bigint := begin_batch(p_house);
    v_due text[];
begin
    select array_agg(quote_id order by quote_id) into v_due from (
        select quote_id from quotes where house_id + 0 = p_house and state = 'reserved' and hold_until < p_now
        order by hold_until limit p_most for update skip locked) t;
    if v_due is null then return 0; end if;
    perform lock_rights(p_house, grants_of(p_house, v_due));
    perform give_back(p_house, v_due, 'expired', 'expire');
    perform end_batch(p_house, v_batch, 'makegood', 'quotes.expire', v_due[1], jsonb_build_object('quotes', cardinality(v_due)));
    return cardinality(v_due);
end $$;
