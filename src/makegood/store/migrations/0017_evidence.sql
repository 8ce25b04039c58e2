-- What stages open on, and what detectors remember.
--
-- Captures pay nothing for it: a keeper derives the evidence of a stage from the entries, once a second.

-- What a stage of a revision is judged by. Counted from the entries between `since` and `upto`.
create table stage_evidence (
    house_id    bigint not null,
    campaign_id text   collate "C" not null,
    revision    text   not null,
    opened      bigint not null,                -- campaigns.stage_open while it is the newest
    used_before bigint not null,                -- reserved, granted and settled when the watch began
    upto        timestamptz not null,           -- entries before this are counted
    beyond      bigint not null,                -- and none that is not has a number up to this one
    next_beyond bigint not null,                -- what that will be, once `next_at` is long ago
    next_at     timestamptz not null,
    captured    bigint not null default 0 check (captured >= 0),
    released    bigint not null default 0 check (released >= 0),
    expired     bigint not null default 0 check (expired >= 0),
    primary key (house_id, campaign_id, revision, opened),
    foreign key (house_id, campaign_id) references campaigns
);
-- The first thousand payers of a stage; a payer and a device once each (a device that is not known is null, and distinct).
create table stage_payers (
    house_id    bigint not null,
    campaign_id text   collate "C" not null,
    revision    text   not null,
    opened      bigint not null,
    payer_ref   bytea  not null,
    device_ref  bytea,
    payee_ref   bytea  not null,
    bad         boolean not null default false,
    primary key (house_id, campaign_id, revision, opened, payer_ref),
    unique (house_id, campaign_id, revision, opened, device_ref)
);
call keep_houses_apart('stage_evidence');
call keep_houses_apart('stage_payers');
grant select on stage_evidence, stage_payers to makegood_app;

-- Those whose entries are counted, also while they are stopped: one that resumes after weeks has little left to count.
create function counted_stages(p_house bigint) returns setof stage_evidence language sql stable set search_path = makegood, pg_temp as $$
    select e.* from stage_evidence e join campaigns c using (house_id, campaign_id)
    where e.house_id = p_house and c.live = e.revision and c.stage_open = e.opened and c.stage_open < c.budget
$$;

create function open_stages(p_house bigint) returns setof stage_evidence language sql stable set search_path = makegood, pg_temp as $$
    select e.* from counted_stages(p_house) e join campaigns c using (house_id, campaign_id) where not c.stopped
$$;

create function used_of(p_house bigint, p_campaign text) returns bigint language sql stable set search_path = makegood, pg_temp as $$
    select balance_of(p_house, p_campaign, 'reserved') + balance_of(p_house, p_campaign, 'granted') + balance_of(p_house, p_campaign, 'settled')
$$;

-- Entries of the last two seconds wait for the next round: by then whoever wrote them has committed. One that is later still
-- is left out, which is evidence that is missing and never evidence too much; refunds and complaints are marked at once.
create function gather_evidence(p_house bigint, p_payers_most integer) returns void language plpgsql
    set search_path = makegood, pg_temp as $$
declare
    v_now timestamptz := clock_timestamp();
    v_last bigint := (select last_value from entries_entry_id_seq);
    v_until timestamptz := v_now - interval '2 seconds';
    v_since timestamptz;
    v_beyond bigint;
    r record;
begin
    if not pg_try_advisory_xact_lock(hashtextextended('evidence', p_house)) then return; end if;   -- Another keeper does it.
    insert into stage_evidence (house_id, campaign_id, revision, opened, used_before, upto, beyond, next_beyond, next_at)
        select house_id, campaign_id, live, stage_open, used_of(p_house, campaign_id), v_now, v_last, v_last, v_now from campaigns
        where house_id = p_house and live is not null and not stopped and stage_open < budget
        on conflict do nothing;
    select min(upto), min(beyond) into v_since, v_beyond from counted_stages(p_house);
    if v_since is null or v_since >= v_until then return; end if;
    for r in
        with ended as materialized (
            select s.campaign_id, s.revision, s.opened, e.kind, e.subject as quote_id, e.at
            from entries e join accounts a on a.house_id = e.house_id and a.account_id = e.from_account
            join counted_stages(p_house) s on s.campaign_id = a.campaign_id
            where e.house_id = p_house and e.entry_id > v_beyond and e.at >= v_since and e.at < v_until and e.at >= s.upto
              and e.kind in ('capture', 'release', 'expire'))
        select campaign_id, revision, opened, count(*) filter (where kind = 'capture') as captured,
            count(*) filter (where kind = 'release') as released, count(*) filter (where kind = 'expire') as expired,
            array_agg(quote_id order by at) filter (where kind = 'capture') as quotes
        from ended group by 1, 2, 3
    loop
        update stage_evidence s set captured = s.captured + r.captured, released = s.released + r.released, expired = s.expired + r.expired
            where s.house_id = p_house and s.campaign_id = r.campaign_id and s.revision = r.revision and s.opened = r.opened;
        insert into stage_payers (house_id, campaign_id, revision, opened, payer_ref, device_ref, payee_ref)
            select p_house, r.campaign_id, r.revision, r.opened, g.payer_ref, g.device_ref, g.payee_ref
            from unnest(r.quotes) with ordinality q (quote_id, n)
            join grants g on g.house_id = p_house and g.quote_id = q.quote_id and g.campaign_id = r.campaign_id
            where g.payer_ref is not null and g.revision = r.revision order by q.n
            limit greatest(p_payers_most - (select count(*) from stage_payers p where p.house_id = p_house
                and p.campaign_id = r.campaign_id and p.revision = r.revision and p.opened = r.opened), 0)
            on conflict do nothing;
    end loop;
    -- An entry has its time when it has its number; half a minute is long for the two to be out of order.
    update stage_evidence s set upto = greatest(s.upto, v_until),
            beyond = case when s.next_at < v_until - interval '30 seconds' then s.next_beyond else s.beyond end,
            next_beyond = case when s.next_at < v_until - interval '30 seconds' then v_last else s.next_beyond end,
            next_at = case when s.next_at < v_until - interval '30 seconds' then v_now else s.next_at end
        from counted_stages(p_house) o
        where s.house_id = p_house and s.campaign_id = o.campaign_id and s.revision = o.revision and s.opened = o.opened;
end $$;

-- The payer of a quote was wronged, in the stage that is open now: a refund says so.
create function mark_wronged(p_house bigint, p_quote text) returns void language sql set search_path = makegood, pg_temp as $$
    insert into stage_payers (house_id, campaign_id, revision, opened, payer_ref, payee_ref, bad)
        select p_house, c.campaign_id, c.live, c.stage_open, g.payer_ref, g.payee_ref, true
        from grants g join campaigns c on c.house_id = p_house and c.campaign_id = g.campaign_id
        where g.house_id = p_house and g.quote_id = p_quote and g.payer_ref is not null and c.stage_open < c.budget
        order by c.campaign_id
        on conflict (house_id, campaign_id, revision, opened, payer_ref) do update set bad = true
$$;

-- What stands for and against each stage that is not the last. Trips of guards count for the revision.
create function stage_evidence_of(p_house bigint) returns table (campaign_id text, revision text, opened bigint, captured bigint,
        released bigint, expired bigint, spent bigint, left_open bigint, payers bigint, payers_bad bigint, payers_of_one_payee bigint,
        trips bigint, alarms bigint)
    language sql stable set search_path = makegood, pg_temp as $$
    select s.campaign_id, s.revision, s.opened, s.captured, s.released, s.expired,
        greatest(used_of(p_house, s.campaign_id) - s.used_before, 0), balance_of(p_house, s.campaign_id, 'stage'),
        coalesce(p.payers, 0), coalesce(p.bad, 0), coalesce(p.one, 0), t.trips, t.alarms
    from open_stages(p_house) s left join lateral (
        select sum(n)::bigint as payers, sum(b)::bigint as bad, max(n) as one from (
            select count(*) as n, count(*) filter (where bad) as b from stage_payers p
            where p.house_id = p_house and p.campaign_id = s.campaign_id and p.revision = s.revision and p.opened = s.opened
            group by payee_ref) by_payee) p on true,
    lateral (
        select count(*) filter (where guard = 'collar') as trips, count(*) filter (where guard = 'detector') as alarms
        from trips x where x.house_id = p_house and x.campaign_id = s.campaign_id and x.revision = s.revision) t
$$;

create function refunds_are_evidence() returns trigger language plpgsql security definer set search_path = makegood, pg_temp as $$
begin
    perform mark_wronged(new.house_id, new.quote_id);
    return null;
end $$;
create trigger refunds_are_evidence after insert on refunds for each row execute function refunds_are_evidence();

-- The evidence that is there by now, gathered once by whoever asks first.
create function evidence_of_stages(p_house bigint, p_payers_most integer) returns setof jsonb language plpgsql security definer
    set search_path = makegood, pg_temp set enable_seqscan = off as $$
begin
    perform set_config('makegood.house', p_house::text, true);
    perform gather_evidence(p_house, p_payers_most);
    return query select to_jsonb(e) from stage_evidence_of(p_house) e;
end $$;

-- Opens a stage: p_evidence says on what, null where a person does.
drop function open_stage(bigint, text, text, text, bigint);
create function open_stage(p_house bigint, p_principal text, p_campaign text, p_revision text, p_open bigint, p_evidence jsonb)
    returns jsonb language plpgsql security definer set search_path = makegood, pg_temp as $$
declare
    v_batch bigint := begin_batch(p_house);
    v_row campaigns;
    v_detail jsonb := jsonb_build_object('open', p_open, 'evidence', p_evidence);
begin
    perform lock_house(p_house);
    perform lock_campaigns(p_house, array[p_campaign]);
    select * into v_row from campaigns where house_id = p_house and campaign_id = p_campaign;
    if is_stopped(p_house, p_campaign) or v_row.live is distinct from p_revision or p_open <= v_row.stage_open or p_open > v_row.budget then
        return jsonb_build_object('outcome', 'state_forbids');
    end if;
    if p_evidence is not null and (v_row.stage_open <> (p_evidence ->> 'opened_minor')::bigint
                                   or exists (select from trips where house_id = p_house and campaign_id = p_campaign and revision = p_revision)) then
        return jsonb_build_object('outcome', 'state_forbids');   -- It is evidence for another stage, or no longer enough.
    end if;
    perform widen_stage(p_house, p_campaign, v_row.currency, p_open);
    perform emit(p_house, 'campaign.stage_opened', p_campaign, v_detail);
    perform end_batch(p_house, v_batch, p_principal, 'campaign.open_stage', p_campaign, v_detail);
    return jsonb_build_object('outcome', 'done');
end $$;

-- What the detectors of all nodes know together; `version` grows with each change, so that none is lost.
create table detectors (
    house_id bigint primary key references houses,
    version  bigint not null,
    at       timestamptz not null,
    state    jsonb  not null
);
call keep_houses_apart('detectors');
grant select on detectors to makegood_app;

-- Whether the state was still of p_version, and is p_state now.
create function put_detector(p_house bigint, p_version bigint, p_state jsonb) returns boolean language plpgsql security definer
    set search_path = makegood, pg_temp as $$
begin
    perform set_config('makegood.house', p_house::text, true);
    if p_version = 0 then
        insert into detectors (house_id, version, at, state) values (p_house, 1, clock_timestamp(), p_state) on conflict do nothing;
    else
        update detectors set version = p_version + 1, at = clock_timestamp(), state = p_state
            where house_id = p_house and version = p_version;
    end if;
    return found;
end $$;

-- Who resumes a campaign, or replaces its revision, has looked: what was held against it before is gone.
create function resumes_are_fresh_starts() returns trigger language plpgsql security definer set search_path = makegood, pg_temp as $$
begin
    update detectors set state = state #- array['campaigns', new.campaign_id], version = version + 1 where house_id = new.house_id;
    return null;
end $$;
create trigger resumes_are_fresh_starts after update of stopped, live on campaigns for each row
    when (old.stopped and not new.stopped or old.live is distinct from new.live) execute function resumes_are_fresh_starts();

create function wider_resumes_are_fresh_starts() returns trigger language plpgsql security definer set search_path = makegood, pg_temp as $$
begin
    update detectors d set version = version + 1, state = jsonb_set(d.state, '{campaigns}', (d.state -> 'campaigns') - array(
            select c.campaign_id from campaigns c where c.house_id = old.house_id and is_covered(old.house_id, old.target, c.campaign_id, c.label)))
        where d.house_id = old.house_id and d.state ? 'campaigns';
    return null;
end $$;
create trigger wider_resumes_are_fresh_starts after delete on stops for each row execute function wider_resumes_are_fresh_starts();

do $$
declare f regprocedure;
begin
    for f in select p.oid::regprocedure from pg_proc p where p.pronamespace = 'makegood'::regnamespace and p.prokind = 'f' loop
        execute format('revoke all on function %s from public', f);
    end loop;
    for f in select p.oid::regprocedure from pg_proc p where p.pronamespace = 'makegood'::regnamespace
             and p.proname in ('evidence_of_stages', 'open_stage', 'put_detector') loop
        execute format('grant execute on function %s to makegood_app', f);
    end loop;
end $$;
