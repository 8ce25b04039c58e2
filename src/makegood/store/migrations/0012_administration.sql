-- Changes of what is live, on budgets: whoever changes a campaign locks all of its rows. And shares: a budget split so that
-- several writers do not wait for each other.

drop function open_account(bigint, text, text, text, text), post_entry(bigint, text, text, bigint[], bigint[]);

-- The account of a campaign, opened when it is first needed.
create function open_account(p_house bigint, p_kind text, p_campaign text, p_funder text, p_currency text, p_share smallint default 0)
    returns bigint language sql set search_path = makegood, pg_temp as $$
    insert into accounts (house_id, kind, campaign_id, funder, currency, share)
    values (p_house, p_kind, p_campaign, p_funder, p_currency, p_share)
    on conflict (house_id, kind, campaign_id, funder, currency, share) do update set balance = accounts.balance
    returning account_id
$$;

create function post_entry(p_house bigint, p_kind text, p_subject text, p_from bigint, p_to bigint, p_amount bigint)
    returns void language sql set search_path = makegood, pg_temp as $$
    insert into entries (house_id, batch, kind, subject, from_account, to_account, amount, at)
    select p_house, current_setting('makegood.batch')::bigint, p_kind, p_subject, p_from, p_to, p_amount, clock_timestamp()
    where p_amount > 0
$$;

-- Changes what each funder has committed by p_funding ([{funder, amount}]). What is taken back comes from what no stage
-- holds first. Shares of funders that round may do both at once.
create or replace function commit_budget(p_house bigint, p_campaign text, p_currency text, p_funding jsonb) returns void
    language plpgsql set search_path = makegood, pg_temp as $$
declare
    f record;
    a record;
    v_part bigint;
begin
    for f in select funder, amount from jsonb_to_recordset(p_funding) as x (funder text, amount bigint)
             where amount <> 0 order by amount < 0, funder loop
        if f.amount > 0 then
            perform post_entry(p_house, 'fund', p_campaign, open_account(p_house, 'funder', p_campaign, f.funder, p_currency),
                               open_account(p_house, 'budget', p_campaign, null, p_currency), f.amount);
            continue;
        end if;
        for a in select account_id from accounts where house_id = p_house and campaign_id = p_campaign
                 and kind in ('budget', 'stage') order by kind, share loop
            v_part := least(-f.amount, (select balance from accounts where house_id = p_house and account_id = a.account_id));
            perform post_entry(p_house, 'unfund', p_campaign, a.account_id,
                               open_account(p_house, 'funder', p_campaign, f.funder, p_currency), v_part);
            f.amount := f.amount + v_part;
        end loop;
        if f.amount <> 0 then raise exception 'more would be taken back than is there' using errcode = 'MG005'; end if;
    end loop;
end $$;

-- Opens the stage up to p_open minor units in all, in even parts for each share.
create or replace function widen_stage(p_house bigint, p_campaign text, p_currency text, p_open bigint) returns void
    language plpgsql set search_path = makegood, pg_temp as $$
declare
    v_row campaigns;
    v_step bigint;
begin
    select * into v_row from campaigns where house_id = p_house and campaign_id = p_campaign;
    v_step := p_open - v_row.stage_open;
    if v_step <= 0 then return; end if;
    perform post_entry(p_house, 'open_stage', p_campaign, open_account(p_house, 'budget', p_campaign, null, p_currency),
                       open_account(p_house, 'stage', p_campaign, null, p_currency, s::smallint),
                       v_step / v_row.shares + case when s < v_step % v_row.shares then 1 else 0 end)
        from generate_series(0, v_row.shares - 1) s;
    update campaigns set stage_open = p_open where house_id = p_house and campaign_id = p_campaign;
end $$;

-- The budgets of a campaign, one a share, with their accounts. They grant p_live from now on, unless p_stopped.
create function open_budgets(p_house bigint, p_campaign text, p_live text, p_stopped boolean) returns void language sql
    set search_path = makegood, pg_temp as $$
    insert into budgets (house_id, campaign_id, share, live, stopped, stage, reserved, granted)
        select c.house_id, c.campaign_id, s, p_live, p_stopped,
            open_account(c.house_id, 'stage', c.campaign_id, null, c.currency, s::smallint),
            open_account(c.house_id, 'reserved', c.campaign_id, null, c.currency, s::smallint),
            open_account(c.house_id, 'granted', c.campaign_id, null, c.currency, s::smallint)
        from campaigns c, generate_series(0, c.shares - 1) s where c.house_id = p_house and c.campaign_id = p_campaign
        on conflict do nothing;
    update budgets set live = p_live, stopped = p_stopped where house_id = p_house and campaign_id = p_campaign;
$$;

-- Replaces a campaign's limits. Counters that were kept stay; those that are new are counted from the grants, which
-- takes as long as there are grants; those that nobody keeps any more go.
create or replace function kept_pairs(p_house bigint, p_campaign text) returns text[] language sql stable
    set search_path = makegood, pg_temp as $$
    select array_agg(scope || '/' || subject || '/' || period) from kept_counters(p_house, p_campaign)
$$;

create function recount(p_house bigint, p_campaign text, p_before text[]) returns void language plpgsql
    set search_path = makegood, pg_temp as $$
declare v_after text[] := kept_pairs(p_house, p_campaign);
begin
    delete from counters where house_id = p_house and campaign_id = p_campaign
        and campaign_id || '/' || subject || '/' || period <> all (v_after);
    if v_after <@ p_before then return; end if;
    insert into counters as c (house_id, campaign_id, subject, period, ref, slot, count, amount)
        select p_house, k.scope, k.subject, k.period, r.ref, s.slot, count(*), sum(g.discount)
        from kept_counters(p_house, p_campaign) k
        join grants g on g.house_id = p_house and g.campaign_id = p_campaign and g.counted,
             lateral (select counter_ref(k.subject, k.is_right, g.payer_ref, g.device_ref, g.payee_ref, g.share) as ref) r,
             lateral (select counter_slot(k.period, g.day, g.hour) as slot) s
        where r.ref is not null and k.scope || '/' || k.subject || '/' || k.period <> all (p_before)
        group by 2, 3, 4, 5, 6 order by 2, 3, 4, 5, 6
        on conflict (house_id, campaign_id, subject, period, ref, slot)
            do update set count = c.count + excluded.count, amount = c.amount + excluded.amount;
end $$;
drop function replace_limits(bigint, text, jsonb);

-- What a campaign has counted for limits that it shares is given back before its label or those limits change.
create function uncount_shared(p_house bigint, p_campaign text) returns void language sql set search_path = makegood, pg_temp as $$
    update counters c set count = c.count - d.count, amount = c.amount - d.amount from (
            select k.scope, k.subject, k.period, r.ref, s.slot, count(*) as count, sum(g.discount) as amount
            from kept_counters(p_house, p_campaign) k
            join grants g on g.house_id = p_house and g.campaign_id = p_campaign and g.counted,
                 lateral (select counter_ref(k.subject, k.is_right, g.payer_ref, g.device_ref, g.payee_ref, g.share) as ref) r,
                 lateral (select counter_slot(k.period, g.day, g.hour) as slot) s
            where r.ref is not null and k.scope <> p_campaign group by 1, 2, 3, 4, 5) d
        where c.house_id = p_house and c.campaign_id = d.scope and c.subject = d.subject and c.period = d.period
          and c.ref = d.ref and c.slot = d.slot
$$;

-- Makes a revision live. p_plan: {revision, label, budget, first_stage, limits[], funding[] = the change of each funder's
-- commitment}, and what was seen when it was made: {policy, brief, live, stopped_at, proof}. Refused where that has
-- changed, so that nobody wipes a stop they did not see and no proof counts in another world, and where the new budget is
-- below what is reserved and granted. Afterwards it grants; a stop that was seen is over. Called again for the revision
-- that is live it does nothing. The audit row holds the whole plan, so that limits and proof cannot be changed unseen.
create or replace function go_live(p_house bigint, p_principal text, p_campaign text, p_plan jsonb) returns jsonb
    language plpgsql security definer set search_path = makegood, pg_temp as $$
declare
    v_batch bigint := begin_batch(p_house);
    v_row campaigns;
    v_budget bigint := (p_plan ->> 'budget')::bigint;
    v_used bigint;
    v_before text[];
begin
    perform lock_house(p_house);
    perform lock_limits(p_house, array[p_campaign]);
    perform lock_campaigns(p_house, array[p_campaign]);
    select * into v_row from campaigns where house_id = p_house and campaign_id = p_campaign;
    if v_row.live = p_plan ->> 'revision' then return jsonb_build_object('outcome', 'done'); end if;
    if plan_is_old(v_row, p_plan) then return jsonb_build_object('outcome', 'revision_has_changed'); end if;
    v_used := balance_of(p_house, p_campaign, 'reserved') + balance_of(p_house, p_campaign, 'granted')
              + balance_of(p_house, p_campaign, 'settled');
    if v_budget < v_used then return jsonb_build_object('outcome', 'budget_is_below_use', 'used', v_used); end if;
    -- A total that counts all payers is exact in one share only.
    if v_row.shares > 1 and exists (select from jsonb_array_elements(p_plan -> 'limits') l where l ->> 'subject' = 'all') then
        perform join_shares(p_house, p_campaign);
    end if;
    v_before := kept_pairs(p_house, p_campaign);
    if v_row.label is distinct from p_plan ->> 'label' and exists (select from shared_limits where house_id = p_house) then
        perform uncount_shared(p_house, p_campaign);
        v_before := array(select b from unnest(v_before) b where b not like 'policy:%');
    end if;
    update campaigns set budget = greatest(budget, v_budget), label = coalesce(p_plan ->> 'label', '')
        where house_id = p_house and campaign_id = p_campaign;
    perform open_budgets(p_house, p_campaign, p_plan ->> 'revision', false);
    perform commit_budget(p_house, p_campaign, v_row.currency, p_plan -> 'funding');
    -- Stages that are open stay open: their money was widened on evidence of this campaign, and grants already stand
    -- on it. A new revision closes them only where its budget is smaller.
    update campaigns set
        live = p_plan ->> 'revision', brief = p_plan ->> 'brief', policy = p_plan ->> 'policy', proof = p_plan ->> 'proof',
        budget = v_budget, stage_open = least(stage_open, v_budget),
        stopped = false, stop_reason = null, stopped_by = null, stopped_at = null,
        resume_by = null, resume_reason = null, resume_until = null
        where house_id = p_house and campaign_id = p_campaign;
    perform widen_stage(p_house, p_campaign, v_row.currency, least((p_plan ->> 'first_stage')::bigint, v_budget));
    delete from limits where house_id = p_house and campaign_id = p_campaign;
    insert into limits select p_house, p_campaign, l.* from jsonb_to_recordset(p_plan -> 'limits')
        as l (subject text, period text, count_max bigint, amount_max bigint);
    perform recount(p_house, p_campaign, v_before);
    perform live_set_changed(p_house);
    perform emit(p_house, 'campaign.live', p_campaign, jsonb_build_object('revision', p_plan ->> 'revision'));
    perform end_batch(p_house, v_batch, p_principal, 'campaign.live', p_campaign, p_plan);
    return jsonb_build_object('outcome', 'done');
end $$;

-- Puts a policy in force with the limits that campaigns share (p_limits: [{limit_id, labels, subject, period, count_max,
-- amount_max}]). Refused where the live set is no longer of p_version, or p_proof does not say that everything live in its
-- currency keeps it. Where nothing is live there is nothing to prove. Shared limits that are new or count otherwise are
-- counted from the grants, while nothing in this currency is granted.
drop function put_policy_in_force(bigint, text, text, text, bigint, text);
create function put_policy_in_force(p_house bigint, p_principal text, p_currency text, p_revision text, p_version bigint,
                                    p_proof text, p_limits jsonb) returns jsonb
    language plpgsql security definer set search_path = makegood, pg_temp as $$
declare
    v_batch bigint := begin_batch(p_house);
    v_version bigint := lock_house(p_house);
    v_live text[] := live_beside(p_house, p_currency, '');
    v_detail jsonb := jsonb_build_object('revision', p_revision, 'proof', p_proof, 'limits', p_limits);
    v_campaigns text[];
begin
    if exists (select from policies where house_id = p_house and currency = p_currency and revision = p_revision) then
        return jsonb_build_object('outcome', 'done');
    end if;
    if v_version <> p_version
        or v_live <> '{}' and not proof_holds(p_house, p_proof, p_revision, '', p_revision, v_live) then
        return jsonb_build_object('outcome', 'revision_has_changed');
    end if;
    insert into policies (house_id, currency, revision) values (p_house, p_currency, p_revision)
        on conflict (house_id, currency) do update set revision = excluded.revision;
    if p_limits <> '[]' or exists (select from shared_limits where house_id = p_house and currency = p_currency) then
        v_campaigns := array(select campaign_id from campaigns where house_id = p_house and currency = p_currency order by campaign_id);
        perform lock_limits(p_house, v_campaigns);
        perform lock_campaigns(p_house, v_campaigns);
        delete from counters c using shared_limits s where c.house_id = p_house and s.house_id = p_house
            and s.currency = p_currency and c.campaign_id = 'policy:' || s.currency || ':' || s.limit_id;
        delete from shared_limits where house_id = p_house and currency = p_currency;
        insert into shared_limits select p_house, p_currency, l.* from jsonb_to_recordset(p_limits)
            as l (limit_id text, labels text[], subject text, period text, count_max bigint, amount_max bigint);
        perform recount(p_house, c, array(select p from unnest(kept_pairs(p_house, c)) p where p not like 'policy:%'))
            from unnest(v_campaigns) c;
    end if;
    perform live_set_changed(p_house);
    perform emit(p_house, 'policy.in_force', p_currency, v_detail);
    perform end_batch(p_house, v_batch, p_principal, 'policy.in_force', p_currency, v_detail);
    return jsonb_build_object('outcome', 'done');
end $$;

-- A campaign's own row says what people see; its budgets follow within the statement.
create function budgets_follow() returns trigger language plpgsql security definer set search_path = makegood, pg_temp as $$
begin
    update budgets set stopped = new.stopped where house_id = new.house_id and campaign_id = new.campaign_id;
    return null;
end $$;
create trigger budgets_follow_their_campaign after update of stopped on campaigns for each row
    when (new.stopped is distinct from old.stopped) execute function budgets_follow();

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
    perform lock_campaigns(p_house, array[p_campaign]);
    select * into v_row from campaigns where house_id = p_house and campaign_id = p_campaign;
    if v_row.campaign_id is null then return jsonb_build_object('outcome', 'not_found'); end if;
    if v_row.live is null then return jsonb_build_object('outcome', 'state_forbids'); end if;
    select sum(holds) into v_open from budgets where house_id = p_house and campaign_id = p_campaign;
    update campaigns set stopped = true, stop_reason = p_reason, stopped_by = p_principal, stopped_at = clock_timestamp(),
        resume_by = null, resume_reason = null, resume_until = null
        where house_id = p_house and campaign_id = p_campaign;
    if not v_row.stopped then perform live_set_changed(p_house); end if;
    perform emit(p_house, 'campaign.stopped', p_campaign, jsonb_build_object('reason', p_reason, 'principal', p_principal));
    perform end_batch(p_house, v_batch, p_principal, 'campaign.stop', p_campaign,
                      jsonb_build_object('reason', p_reason, 'honoured_quotes', v_open));
    return jsonb_build_object('outcome', 'done', 'honoured_quotes', v_open);
end $$;

-- -- shares ---------------------------------------------------------------------------------------------

-- Moves money between the stages of a campaign's shares so that p_share holds at least p_need, if all together do, and
-- otherwise as evenly as may be (escrow: O'Neil 1986). The caller holds the campaign's budgets.
create function level_shares(p_house bigint, p_campaign text, p_share integer, p_need bigint, p_shares integer) returns void
    language plpgsql set search_path = makegood, pg_temp as $$
declare
    v_total bigint := balance_of(p_house, p_campaign, 'stage');
    v_mine bigint := greatest(v_total / p_shares, least(p_need, v_total));
    v_each bigint := case when p_shares > 1 then (v_total - v_mine) / (p_shares - 1) else 0 end;
    v_accounts bigint[];
    v_excess bigint[];
    v_part bigint;
    v_to integer := 1;
begin
    -- What does not divide stays with p_share; shares that are no longer used hold nothing.
    v_mine := v_total - v_each * (p_shares - 1);
    select array_agg(a.account_id order by b.share),
           array_agg(a.balance - case when b.share = p_share then v_mine when b.share < p_shares then v_each else 0 end order by b.share)
        into v_accounts, v_excess
        from budgets b join accounts a on a.house_id = b.house_id and a.account_id = b.stage
        where b.house_id = p_house and b.campaign_id = p_campaign;
    for v_from in 1 .. cardinality(v_accounts) loop
        while v_excess[v_from] > 0 loop
            while v_excess[v_to] >= 0 loop v_to := v_to + 1; end loop;
            v_part := least(v_excess[v_from], -v_excess[v_to]);
            perform post_entry(p_house, 'rebalance', p_campaign, v_accounts[v_from], v_accounts[v_to], v_part);
            v_excess[v_from] := v_excess[v_from] - v_part;
            v_excess[v_to] := v_excess[v_to] + v_part;
        end loop;
    end loop;
end $$;

create function join_shares(p_house bigint, p_campaign text) returns void language plpgsql
    set search_path = makegood, pg_temp as $$
begin
    perform level_shares(p_house, p_campaign, 0, 0, 1);
    update campaigns set shares = 1 where house_id = p_house and campaign_id = p_campaign;
end $$;

-- Splits a campaign's budget into so many shares. Refused where one of its limits counts all payers together.
create function split_budget(p_house bigint, p_principal text, p_campaign text, p_shares integer) returns jsonb
    language plpgsql security definer set search_path = makegood, pg_temp as $$
declare
    v_batch bigint := begin_batch(p_house);
    v_row campaigns;
begin
    perform lock_campaigns(p_house, array[p_campaign]);
    select * into v_row from campaigns where house_id = p_house and campaign_id = p_campaign;
    if v_row.campaign_id is null then return jsonb_build_object('outcome', 'not_found'); end if;
    if v_row.live is null or p_shares not between 1 and 64 then return jsonb_build_object('outcome', 'state_forbids'); end if;
    if p_shares > 1 and exists (select from limits where house_id = p_house and campaign_id = p_campaign and subject = 'all') then
        return jsonb_build_object('outcome', 'limit_counts_all');
    end if;
    if v_row.shares = p_shares then return jsonb_build_object('outcome', 'done'); end if;
    update campaigns set shares = p_shares where house_id = p_house and campaign_id = p_campaign;
    perform open_budgets(p_house, p_campaign, v_row.live, v_row.stopped);
    perform level_shares(p_house, p_campaign, 0, 0, p_shares);
    perform emit(p_house, 'campaign.shares_changed', p_campaign, jsonb_build_object('shares', p_shares));
    perform end_batch(p_house, v_batch, p_principal, 'campaign.split', p_campaign, jsonb_build_object('shares', p_shares));
    return jsonb_build_object('outcome', 'done');
end $$;

-- Gives the share of a lane what it lacks from the others: p_need minor units, or all that there is. Whether there is any.
create function rebalance(p_house bigint, p_campaign text, p_lane integer, p_need bigint) returns boolean
    language plpgsql security definer set search_path = makegood, pg_temp as $$
declare
    v_batch bigint := begin_batch(p_house);
    v_shares integer;
begin
    perform lock_campaigns(p_house, array[p_campaign]);   -- A split that is under way opens rows that nobody else sees yet.
    select shares into v_shares from campaigns where house_id = p_house and campaign_id = p_campaign;
    if v_shares is null or balance_of(p_house, p_campaign, 'stage') = 0 then return false; end if;
    perform level_shares(p_house, p_campaign, p_lane % v_shares, p_need, v_shares);
    if exists (select from entries where house_id = p_house and batch = v_batch
               and entry_id >= current_setting('makegood.before')::bigint) then
        perform emit(p_house, 'campaign.rebalanced', p_campaign, '{}');
        perform end_batch(p_house, v_batch, 'makegood', 'campaign.rebalance', p_campaign, '{}');
    end if;
    return true;
end $$;

-- -- who may call what ----------------------------------------------------------------------------------

do $$
declare f regprocedure;
begin
    for f in select p.oid::regprocedure from pg_proc p where p.pronamespace = 'makegood'::regnamespace and p.prokind = 'f' loop
        execute format('revoke all on function %s from public', f);
    end loop;
    for f in select p.oid::regprocedure from pg_proc p where p.pronamespace = 'makegood'::regnamespace and p.proname in (
        'reserve', 'capture', 'release', 'disown', 'refund', 'expire', 'replay', 'known_payments', 'put_policy_in_force', 'split_budget', 'rebalance',
        'house', 'netstring') loop
        execute format('grant execute on function %s to makegood_app', f);
    end loop;
end $$;
