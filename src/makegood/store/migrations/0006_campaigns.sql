-- Changes of what is proposed and live. Each writes one audit row and one event.
--
-- Locks are taken in this order, before those of 0004: the house's lock (its row of live_sets), then campaigns by id.
-- Nothing that reserves, captures or refunds takes the house's lock, so no payment waits for it.

-- Takes the house's lock: until the transaction ends nobody else changes what is proposed, live or in force.
-- Gives the version of the live set.
create function lock_house(p_house bigint) returns bigint language plpgsql set search_path = makegood, pg_temp as $$
declare v_version bigint;
begin
    insert into live_sets (house_id) values (p_house) on conflict do nothing;
    select version into v_version from live_sets where house_id = p_house for update;
    return v_version;
end $$;

-- Tells servers that their picture is old. The caller holds the house's lock.
create function live_set_changed(p_house bigint) returns void language sql set search_path = makegood, pg_temp as $$
    update live_sets set version = version + 1 where house_id = p_house
$$;

-- Proposes documents, all of them or none. p_documents: [{kind, subject, revision, canonical (hex), currency (of a
-- campaign)}]. A document that is known stays its first author's, and is proposed again.
create function publish(p_house bigint, p_principal text, p_subject text, p_documents jsonb) returns void
    language plpgsql security definer set search_path = makegood, pg_temp as $$
declare v_batch bigint := begin_batch(p_house);
begin
    perform lock_house(p_house);
    perform lock_campaigns(p_house, (select array_agg(d ->> 'subject') from jsonb_array_elements(p_documents) d
                                     where d ->> 'kind' = 'campaign'));
    insert into documents (house_id, revision, kind, subject, author, canonical)
        select p_house, d ->> 'revision', d ->> 'kind', d ->> 'subject', p_principal, decode(d ->> 'canonical', 'hex')
        from jsonb_array_elements(p_documents) with ordinality as t (d, n) order by n
        on conflict do nothing;
    insert into proposed_briefs
        select p_house, d ->> 'subject', d ->> 'revision' from jsonb_array_elements(p_documents) d where d ->> 'kind' = 'brief'
        on conflict (house_id, campaign_id) do update set revision = excluded.revision;
    insert into campaigns (house_id, campaign_id, currency, proposed)
        select p_house, d ->> 'subject', d ->> 'currency', d ->> 'revision' from jsonb_array_elements(p_documents) d
        where d ->> 'kind' = 'campaign'
        on conflict (house_id, campaign_id) do update set proposed = excluded.proposed;
    perform emit(p_house, 'document.published', p_subject, jsonb_build_object('revisions', jsonb_path_query_array(p_documents, '$[*].revision')));
    perform end_batch(p_house, v_batch, p_principal, 'document.published', p_subject,
        jsonb_build_object('revisions', jsonb_path_query_array(p_documents, '$[*].revision')));
end $$;

-- Records a principal's yes to a revision beside a brief (empty: none). Whether it is new; a second yes changes nothing.
create function approve(p_house bigint, p_principal text, p_subject text, p_revision text, p_brief text) returns boolean
    language plpgsql security definer set search_path = makegood, pg_temp as $$
declare
    v_batch bigint := begin_batch(p_house);
    v_detail jsonb := jsonb_build_object('revision', p_revision, 'brief', p_brief);
begin
    insert into approvals (house_id, revision, brief, principal) values (p_house, p_revision, p_brief, p_principal)
        on conflict do nothing;
    if not found then return false; end if;
    perform emit(p_house, 'revision.approved', p_subject, v_detail);
    perform end_batch(p_house, v_batch, p_principal, 'revision.approved', p_subject, v_detail);
    return true;
end $$;

-- Puts a policy in force. Refused where the live set is no longer of p_version: what is live now was not checked
-- against this policy.
create function put_policy_in_force(p_house bigint, p_principal text, p_currency text, p_revision text, p_version bigint)
    returns jsonb language plpgsql security definer set search_path = makegood, pg_temp as $$
declare
    v_batch bigint := begin_batch(p_house);
    v_version bigint := lock_house(p_house);
    v_detail jsonb := jsonb_build_object('revision', p_revision);
begin
    if exists (select from policies where house_id = p_house and currency = p_currency and revision = p_revision) then
        return jsonb_build_object('outcome', 'done');
    end if;
    if v_version <> p_version then return jsonb_build_object('outcome', 'revision_has_changed'); end if;
    insert into policies (house_id, currency, revision) values (p_house, p_currency, p_revision)
        on conflict (house_id, currency) do update set revision = excluded.revision;
    perform live_set_changed(p_house);
    perform emit(p_house, 'policy.in_force', p_currency, v_detail);
    perform end_batch(p_house, v_batch, p_principal, 'policy.in_force', p_currency, v_detail);
    return jsonb_build_object('outcome', 'done');
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

-- Changes what each funder has committed by p_funding ([{funder, amount}]): one entry for what is added, then one for
-- what is taken back, from what no stage holds first. Shares that round may do both at once.
create function commit_budget(p_house bigint, p_campaign text, p_currency text, p_funding jsonb) returns void
    language plpgsql set search_path = makegood, pg_temp as $$
declare
    v_sign smallint;
    v_total bigint;
    v_funders bigint[];
    v_amounts bigint[];
    v_budget bigint;
begin
    foreach v_sign in array array[1, -1] loop
        select sum((f ->> 'amount')::bigint), array_agg(-(f ->> 'amount')::bigint),
               array_agg(open_account(p_house, 'funder', p_campaign, f ->> 'funder', p_currency))
            into v_total, v_amounts, v_funders
            from jsonb_array_elements(p_funding) f where sign((f ->> 'amount')::bigint) = v_sign;
        continue when v_total is null;
        v_budget := greatest(v_total, -balance_of(p_house, p_campaign, 'budget'));
        perform post_entry(p_house, case v_sign when 1 then 'fund' else 'unfund' end, p_campaign,
            v_funders || open_account(p_house, 'budget', p_campaign, null, p_currency)
                      || open_account(p_house, 'stage', p_campaign, null, p_currency),
            v_amounts || v_budget || (v_total - v_budget));
    end loop;
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

-- What the plan of going live was made from, compared with what is so now. The caller holds the locks.
create function plan_is_old(p_row campaigns, p_plan jsonb) returns boolean language sql stable
    set search_path = makegood, pg_temp as $$
    select p_row.proposed <> p_plan ->> 'revision'
        or p_row.live is distinct from p_plan ->> 'live'
        or p_row.stopped_at is distinct from (p_plan ->> 'stopped_at')::timestamptz
        or not exists (select from policies p where p.house_id = p_row.house_id and p.currency = p_row.currency
                       and p.revision = p_plan ->> 'policy')
        or not exists (select from proposed_briefs b where b.house_id = p_row.house_id
                       and b.campaign_id = p_row.campaign_id and b.revision = p_plan ->> 'brief')
$$;

create function kept_pairs(p_house bigint, p_campaign text) returns text[] language sql stable
    set search_path = makegood, pg_temp as $$ select array_agg(subject || '/' || period) from kept_counters(p_house, p_campaign) $$;

-- Replaces a campaign's limits. Counters that were kept stay; those that are new are counted from the grants, which
-- takes as long as there are grants; those that nobody keeps any more go.
create function replace_limits(p_house bigint, p_campaign text, p_limits jsonb) returns void language plpgsql
    set search_path = makegood, pg_temp as $$
declare
    v_before text[] := kept_pairs(p_house, p_campaign);
    v_after text[];
begin
    delete from limits where house_id = p_house and campaign_id = p_campaign;
    insert into limits select p_house, p_campaign, l.* from jsonb_to_recordset(p_limits)
        as l (subject text, period text, count_max bigint, amount_max bigint);
    v_after := kept_pairs(p_house, p_campaign);
    if not v_before <@ v_after then
        delete from counters where house_id = p_house and campaign_id = p_campaign
            and subject || '/' || period <> all (v_after);
    end if;
    if v_after <@ v_before then return; end if;
    insert into counters (house_id, campaign_id, subject, period, ref, slot, count, amount)
        select p_house, p_campaign, k.subject, k.period, r.ref, s.slot, count(*), sum(g.discount)
        from kept_counters(p_house, p_campaign) k
        join grants g on g.house_id = p_house and g.campaign_id = p_campaign and g.counted,
             lateral (select counter_ref(k.subject, g.payer_ref, g.device_ref, g.payee_ref) as ref) r,
             lateral (select counter_slot(k.period, g.day, g.hour) as slot) s
        where r.ref is not null and k.subject || '/' || k.period <> all (v_before)
        group by k.subject, k.period, r.ref, s.slot;
end $$;

-- Makes a revision live. p_plan: {revision, currency, budget, first_stage, limits[], funding[] = the change of each
-- funder's commitment}, and what was seen when it was made: {policy, brief, live, stopped_at}. Refused where that has
-- changed, so that nobody wipes a stop they did not see, and where the new budget is below what is reserved and granted.
-- Afterwards it grants; a stop that was seen is over. Called again for the revision that is live it does nothing.
create function go_live(p_house bigint, p_principal text, p_campaign text, p_plan jsonb) returns jsonb
    language plpgsql security definer set search_path = makegood, pg_temp as $$
declare
    v_batch bigint := begin_batch(p_house);
    v_row campaigns;
    v_budget bigint := (p_plan ->> 'budget')::bigint;
    v_used bigint;
    v_currency text := p_plan ->> 'currency';
begin
    perform lock_house(p_house);
    perform lock_campaigns(p_house, array[p_campaign]);
    select * into v_row from campaigns where house_id = p_house and campaign_id = p_campaign;
    if v_row.live = p_plan ->> 'revision' then return jsonb_build_object('outcome', 'done'); end if;
    if plan_is_old(v_row, p_plan) then return jsonb_build_object('outcome', 'revision_has_changed'); end if;
    v_used := balance_of(p_house, p_campaign, 'reserved') + balance_of(p_house, p_campaign, 'granted')
              + balance_of(p_house, p_campaign, 'settled');
    if v_budget < v_used then return jsonb_build_object('outcome', 'budget_is_below_use', 'used', v_used); end if;
    perform open_account(p_house, kind, p_campaign, null, v_currency) from unnest(array['budget', 'stage', 'reserved', 'granted']) kind;
    update campaigns set budget = greatest(budget, v_budget) where house_id = p_house and campaign_id = p_campaign;
    perform commit_budget(p_house, p_campaign, v_currency, p_plan -> 'funding');
    -- Stages that are open stay open: their money was widened on evidence of this campaign, and grants already stand
    -- on it. A new revision closes them only where its budget is smaller.
    update campaigns set
        live = p_plan ->> 'revision', brief = p_plan ->> 'brief', policy = p_plan ->> 'policy', budget = v_budget,
        stage_open = least(stage_open, v_budget), stopped = false, stop_reason = null, stopped_by = null, stopped_at = null,
        resume_by = null, resume_reason = null, resume_until = null
        where house_id = p_house and campaign_id = p_campaign;
    perform widen_stage(p_house, p_campaign, v_currency, least((p_plan ->> 'first_stage')::bigint, v_budget));
    perform replace_limits(p_house, p_campaign, p_plan -> 'limits');
    perform live_set_changed(p_house);
    perform emit(p_house, 'campaign.live', p_campaign, jsonb_build_object('revision', p_plan ->> 'revision'));
    perform end_batch(p_house, v_batch, p_principal, 'campaign.live', p_campaign, p_plan - 'limits');
    return jsonb_build_object('outcome', 'done');
end $$;

-- Opens the stage of the revision that the caller saw, p_revision, up to p_open minor units in all.
create function open_stage(p_house bigint, p_principal text, p_campaign text, p_revision text, p_open bigint) returns jsonb
    language plpgsql security definer set search_path = makegood, pg_temp as $$
declare
    v_batch bigint := begin_batch(p_house);
    v_row campaigns;
begin
    perform lock_campaigns(p_house, array[p_campaign]);
    select * into v_row from campaigns where house_id = p_house and campaign_id = p_campaign;
    if v_row.stopped or v_row.live is distinct from p_revision or p_open <= v_row.stage_open or p_open > v_row.budget then
        return jsonb_build_object('outcome', 'state_forbids');
    end if;
    perform widen_stage(p_house, p_campaign, v_row.currency, p_open);
    perform emit(p_house, 'campaign.stage_opened', p_campaign, jsonb_build_object('open', p_open));
    perform end_batch(p_house, v_batch, p_principal, 'campaign.open_stage', p_campaign, jsonb_build_object('open', p_open));
    return jsonb_build_object('outcome', 'done');
end $$;

-- Stops a campaign: once this has committed, nothing commits a grant of it. Holds stay good; gives how many there are.
-- A stop of a stopped campaign is a stop: its reason is the newest, and a resume that was asked for is off.
create function stop_campaign(p_house bigint, p_principal text, p_campaign text, p_reason text) returns jsonb
    language plpgsql security definer set search_path = makegood, pg_temp as $$
declare
    v_batch bigint := begin_batch(p_house);
    v_row campaigns;
    v_open bigint;
begin
    perform lock_house(p_house);
    perform lock_campaigns(p_house, array[p_campaign]);
    select * into v_row from campaigns where house_id = p_house and campaign_id = p_campaign;
    if v_row.campaign_id is null then return jsonb_build_object('outcome', 'not_found'); end if;
    if v_row.live is null then return jsonb_build_object('outcome', 'state_forbids'); end if;
    select count(*) into v_open from quotes q join grants g using (house_id, quote_id)
        where q.house_id = p_house and g.campaign_id = p_campaign and q.state = 'reserved';
    update campaigns set stopped = true, stop_reason = p_reason, stopped_by = p_principal, stopped_at = clock_timestamp(),
        resume_by = null, resume_reason = null, resume_until = null
        where house_id = p_house and campaign_id = p_campaign;
    if not v_row.stopped then perform live_set_changed(p_house); end if;
    perform emit(p_house, 'campaign.stopped', p_campaign, jsonb_build_object('reason', p_reason, 'principal', p_principal));
    perform end_batch(p_house, v_batch, p_principal, 'campaign.stop', p_campaign,
                      jsonb_build_object('reason', p_reason, 'honoured_quotes', v_open));
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
    perform lock_house(p_house);
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
    reserve(bigint, text, jsonb, integer), capture(bigint, text, text, timestamptz, bigint, timestamptz),
    release(bigint, text, text), disown(bigint, text, text, text, boolean), refund(bigint, text, text, text, bigint),
    expire(bigint, timestamptz, integer), replay(bigint, jsonb), house_names(),
    balances(bigint, text[], bytea, bytea, bytea, text, text),
    publish(bigint, text, text, jsonb), approve(bigint, text, text, text, text),
    put_policy_in_force(bigint, text, text, text, bigint), go_live(bigint, text, text, jsonb),
    open_stage(bigint, text, text, text, bigint), stop_campaign(bigint, text, text, text),
    resume_campaign(bigint, text, text, text, integer)
    to makegood_app;
revoke update on live_sets from makegood_app;
