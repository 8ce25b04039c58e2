-- Proofs, and the guard that asks for one: nothing goes live, comes back or comes into force on a proof of another world.
--
-- The solver runs before, without any lock. These functions hold the house's lock and compare what the proof names with
-- what is live at that moment.

-- Guards that a house does without, so that an incident can be replayed as it happened. Only a test house may, and only
-- from its first moment.
alter table houses add column guards_left_out text[] not null default '{}' check (guards_left_out <@ array['proof']);
alter table houses add constraint live_houses_keep_every_guard check (not live or guards_left_out = '{}');
create trigger houses_keep_their_kind before update of live, guards_left_out on houses
    for each row execute function refuse_change();

-- One proof: the revision, what it was proved against, and every obligation with its verdict and its question.
-- `proof` is the hash of all of it but the time. A policy's proof has no brief.
create table proofs (
    house_id   bigint  not null,
    proof      text    not null check (proof ~ '^prf_[0-9a-f]{64}$'),
    revision   text    not null,
    brief      text    not null,   -- empty for a policy
    policy     text    not null,
    live_set   text[]  not null,   -- revisions of the currency that were live beside it, scheduled and stopped ones too
    live_hash  bytea   not null,
    is_proved  boolean not null,
    rows       jsonb   not null check (jsonb_typeof(rows) = 'array'),
    questions  jsonb   not null check (jsonb_typeof(questions) = 'array'),   -- SMT-LIB text, one for each row
    exposure   jsonb,
    solver     text    not null,
    created_at timestamptz not null default now(),
    serial     bigint generated always as identity,
    primary key (house_id, proof),
    foreign key (house_id, revision) references documents,
    check (jsonb_array_length(rows) = jsonb_array_length(questions)),
    -- It says yes where every row does and no other: a campaign's has rows, a policy's none where it has no rule.
    constraint proofs_say_what_their_rows_say check (is_proved = (
        jsonb_array_length(rows) = jsonb_array_length(jsonb_path_query_array(rows, 'strict $[*] ? (@.verdict == "proved")'))
        and (jsonb_array_length(rows) > 0 or brief = '')))
);
create index proofs_by_world on proofs (house_id, revision, brief, policy, live_hash, serial);
create trigger proofs_are_immutable before update or delete on proofs execute function refuse_change();
call keep_houses_apart('proofs');
grant select on proofs to makegood_app;

-- The proof that the live revision went live with, or came back with.
alter table campaigns add column proof text;
alter table campaigns add foreign key (house_id, proof) references proofs;

create function hash_of_live_set(p_live text[]) returns bytea language sql immutable set search_path = makegood, pg_temp
    as $$ select sha256(convert_to(coalesce(array_to_string(p_live, ','), ''), 'UTF8')) $$;

-- What is live beside a campaign (empty: beside none), sorted: what a proof must have been made against.
create function live_beside(p_house bigint, p_currency text, p_campaign text) returns text[] language sql stable
    set search_path = makegood, pg_temp as $$
    select coalesce(array_agg(live order by live collate "C"), '{}') from campaigns
    where house_id = p_house and currency = p_currency and live is not null and campaign_id <> p_campaign
$$;

-- Whether a proof says yes to exactly this. The caller holds the house's lock.
create function proof_holds(p_house bigint, p_proof text, p_revision text, p_brief text, p_policy text, p_live text[])
    returns boolean language sql stable set search_path = makegood, pg_temp as $$
    select exists (select from houses where house_id = p_house and 'proof' = any (guards_left_out))
        or exists (select from proofs where house_id = p_house and proof = p_proof and is_proved and revision = p_revision
                   and brief = p_brief and policy = p_policy and live_set = p_live)
$$;

-- Keeps a proof and audits it under p_subject. p_proof: the columns of a proof. Kept again it does nothing.
create function keep_proof(p_house bigint, p_principal text, p_subject text, p_proof jsonb) returns void
    language plpgsql security definer set search_path = makegood, pg_temp as $$
declare
    v_batch bigint := begin_batch(p_house);
    v_live text[] := array(select jsonb_array_elements_text(p_proof -> 'live_set'));
    v_detail jsonb := jsonb_build_object(
        'proof', p_proof ->> 'proof', 'revision', p_proof ->> 'revision', 'is_proved', p_proof -> 'is_proved',
        'failed', jsonb_path_query_array(p_proof, '$.rows[*] ? (@.verdict != "proved").obligation'));
begin
    insert into proofs (house_id, proof, revision, brief, policy, live_set, live_hash, is_proved, rows, questions, exposure, solver)
        values (p_house, p_proof ->> 'proof', p_proof ->> 'revision', p_proof ->> 'brief', p_proof ->> 'policy', v_live,
                hash_of_live_set(v_live), (p_proof ->> 'is_proved')::boolean, p_proof -> 'rows', p_proof -> 'questions',
                nullif(p_proof -> 'exposure', 'null'), p_proof ->> 'solver')
        on conflict do nothing;
    if not found then return; end if;
    perform emit(p_house, 'proof.made', p_subject, v_detail);
    perform end_batch(p_house, v_batch, p_principal, 'proof.made', p_subject, v_detail);
end $$;

-- As before, and now also where the proof is of another revision, brief or policy, or of another live set.
create or replace function plan_is_old(p_row campaigns, p_plan jsonb) returns boolean language sql stable
    set search_path = makegood, pg_temp as $$
    select p_row.proposed <> p_plan ->> 'revision'
        or p_row.live is distinct from p_plan ->> 'live'
        or p_row.stopped_at is distinct from (p_plan ->> 'stopped_at')::timestamptz
        or not exists (select from policies p where p.house_id = p_row.house_id and p.currency = p_row.currency
                       and p.revision = p_plan ->> 'policy')
        or not exists (select from proposed_briefs b where b.house_id = p_row.house_id
                       and b.campaign_id = p_row.campaign_id and b.revision = p_plan ->> 'brief')
        or not proof_holds(p_row.house_id, p_plan ->> 'proof', p_plan ->> 'revision', p_plan ->> 'brief',
                           p_plan ->> 'policy', live_beside(p_row.house_id, p_row.currency, p_row.campaign_id))
$$;

-- Makes a revision live. p_plan: {revision, budget, first_stage, limits[], funding[] = the change of each
-- funder's commitment}, and what was seen when it was made: {policy, brief, live, stopped_at, proof}. Refused where that
-- has changed, so that nobody wipes a stop they did not see and no proof counts in another world, and where the new budget
-- is below what is reserved and granted. Afterwards it grants; a stop that was seen is over. Called again for the revision
-- that is live it does nothing. The audit row holds the whole plan, so that limits and proof cannot be changed unseen.
create or replace function go_live(p_house bigint, p_principal text, p_campaign text, p_plan jsonb) returns jsonb
    language plpgsql security definer set search_path = makegood, pg_temp as $$
declare
    v_batch bigint := begin_batch(p_house);
    v_row campaigns;
    v_budget bigint := (p_plan ->> 'budget')::bigint;
    v_used bigint;
    v_currency text;
begin
    perform lock_house(p_house);
    perform lock_campaigns(p_house, array[p_campaign]);
    select * into v_row from campaigns where house_id = p_house and campaign_id = p_campaign;
    v_currency := v_row.currency;
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
        live = p_plan ->> 'revision', brief = p_plan ->> 'brief', policy = p_plan ->> 'policy', proof = p_plan ->> 'proof',
        budget = v_budget, stage_open = least(stage_open, v_budget),
        stopped = false, stop_reason = null, stopped_by = null, stopped_at = null,
        resume_by = null, resume_reason = null, resume_until = null
        where house_id = p_house and campaign_id = p_campaign;
    perform widen_stage(p_house, p_campaign, v_currency, least((p_plan ->> 'first_stage')::bigint, v_budget));
    perform replace_limits(p_house, p_campaign, p_plan -> 'limits');
    perform live_set_changed(p_house);
    perform emit(p_house, 'campaign.live', p_campaign, jsonb_build_object('revision', p_plan ->> 'revision'));
    perform end_batch(p_house, v_batch, p_principal, 'campaign.live', p_campaign, p_plan);
    return jsonb_build_object('outcome', 'done');
end $$;

-- Puts a policy in force. Refused where the live set is no longer of p_version, or p_proof does not say that everything
-- live in its currency keeps it. Where nothing is live there is nothing to prove.
drop function put_policy_in_force(bigint, text, text, text, bigint);
create function put_policy_in_force(
    p_house bigint, p_principal text, p_currency text, p_revision text, p_version bigint, p_proof text)
    returns jsonb language plpgsql security definer set search_path = makegood, pg_temp as $$
declare
    v_batch bigint := begin_batch(p_house);
    v_version bigint := lock_house(p_house);
    v_live text[] := live_beside(p_house, p_currency, '');
    v_detail jsonb := jsonb_build_object('revision', p_revision, 'proof', p_proof);
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
    perform live_set_changed(p_house);
    perform emit(p_house, 'policy.in_force', p_currency, v_detail);
    perform end_batch(p_house, v_batch, p_principal, 'policy.in_force', p_currency, v_detail);
    return jsonb_build_object('outcome', 'done');
end $$;

-- The first call records a request; another principal's call before its end confirms it. The author may do neither.
-- p_proof must say that the live revision keeps its brief, today's policy and everything live beside it.
drop function resume_campaign(bigint, text, text, text, integer);
create function resume_campaign(
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
    if exists (select from documents where house_id = p_house and revision = v_row.live and author = p_principal) then
        return jsonb_build_object('outcome', 'principal_may_not');
    end if;
    if not proof_holds(p_house, p_proof, v_row.live, v_row.brief,
                       (select revision from policies where house_id = p_house and currency = v_row.currency),
                       live_beside(p_house, v_row.currency, p_campaign)) then
        return jsonb_build_object('outcome', 'revision_has_changed');
    end if;
    if v_row.resume_by is null or v_row.resume_until < clock_timestamp() or v_row.resume_by = p_principal then
        if v_row.resume_by = p_principal and v_row.resume_until >= clock_timestamp() then
            return jsonb_build_object('outcome', 'resume_needs_another', 'until', v_row.resume_until);
        end if;
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

-- Audits that a new house does without guards. The administrator calls it when it makes the house.
create function audit_guards_left_out(p_house bigint, p_guards text[]) returns void
    language plpgsql set search_path = makegood, pg_temp as $$
declare v_batch bigint := begin_batch(p_house);
begin
    perform emit(p_house, 'house.guards_left_out', 'house', jsonb_build_object('guards', p_guards));
    perform end_batch(p_house, v_batch, 'administrator', 'house.guards_left_out', 'house', jsonb_build_object('guards', p_guards));
end $$;

revoke all on function hash_of_live_set(text[]), live_beside(bigint, text, text),
    proof_holds(bigint, text, text, text, text, text[]), keep_proof(bigint, text, text, jsonb),
    put_policy_in_force(bigint, text, text, text, bigint, text),
    resume_campaign(bigint, text, text, text, integer, text), audit_guards_left_out(bigint, text[]) from public;
grant execute on function hash_of_live_set(text[]), live_beside(bigint, text, text), keep_proof(bigint, text, text, jsonb),
    put_policy_in_force(bigint, text, text, text, bigint, text),
    resume_campaign(bigint, text, text, text, integer, text) to makegood_app;
