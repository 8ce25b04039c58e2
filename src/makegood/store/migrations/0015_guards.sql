-- Guards while it runs: stops of more than one campaign, trips of breakers with their evidence, drills.
--
-- A campaign's own stop is a column of its row, as before. A wider one is a row of `stops`. A campaign's budgets are stopped
-- while either holds; a scene is stopped in `reserve`.

alter table houses drop constraint houses_guards_left_out_check;
alter table houses add constraint houses_guards_left_out_check
    check (guards_left_out <@ array['proof', 'collar', 'detector', 'stage']);

create table stops (
    house_id     bigint not null references houses,
    target       text   collate "C" not null check (target = 'everything' or target ~ '^(label|funder|scene):.+$'),
    principal    text   not null,
    reason       text   not null,
    at           timestamptz not null,
    resume_by    text,
    resume_reason text,
    resume_until timestamptz,
    primary key (house_id, target)
);

-- What a guard saw when it tripped. The first of a revision stop it; a bounded number after it are kept as evidence.
create table trips (
    house_id    bigint not null references houses,
    trip_id     bigint generated always as identity,
    at          timestamptz not null,
    guard       text   not null check (guard in ('collar', 'detector')),
    what        text   not null,
    campaign_id text   collate "C" not null,
    revision    text   not null,
    opened      boolean not null,              -- This one opened the breaker.
    evidence    jsonb  not null,
    primary key (house_id, trip_id),
    foreign key (house_id, campaign_id) references campaigns
);
create index trips_by_campaign on trips (house_id, campaign_id, revision, at);

create table drills (
    house_id  bigint not null references houses,
    drill_id  bigint generated always as identity,
    at        timestamptz not null,
    principal text   not null,
    passed    boolean not null,
    steps     jsonb  not null,
    primary key (house_id, drill_id)
);

call keep_houses_apart('stops');
call keep_houses_apart('trips');
call keep_houses_apart('drills');
grant select on stops, trips, drills to makegood_app;

alter table campaigns add column tripped_by text check (tripped_by in ('collar', 'detector'));

-- -- what is stopped -----------------------------------------------------------------------------------

-- Whether a stop covers a campaign. A scene's does not stop a campaign; `reserve` asks for it.
create function is_covered(p_house bigint, p_target text, p_campaign text, p_label text) returns boolean language sql stable
    set search_path = makegood, pg_temp as $$
    select case split_part(p_target, ':', 1)
        when 'everything' then true
        when 'label' then p_target = 'label:' || p_label
        when 'funder' then exists (select from accounts a where a.house_id = p_house and a.campaign_id = p_campaign
                                   and a.kind = 'funder' and p_target = 'funder:' || a.funder)
        else false end
$$;

create function is_stopped(p_house bigint, p_campaign text) returns boolean language sql stable
    set search_path = makegood, pg_temp as $$
    select coalesce((
        select c.stopped or exists (select from stops s where s.house_id = p_house and is_covered(p_house, s.target, c.campaign_id, c.label))
        from campaigns c where c.house_id = p_house and c.campaign_id = p_campaign), false)
$$;

-- A campaign's own row says what people see; its budgets follow within the statement.
create or replace function budgets_follow() returns trigger language plpgsql security definer set search_path = makegood, pg_temp as $$
begin
    update budgets set stopped = is_stopped(new.house_id, new.campaign_id)
        where house_id = new.house_id and campaign_id = new.campaign_id;
    return null;
end $$;
drop trigger budgets_follow_their_campaign on campaigns;
create trigger budgets_follow_their_campaign after update of stopped, live, label, shares on campaigns for each row
    execute function budgets_follow();

create or replace function open_budgets(p_house bigint, p_campaign text, p_live text, p_stopped boolean) returns void language sql
    set search_path = makegood, pg_temp as $$
    insert into budgets (house_id, campaign_id, share, live, stopped, stage, reserved, granted)
        select c.house_id, c.campaign_id, s, p_live, p_stopped or is_stopped(p_house, p_campaign),
            open_account(c.house_id, 'stage', c.campaign_id, null, c.currency, s::smallint),
            open_account(c.house_id, 'reserved', c.campaign_id, null, c.currency, s::smallint),
            open_account(c.house_id, 'granted', c.campaign_id, null, c.currency, s::smallint)
        from campaigns c, generate_series(0, c.shares - 1) s where c.house_id = p_house and c.campaign_id = p_campaign
        on conflict do nothing;
    update budgets set live = p_live, stopped = p_stopped or is_stopped(p_house, p_campaign)
        where house_id = p_house and campaign_id = p_campaign;
$$;

-- Locks every campaign of the house that is or was live, with its budgets: the caller holds the house's lock. Whoever waits
-- for a row waits for every batch that comes meanwhile; the locks of limits have a queue, so whoever reserves waits behind.
create function lock_all_campaigns(p_house bigint) returns text[] language plpgsql set search_path = makegood, pg_temp as $$
declare v_campaigns text[] := array(select campaign_id from campaigns where house_id = p_house and live is not null order by campaign_id);
begin
    perform lock_limits(p_house, v_campaigns);
    perform lock_campaigns(p_house, v_campaigns);
    return v_campaigns;
end $$;

create function budgets_follow_stops(p_house bigint, p_campaigns text[]) returns void language sql
    set search_path = makegood, pg_temp as $$
    update budgets set stopped = is_stopped(p_house, campaign_id)
        where house_id = p_house and campaign_id = any (p_campaigns) and stopped <> is_stopped(p_house, campaign_id)
$$;

-- Stops a label, a funder, a scene or everything: once this has committed, nothing commits a grant of it. Holds stay good.
-- {outcome, stopped: the live campaigns that it covers, honoured_quotes}. Stopped again its reason is the newest, and a
-- resume that was asked for is off.
create function stop_target(p_house bigint, p_principal text, p_target text, p_reason text) returns jsonb
    language plpgsql security definer set search_path = makegood, pg_temp as $$
declare
    v_batch bigint := begin_batch(p_house);
    v_campaigns text[];
    v_covered text[];
    v_open bigint;
begin
    perform lock_house(p_house);
    v_campaigns := lock_all_campaigns(p_house);
    insert into stops (house_id, target, principal, reason, at) values (p_house, p_target, p_principal, p_reason, clock_timestamp())
        on conflict (house_id, target) do update set principal = p_principal, reason = p_reason, at = clock_timestamp(),
            resume_by = null, resume_reason = null, resume_until = null;
    v_covered := array(select c.campaign_id from campaigns c where c.house_id = p_house and c.campaign_id = any (v_campaigns)
                       and (p_target like 'scene:%' or is_covered(p_house, p_target, c.campaign_id, c.label)) order by 1);
    select coalesce(sum(holds), 0) into v_open from budgets where house_id = p_house and campaign_id = any (v_covered);
    perform budgets_follow_stops(p_house, v_covered);
    perform live_set_changed(p_house);
    perform emit(p_house, 'stop', p_target, jsonb_build_object('reason', p_reason, 'principal', p_principal,
                 'campaigns', v_covered, 'honoured_quotes', v_open));
    perform end_batch(p_house, v_batch, p_principal, 'stop', p_target,
                      jsonb_build_object('reason', p_reason, 'campaigns', v_covered, 'honoured_quotes', v_open));
    return jsonb_build_object('outcome', 'done', 'stopped', v_covered, 'honoured_quotes', v_open);
end $$;

-- Ends such a stop: a request, then another principal's confirmation. Neither wrote a campaign that it covers. p_proofs: for
-- each currency in which something is live, the proof that all of it keeps today's policy.
create function resume_target(p_house bigint, p_principal text, p_target text, p_reason text, p_seconds integer, p_proofs jsonb)
    returns jsonb language plpgsql security definer set search_path = makegood, pg_temp as $$
declare
    v_batch bigint := begin_batch(p_house);
    v_stop stops;
    v_campaigns text[];
    v_until timestamptz := clock_timestamp() + make_interval(secs => p_seconds);
begin
    perform lock_house(p_house);
    v_campaigns := lock_all_campaigns(p_house);
    select * into v_stop from stops where house_id = p_house and target = p_target;
    if v_stop.target is null then return jsonb_build_object('outcome', 'state_forbids'); end if;
    if exists (select from campaigns c join documents d on d.house_id = p_house and d.revision = c.live and d.author = p_principal
               where c.house_id = p_house and (p_target like 'scene:%' or is_covered(p_house, p_target, c.campaign_id, c.label))) then
        return jsonb_build_object('outcome', 'principal_may_not');
    end if;
    if exists (select from policies p where p.house_id = p_house and live_beside(p_house, p.currency, '') <> '{}'
               and not proof_holds(p_house, p_proofs ->> p.currency, p.revision, '', p.revision, live_beside(p_house, p.currency, ''))) then
        return jsonb_build_object('outcome', 'revision_has_changed');
    end if;
    if v_stop.resume_by = p_principal and v_stop.resume_until >= clock_timestamp() then
        return jsonb_build_object('outcome', 'resume_needs_another', 'until', v_stop.resume_until);
    end if;
    if v_stop.resume_by is null or v_stop.resume_until < clock_timestamp() then
        update stops set resume_by = p_principal, resume_reason = p_reason, resume_until = v_until
            where house_id = p_house and target = p_target;
        perform emit(p_house, 'resume_requested', p_target, jsonb_build_object('principal', p_principal, 'reason', p_reason));
        perform end_batch(p_house, v_batch, p_principal, 'resume_request', p_target,
                          jsonb_build_object('reason', p_reason, 'proofs', p_proofs));
        return jsonb_build_object('outcome', 'requested', 'until', v_until);
    end if;
    delete from stops where house_id = p_house and target = p_target;
    perform budgets_follow_stops(p_house, v_campaigns);
    perform live_set_changed(p_house);
    perform emit(p_house, 'resumed', p_target, jsonb_build_object('principal', p_principal, 'requested_by', v_stop.resume_by));
    perform end_batch(p_house, v_batch, p_principal, 'resume', p_target,
                      jsonb_build_object('reason', p_reason, 'requested_by', v_stop.resume_by, 'proofs', p_proofs));
    return jsonb_build_object('outcome', 'resumed');
end $$;

-- Stops a campaign: once this has committed, nothing commits a grant of it. Holds stay good; gives how many there are.
-- A stop of a stopped campaign is a stop: its reason is the newest, and a resume that was asked for is off.
create or replace function stop_campaign(p_house bigint, p_principal text, p_campaign text, p_reason text) returns jsonb
    language plpgsql security definer set search_path = makegood, pg_temp as $$
declare
    v_batch bigint := begin_batch(p_house);
    v_row campaigns;
    v_open bigint;
begin
    perform lock_house(p_house);
    perform lock_limits(p_house, array[p_campaign]);   -- In their queue: see `lock_all_campaigns`.
    perform lock_campaigns(p_house, array[p_campaign]);
    select * into v_row from campaigns where house_id = p_house and campaign_id = p_campaign;
    if v_row.campaign_id is null then return jsonb_build_object('outcome', 'not_found'); end if;
    if v_row.live is null then return jsonb_build_object('outcome', 'state_forbids'); end if;
    select sum(holds) into v_open from budgets where house_id = p_house and campaign_id = p_campaign;
    update campaigns set stopped = true, stop_reason = p_reason, stopped_by = p_principal, stopped_at = clock_timestamp(),
        resume_by = null, resume_reason = null, resume_until = null
        where house_id = p_house and campaign_id = p_campaign;
    if not v_row.stopped then perform live_set_changed(p_house); end if;
    perform emit(p_house, 'campaign.stopped', p_campaign, jsonb_build_object('reason', p_reason, 'principal', p_principal,
                 'honoured_quotes', v_open));
    perform end_batch(p_house, v_batch, p_principal, 'campaign.stop', p_campaign,
                      jsonb_build_object('reason', p_reason, 'honoured_quotes', v_open));
    return jsonb_build_object('outcome', 'done', 'honoured_quotes', v_open);
end $$;

-- -- breakers ------------------------------------------------------------------------------------------

-- A guard tripped on a revision: its breaker opens, which is a stop with evidence. Only the revision that is live is stopped;
-- p_most trips of a revision are kept. Whether this one opened it.
create function trip(p_house bigint, p_guard text, p_campaign text, p_revision text, p_what text, p_evidence jsonb, p_most integer)
    returns boolean language plpgsql security definer set search_path = makegood, pg_temp as $$
declare
    v_batch bigint := begin_batch(p_house);
    v_row campaigns;
    v_opens boolean;
    v_reason text := p_guard || ': ' || p_what;
begin
    perform lock_house(p_house);
    perform lock_limits(p_house, array[p_campaign]);
    perform lock_campaigns(p_house, array[p_campaign]);
    select * into v_row from campaigns where house_id = p_house and campaign_id = p_campaign;
    if v_row.campaign_id is null then return false; end if;
    v_opens := v_row.live is not distinct from p_revision and (not v_row.stopped or v_row.tripped_by is null
               or v_row.tripped_by = 'detector' and p_guard = 'collar');
    if (select count(*) from trips where house_id = p_house and campaign_id = p_campaign and revision = p_revision) >= p_most and not v_opens then
        return false;
    end if;
    insert into trips (house_id, at, guard, what, campaign_id, revision, opened, evidence)
        values (p_house, clock_timestamp(), p_guard, p_what, p_campaign, p_revision, v_opens, p_evidence);
    if v_opens then
        update campaigns set tripped_by = p_guard, stopped = true, stop_reason = v_reason, stopped_by = 'makegood:' || p_guard,
            stopped_at = clock_timestamp(), resume_by = null, resume_reason = null, resume_until = null
            where house_id = p_house and campaign_id = p_campaign;
        perform live_set_changed(p_house);
        perform emit(p_house, 'breaker.opened', p_campaign, jsonb_build_object('guard', p_guard, 'what', p_what,
                     'revision', p_revision, 'evidence', p_evidence));
    else
        perform emit(p_house, 'guard.tripped', p_campaign, jsonb_build_object('guard', p_guard, 'what', p_what,
                     'revision', p_revision, 'evidence', p_evidence));
    end if;
    perform end_batch(p_house, v_batch, 'makegood', 'breaker.trip', p_campaign, jsonb_build_object('guard', p_guard,
                      'what', p_what, 'revision', p_revision, 'opened', v_opens, 'evidence', p_evidence));
    return v_opens;
end $$;

-- A revision that guards have shown to be wrong: the collar opened its breaker, or guards did twice within a day.
create function is_spent(p_house bigint, p_campaign text, p_revision text) returns boolean language sql stable
    set search_path = makegood, pg_temp as $$
    select coalesce(bool_or(guard = 'collar'), false) or count(*) filter (where at > clock_timestamp() - interval '1 day') > 1
    from trips where house_id = p_house and campaign_id = p_campaign and revision = p_revision and opened
$$;

-- Whether what a guard stopped may not be resumed. A new revision may run.
create function needs_new_revision(p_row campaigns) returns boolean language sql stable set search_path = makegood, pg_temp as $$
    select p_row.tripped_by is not null and is_spent(p_row.house_id, p_row.campaign_id, p_row.live)
$$;

create function breakers_close() returns trigger language plpgsql set search_path = makegood, pg_temp as $$
begin
    if new.live is not distinct from old.live and needs_new_revision(old) then
        raise exception 'a breaker that opened twice, or by the collar, closes with a new revision only' using errcode = 'MG202';
    end if;
    new.tripped_by := null;
    return new;
end $$;
create trigger breakers_close_with_a_resume before update of stopped on campaigns for each row
    when (old.stopped and not new.stopped) execute function breakers_close();

-- Nor does it come back by way of another one: its approvals still stand.
create function spent_stays_away() returns trigger language plpgsql set search_path = makegood, pg_temp as $$
begin
    if is_spent(new.house_id, new.campaign_id, new.live) then
        raise exception 'a breaker that opened twice, or by the collar, closes with a new revision only' using errcode = 'MG202';
    end if;
    return new;
end $$;
create trigger spent_revisions_stay_away before update of live on campaigns for each row
    when (new.live is distinct from old.live) execute function spent_stays_away();

-- As before; but what needs a new revision is refused at the request already.
create or replace function resume_campaign(
    p_house bigint, p_principal text, p_campaign text, p_reason text, p_seconds integer, p_proof text) returns jsonb
    language plpgsql security definer set search_path = makegood, pg_temp as $$
declare
    v_batch bigint := begin_batch(p_house);
    v_row campaigns;
    v_until timestamptz := clock_timestamp() + make_interval(secs => p_seconds);
begin
    perform lock_house(p_house);
    perform lock_campaigns(p_house, array[p_campaign]);
    select * into v_row from campaigns where house_id = p_house and campaign_id = p_campaign;
    if v_row.campaign_id is null then return jsonb_build_object('outcome', 'not_found'); end if;
    if not v_row.stopped then return jsonb_build_object('outcome', 'state_forbids'); end if;
    if needs_new_revision(v_row) then return jsonb_build_object('outcome', 'needs_new_revision'); end if;
    if exists (select from documents where house_id = p_house and revision = v_row.live and author = p_principal) then
        return jsonb_build_object('outcome', 'principal_may_not');
    end if;
    if not proof_holds(p_house, p_proof, v_row.live, v_row.brief,
                       (select revision from policies where house_id = p_house and currency = v_row.currency),
                       live_beside(p_house, v_row.currency, p_campaign)) then
        return jsonb_build_object('outcome', 'revision_has_changed');
    end if;
    if v_row.resume_by = p_principal and v_row.resume_until >= clock_timestamp() then
        return jsonb_build_object('outcome', 'resume_needs_another', 'until', v_row.resume_until);
    end if;
    if v_row.resume_by is null or v_row.resume_until < clock_timestamp() then
        update campaigns set resume_by = p_principal, resume_reason = p_reason, resume_until = v_until
            where house_id = p_house and campaign_id = p_campaign;
        perform emit(p_house, 'campaign.resume_requested', p_campaign, jsonb_build_object('principal', p_principal, 'reason', p_reason));
        perform end_batch(p_house, v_batch, p_principal, 'campaign.resume_request', p_campaign,
            jsonb_build_object('reason', p_reason, 'proof', p_proof));
        return jsonb_build_object('outcome', 'requested', 'until', v_until);
    end if;
    update campaigns set stopped = false, stop_reason = null, stopped_by = null, stopped_at = null, proof = p_proof,
        resume_by = null, resume_reason = null, resume_until = null
        where house_id = p_house and campaign_id = p_campaign;
    perform live_set_changed(p_house);
    perform emit(p_house, 'campaign.resumed', p_campaign, jsonb_build_object('principal', p_principal, 'requested_by', v_row.resume_by));
    perform end_batch(p_house, v_batch, p_principal, 'campaign.resume', p_campaign,
        jsonb_build_object('reason', p_reason, 'requested_by', v_row.resume_by, 'proof', p_proof));
    return jsonb_build_object('outcome', 'resumed');
end $$;

create function record_drill(p_house bigint, p_principal text, p_passed boolean, p_steps jsonb) returns void
    language plpgsql security definer set search_path = makegood, pg_temp as $$
declare v_batch bigint := begin_batch(p_house);
begin
    insert into drills (house_id, at, principal, passed, steps) values (p_house, clock_timestamp(), p_principal, p_passed, p_steps);
    perform emit(p_house, case when p_passed then 'drill.passed' else 'drill.failed' end, 'drill', jsonb_build_object('steps', p_steps));
    perform end_batch(p_house, v_batch, p_principal, 'drill', 'drill', jsonb_build_object('passed', p_passed, 'steps', p_steps));
end $$;

do $$
declare f regprocedure;
begin
    for f in select p.oid::regprocedure from pg_proc p where p.pronamespace = 'makegood'::regnamespace and p.prokind = 'f' loop
        execute format('revoke all on function %s from public', f);
    end loop;
    for f in select p.oid::regprocedure from pg_proc p where p.pronamespace = 'makegood'::regnamespace
             and p.proname in ('stop_target', 'resume_target', 'resume_campaign', 'trip', 'record_drill',
                              'is_covered', 'is_stopped', 'is_spent', 'needs_new_revision') loop
        execute format('grant execute on function %s to makegood_app', f);
    end loop;
end $$;
