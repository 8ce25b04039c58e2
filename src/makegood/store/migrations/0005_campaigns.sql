-- Changes of what is live. Each writes one audit row and one event, and tells servers that their picture is old.

create function live_set_changed(p_house bigint) returns void language sql set search_path = makegood, pg_temp as $$
    insert into live_sets as l (house_id, version) values (p_house, 1)
    on conflict (house_id) do update set version = l.version + 1
$$;

-- An act without money: a document published, an approval, a policy put in force.
create function record_act(p_house bigint, p_principal text, p_action text, p_subject text, p_detail jsonb) returns void
    language plpgsql security definer set search_path = makegood, pg_temp as $$
declare v_batch bigint := begin_batch(p_house);
begin
    perform live_set_changed(p_house);
    perform emit(p_house, p_action, p_subject, p_detail);
    perform end_batch(p_house, v_batch, p_principal, p_action, p_subject, p_detail);
end $$;

create function propose(p_house bigint, p_campaign text, p_currency text, p_revision text) returns void
    language plpgsql security definer set search_path = makegood, pg_temp as $$
begin
    perform set_config('makegood.house', p_house::text, true);
    insert into campaigns (house_id, campaign_id, currency, proposed) values (p_house, p_campaign, p_currency, p_revision)
    on conflict (house_id, campaign_id) do update set proposed = excluded.proposed;
end $$;

create function put_policy_in_force(p_house bigint, p_currency text, p_revision text) returns void
    language plpgsql security definer set search_path = makegood, pg_temp as $$
begin
    perform set_config('makegood.house', p_house::text, true);
    insert into policies (house_id, currency, revision) values (p_house, p_currency, p_revision)
    on conflict (house_id, currency) do update set revision = excluded.revision;
end $$;

-- The account of a campaign, opened when it is first needed.
create function open_account(p_house bigint, p_kind text, p_campaign text, p_funder text, p_currency text) returns bigint
    language sql set search_path = makegood, pg_temp as $$
    insert into accounts (house_id, kind, campaign_id, funder, currency)
    values (p_house, p_kind, p_campaign, p_funder, p_currency)
    on conflict (house_id, kind, campaign_id, funder, currency) do update set kind = excluded.kind
    returning account_id
$$;

create function post_entry(p_house bigint, p_kind text, p_subject text, p_accounts bigint[], p_amounts bigint[])
    returns void language plpgsql set search_path = makegood, pg_temp as $$
declare v_entry bigint;
begin
    insert into entries (house_id, batch, kind, subject, at)
        values (p_house, current_setting('makegood.batch')::bigint, p_kind, p_subject, clock_timestamp())
        returning entry_id into v_entry;
    insert into postings (house_id, entry_id, account_id, amount)
        select p_house, v_entry, a, m from unnest(p_accounts, p_amounts) as t (a, m) where m <> 0;
end $$;

create function balance_of(p_house bigint, p_campaign text, p_kind text) returns bigint language sql stable
    set search_path = makegood, pg_temp as $$
    select coalesce(sum(balance), 0)::bigint from accounts
    where house_id = p_house and campaign_id = p_campaign and kind = p_kind
$$;

-- Raises or lowers the committed budget by p_funding ([{funder, amount}], all of one sign).
create function commit_budget(p_house bigint, p_campaign text, p_currency text, p_funding jsonb) returns void
    language plpgsql set search_path = makegood, pg_temp as $$
declare
    v_total bigint := (select coalesce(sum((f ->> 'amount')::bigint), 0) from jsonb_array_elements(p_funding) f);
    v_funders bigint[];
    v_amounts bigint[];
    v_from_budget bigint;
begin
    if v_total = 0 then return; end if;
    select array_agg(open_account(p_house, 'funder', p_campaign, f ->> 'funder', p_currency)),
           array_agg(-(f ->> 'amount')::bigint) into v_funders, v_amounts from jsonb_array_elements(p_funding) f;
    v_from_budget := case when v_total > 0 then v_total else -least(-v_total, balance_of(p_house, p_campaign, 'budget')) end;
    perform post_entry(p_house, case when v_total > 0 then 'fund' else 'unfund' end, p_campaign,
        v_funders || open_account(p_house, 'budget', p_campaign, null, p_currency)
                  || open_account(p_house, 'stage', p_campaign, null, p_currency),
        v_amounts || v_from_budget || (v_total - v_from_budget));
end $$;

-- Opens the stage up to p_open minor units in all.
create function widen_stage(p_house bigint, p_campaign text, p_currency text, p_open bigint) returns void
    language plpgsql set search_path = makegood, pg_temp as $$
declare v_step bigint := p_open - (select stage_open from campaigns where house_id = p_house and campaign_id = p_campaign);
begin
    if v_step <= 0 then return; end if;
    perform post_entry(p_house, 'open_stage', p_campaign,
        array[open_account(p_house, 'budget', p_campaign, null, p_currency), open_account(p_house, 'stage', p_campaign, null, p_currency)],
        array[-v_step, v_step]);
    update campaigns set stage_open = p_open where house_id = p_house and campaign_id = p_campaign;
end $$;

-- Makes a revision live. p_plan: {revision, brief, policy, currency, budget, first_stage, limits[], funding[] = the change
-- of each funder's commitment}. Refused where the new budget is below what is reserved and granted.
create function go_live(p_house bigint, p_principal text, p_campaign text, p_plan jsonb) returns jsonb
    language plpgsql security definer set search_path = makegood, pg_temp as $$
declare
    v_batch bigint := begin_batch(p_house);
    v_row campaigns;
    v_budget bigint := (p_plan ->> 'budget')::bigint;
    v_used bigint;
    v_currency text := p_plan ->> 'currency';
begin
    perform lock_campaigns(p_house, array[p_campaign]);
    select * into v_row from campaigns where house_id = p_house and campaign_id = p_campaign;
    if v_row.budget <> (p_plan ->> 'budget_before')::bigint then return jsonb_build_object('outcome', 'revision_has_changed'); end if;
    v_used := balance_of(p_house, p_campaign, 'reserved') + balance_of(p_house, p_campaign, 'granted')
              + balance_of(p_house, p_campaign, 'settled');
    if v_budget < v_used then return jsonb_build_object('outcome', 'budget_is_below_use', 'used', v_used); end if;
    perform open_account(p_house, kind, p_campaign, null, v_currency) from unnest(array['budget', 'stage', 'reserved', 'granted']) kind;
    update campaigns set budget = greatest(budget, v_budget) where house_id = p_house and campaign_id = p_campaign;
    perform commit_budget(p_house, p_campaign, v_currency, p_plan -> 'funding');
    update campaigns set
        live = p_plan ->> 'revision', brief = p_plan ->> 'brief', policy = p_plan ->> 'policy', budget = v_budget,
        stage_open = least(stage_open, v_budget), stopped = false, stop_reason = null, stopped_by = null, stopped_at = null,
        resume_by = null, resume_reason = null, resume_until = null
        where house_id = p_house and campaign_id = p_campaign;
    perform widen_stage(p_house, p_campaign, v_currency, least((p_plan ->> 'first_stage')::bigint, v_budget));
    delete from limits where house_id = p_house and campaign_id = p_campaign;
    insert into limits select p_house, p_campaign, l.* from jsonb_to_recordset(p_plan -> 'limits')
        as l (subject text, period text, count_max bigint, amount_max bigint);
    perform rebuild_counters(p_house, p_campaign);
    perform live_set_changed(p_house);
    perform emit(p_house, 'campaign.live', p_campaign, jsonb_build_object('revision', p_plan ->> 'revision'));
    perform end_batch(p_house, v_batch, p_principal, 'campaign.live', p_campaign, p_plan - 'limits');
    return jsonb_build_object('outcome', 'done');
end $$;

create function open_stage(p_house bigint, p_principal text, p_campaign text, p_open bigint) returns jsonb
    language plpgsql security definer set search_path = makegood, pg_temp as $$
declare
    v_batch bigint := begin_batch(p_house);
    v_row campaigns;
begin
    perform lock_campaigns(p_house, array[p_campaign]);
    select * into v_row from campaigns where house_id = p_house and campaign_id = p_campaign;
    if v_row.stopped or v_row.live is null or p_open <= v_row.stage_open or p_open > v_row.budget then
        return jsonb_build_object('outcome', 'state_forbids');
    end if;
    perform widen_stage(p_house, p_campaign, v_row.currency, p_open);
    perform emit(p_house, 'campaign.stage_opened', p_campaign, jsonb_build_object('open', p_open));
    perform end_batch(p_house, v_batch, p_principal, 'campaign.open_stage', p_campaign, jsonb_build_object('open', p_open));
    return jsonb_build_object('outcome', 'done');
end $$;

-- Stops a campaign: once this has committed, nothing commits a grant of it. Holds stay good. Gives how many there are.
create function stop_campaign(p_house bigint, p_principal text, p_campaign text, p_reason text) returns jsonb
    language plpgsql security definer set search_path = makegood, pg_temp as $$
declare
    v_batch bigint := begin_batch(p_house);
    v_row campaigns;
    v_open bigint;
begin
    perform lock_campaigns(p_house, array[p_campaign]);
    select * into v_row from campaigns where house_id = p_house and campaign_id = p_campaign;
    if v_row.campaign_id is null then return jsonb_build_object('outcome', 'not_found'); end if;
    select count(*) into v_open from quotes q join grants g using (house_id, quote_id)
        where q.house_id = p_house and g.campaign_id = p_campaign and q.state = 'reserved';
    if v_row.live is null then return jsonb_build_object('outcome', 'state_forbids'); end if;
    if not v_row.stopped then
        update campaigns set stopped = true, stop_reason = p_reason, stopped_by = p_principal, stopped_at = clock_timestamp(),
            resume_by = null, resume_reason = null, resume_until = null
            where house_id = p_house and campaign_id = p_campaign;
        perform live_set_changed(p_house);
        perform emit(p_house, 'campaign.stopped', p_campaign, jsonb_build_object('reason', p_reason, 'principal', p_principal));
        perform end_batch(p_house, v_batch, p_principal, 'campaign.stop', p_campaign,
                          jsonb_build_object('reason', p_reason, 'honoured_quotes', v_open));
    end if;
    return jsonb_build_object('outcome', 'done', 'honoured_quotes', v_open);
end $$;

-- The first call records a request; another principal's call before its end confirms it. The author may do neither.
create function resume_campaign(p_house bigint, p_principal text, p_campaign text, p_reason text, p_seconds integer) returns jsonb
    language plpgsql security definer set search_path = makegood, pg_temp as $$
declare
    v_batch bigint := begin_batch(p_house);
    v_row campaigns;
    v_until timestamptz := clock_timestamp() + make_interval(secs => p_seconds);
begin
    perform lock_campaigns(p_house, array[p_campaign]);
    select * into v_row from campaigns where house_id = p_house and campaign_id = p_campaign;
    if v_row.campaign_id is null then return jsonb_build_object('outcome', 'not_found'); end if;
    if not v_row.stopped then return jsonb_build_object('outcome', 'state_forbids'); end if;
    if exists (select from documents where house_id = p_house and revision = v_row.live and author = p_principal) then
        return jsonb_build_object('outcome', 'principal_may_not');
    end if;
    if v_row.resume_by is null or v_row.resume_until < clock_timestamp() or v_row.resume_by = p_principal then
        if v_row.resume_by = p_principal and v_row.resume_until >= clock_timestamp() then
            return jsonb_build_object('outcome', 'resume_needs_another', 'until', v_row.resume_until);
        end if;
        update campaigns set resume_by = p_principal, resume_reason = p_reason, resume_until = v_until
            where house_id = p_house and campaign_id = p_campaign;
        perform emit(p_house, 'campaign.resume_requested', p_campaign, jsonb_build_object('principal', p_principal, 'reason', p_reason));
        perform end_batch(p_house, v_batch, p_principal, 'campaign.resume_request', p_campaign, jsonb_build_object('reason', p_reason));
        return jsonb_build_object('outcome', 'requested', 'until', v_until);
    end if;
    update campaigns set stopped = false, stop_reason = null, stopped_by = null, stopped_at = null,
        resume_by = null, resume_reason = null, resume_until = null
        where house_id = p_house and campaign_id = p_campaign;
    perform live_set_changed(p_house);
    perform emit(p_house, 'campaign.resumed', p_campaign, jsonb_build_object('principal', p_principal, 'requested_by', v_row.resume_by));
    perform end_batch(p_house, v_batch, p_principal, 'campaign.resume', p_campaign,
        jsonb_build_object('reason', p_reason, 'requested_by', v_row.resume_by));
    return jsonb_build_object('outcome', 'resumed');
end $$;

-- The server may call what moves money or changes the live set, and none of the parts those are made of.
do $$
declare f regprocedure;
begin
    for f in select p.oid::regprocedure from pg_proc p where p.pronamespace = 'makegood'::regnamespace and p.prokind = 'f' loop
        execute format('revoke all on function %s from public', f);
    end loop;
end $$;
grant execute on function house(), netstring(text[]),
    reserve(bigint, text, jsonb), capture(bigint, text, text, timestamptz, bigint, timestamptz),
    release(bigint, text, text), void_late(bigint, text, text), refund(bigint, text, text, text, bigint),
    expire(bigint, timestamptz, integer), replay(bigint, jsonb),
    record_act(bigint, text, text, text, jsonb), propose(bigint, text, text, text),
    put_policy_in_force(bigint, text, text), go_live(bigint, text, text, jsonb),
    open_stage(bigint, text, text, bigint), stop_campaign(bigint, text, text, text),
    resume_campaign(bigint, text, text, text, integer)
    to makegood_app;
revoke insert, update on policies from makegood_app;
revoke update on live_sets from makegood_app;
