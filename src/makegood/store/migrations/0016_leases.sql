-- Reserving, under a lease, and not in scenes that are stopped. Otherwise as before.
--
-- Whoever stops something makes the live set another one and holds all budgets that it stops, those of the whole house for a
-- scene: who comes to a budget afterwards finds another version and does all of it again, and then sees the stop.

drop function reserve(
    bigint, text, integer, integer, text[], text[], bytea[], bytea[], bytea[], bytea[], text[], bigint[], bigint[], timestamptz[],
    timestamptz[], timestamptz[], text[], text[], text[], text[], text[], text[], text[], integer[], text[], text[], bigint[]);

create function refuse_without_lease(p_lease timestamptz) returns void language plpgsql set search_path = makegood, pg_temp as $$
begin
    if clock_timestamp() >= p_lease then raise exception 'the lease is over' using errcode = 'MG201'; end if;
end $$;

create function stopped_scenes(p_house bigint, p_scenes text[]) returns text[] language sql stable
    set search_path = makegood, pg_temp as $$
    select coalesce(array_agg(distinct s), '{}') from unnest(p_scenes) s
    where exists (select from stops t where t.house_id = p_house and t.target = 'scene:' || s)
$$;

-- Reserves a batch. Arrays q_ have a place for each request, arrays g_ for each grant, with its request's place in g_at.
-- No two requests are of one payment, and none supersedes a payment of the batch.
--
-- Afterwards each request is: reserved, or what is given for its quote id: replayed (its first outcome), refused (why, and
-- the balances seen; nothing of it was done), none (no grants asked), void, content_differs, superseded_is_captured,
-- superseded_is_another_payers. Gives up when a lock takes longer than p_patience milliseconds.
--
-- p_lease: until when, by the store's clock, whoever asks may grant. Later nothing is done, however long the call was under way.
create function reserve(
    p_house bigint, p_principal text, p_lane integer, p_patience integer, p_lease timestamptz,
    q_quote text[], q_payment text[], q_hash bytea[], q_payer bytea[], q_device bytea[], q_payee bytea[], q_currency text[], q_scene text[],
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
    v_scenes text[];           -- that are stopped
    r record;
begin
    perform set_config('lock_timeout', p_patience::text, true);
    perform refuse_without_lease(p_lease);
    v_version := (select version from live_sets where house_id = p_house);
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
    v_scenes := stopped_scenes(p_house, q_scene);
    if v_scenes <> '{}' then
        select v_out || coalesce(jsonb_object_agg(a.quote, jsonb_build_object('outcome', 'refused', 'refused', (
                select jsonb_object_agg(g.campaign_id, 'scene_is_stopped') from unnest(v_grants) g where g.quote_id = a.quote),
                'seen', '{}'::jsonb)), '{}'), v_gone || coalesce(array_agg(a.quote), '{}')
            into v_out, v_gone
            from unnest(q_quote, q_scene, q_discount) as a (quote, scene, discount)
            where a.scene = any (v_scenes) and a.discount > 0 and a.quote <> all (v_gone);
        v_slow := array(select s from unnest(v_slow) s where s <> all (v_gone));
        v_grants := without(v_grants, v_gone);
    end if;
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
    --    two counted this batch by the old ones, and a scene may have been stopped since it was looked at: it is done again.
    v_all := case when v_old = '{}' then v_grants else v_grants || grants_of(p_house, v_old) end;
    perform hold_limits(p_house, v_all);
    if v_old <> '{}' then perform lock_rights(p_house, v_all); end if;
    v_flagged := count_grants(p_house, v_grants, true);
    perform lock_budgets(p_house, v_all);
    if v_version is distinct from (select version from live_sets where house_id = p_house) then
        raise exception 'what is live changed meanwhile' using errcode = 'serialization_failure';
    end if;
    perform refuse_without_lease(p_lease);
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

do $$
declare f regprocedure;
begin
    for f in select p.oid::regprocedure from pg_proc p where p.pronamespace = 'makegood'::regnamespace
             and p.proname in ('reserve', 'refuse_without_lease', 'stopped_scenes') loop
        execute format('revoke all on function %s from public', f);
    end loop;
    for f in select p.oid::regprocedure from pg_proc p where p.pronamespace = 'makegood'::regnamespace and p.proname = 'reserve' loop
        execute format('grant execute on function %s to makegood_app', f);
    end loop;
end $$;
