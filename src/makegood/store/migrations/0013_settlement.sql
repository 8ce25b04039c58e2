-- Settlement: what campaigns granted in a day is billed to those who fund them.
--
-- A grant belongs to the funding (who pays, in which shares) of the revision that granted it. Each funding of a campaign
-- has a running total of what was granted less what was returned. What its funders were billed is at any moment the split
-- of a running total by the largest remainder: a day is billed as the difference of two splits, so roundings never add up.
--
-- Locks: who settles holds a campaign's budgets, then its fundings, then the audit head; who refunds comes to the fundings
-- with one budget.

insert into legal_entries values
    ('settle', 'granted', 'settled'), ('settle', 'settled', 'granted'),
    ('reverse', 'settled', 'granted'), ('reverse', 'granted', 'settled');

-- Entries are written in the order of time, so a few pages hold a day.
create index entries_by_time on entries using brin (at) with (autosummarize = on);

create table fundings (
    house_id    bigint   not null,
    campaign_id text     not null,
    funding     smallint not null,
    funders     text[]   not null,   -- in the order of their ids
    weights     bigint[] not null,   -- basis points
    counted     bigint   not null default 0 check (counted >= 0),  -- the running total at the end of the last day settled
    billed      bigint   not null default 0 check (billed >= 0),   -- the one whose split the settled accounts hold now
    bills       bigint   not null default 0,
    primary key (house_id, campaign_id, funding),
    unique (house_id, campaign_id, funders, weights),
    check (cardinality(funders) = cardinality(weights) and cardinality(funders) > 0 and 0 <= all (weights))
);

create table funded_revisions (
    house_id    bigint   not null,
    campaign_id text     not null,
    revision    text     not null,
    funding     smallint not null,
    primary key (house_id, campaign_id, revision),
    foreign key (house_id, revision) references documents,
    foreign key (house_id, campaign_id, funding) references fundings
);

-- Every change of `fundings.billed`, in order.
create table bills (
    house_id    bigint   not null,
    campaign_id text     not null,
    funding     smallint not null,
    number      bigint   not null,
    batch       bigint   not null,
    kind        text     not null check (kind in ('settle', 'reverse')),
    day         date check ((day is null) = (kind = 'reverse')),   -- the day settled
    total       bigint   not null check (total >= 0),
    primary key (house_id, campaign_id, funding, number),
    foreign key (house_id, campaign_id, funding) references fundings
);
create index bills_by_batch on bills (house_id, batch);

create table settlement_days (
    house_id bigint not null references houses,
    currency text   not null,
    day      date   not null,
    zone     text   not null,
    since    timestamptz not null,   -- the end of the day before
    until    timestamptz not null check (until >= since),
    primary key (house_id, currency, day)
);

create table day_totals (
    house_id    bigint not null,
    currency    text   not null,
    day         date   not null,
    campaign_id text   not null,
    revision    text   not null,
    captured    bigint not null check (captured >= 0),
    returned    bigint not null check (returned >= 0),
    primary key (house_id, currency, day, campaign_id, revision),
    foreign key (house_id, currency, day) references settlement_days
);

create table settlements (
    house_id    bigint not null,
    currency    text   not null,
    day         date   not null,
    campaign_id text   not null,
    batch       bigint not null,
    primary key (house_id, currency, day, campaign_id),
    foreign key (house_id, currency, day) references settlement_days
);

-- One funder's part of one campaign's day. `total` is the running total of the funding, `billed` the funder's part of it.
create table statement_lines (
    house_id      bigint   not null,
    currency      text     not null,
    day           date     not null,
    campaign_id   text     not null,
    funding       smallint not null,
    funder        text     not null,
    weight        bigint   not null,
    total_before  bigint   not null,
    total         bigint   not null,
    billed_before bigint   not null,
    billed        bigint   not null,
    primary key (house_id, currency, day, funder, campaign_id, funding),
    foreign key (house_id, currency, day, campaign_id) references settlements
);

-- A funder's day. Each names the one before by its hash, so that whoever keeps them knows that none was changed.
create table statements (
    house_id bigint not null,
    currency text   not null,
    day      date   not null,
    funder   text   not null,
    number   bigint not null,
    opening  bigint not null,
    closing  bigint not null,
    batch    bigint not null,
    previous bytea  not null check (length(previous) = 32),
    hash     bytea  not null check (length(hash) = 32),
    primary key (house_id, currency, funder, number),
    unique (house_id, currency, funder, day),
    foreign key (house_id, currency, day) references settlement_days
);

create table settled_days (
    house_id bigint not null,
    currency text   not null,
    day      date   not null,
    batch    bigint not null,
    amount   bigint not null,
    primary key (house_id, currency, day),
    foreign key (house_id, currency, day) references settlement_days
);

create trigger funded_revisions_are_immutable before update or delete on funded_revisions execute function refuse_change();
create trigger bills_are_immutable before update or delete on bills execute function refuse_change();
create trigger settlement_days_are_immutable before update or delete on settlement_days execute function refuse_change();
create trigger day_totals_are_immutable before update or delete on day_totals execute function refuse_change();
create trigger settlements_are_immutable before update or delete on settlements execute function refuse_change();
create trigger statement_lines_are_immutable before update or delete on statement_lines execute function refuse_change();
create trigger statements_are_immutable before update or delete on statements execute function refuse_change();
create trigger settled_days_are_immutable before update or delete on settled_days execute function refuse_change();
create trigger fundings_are_kept before delete on fundings execute function refuse_change();
create trigger fundings_stay_whose_they_are before update of house_id, campaign_id, funding, funders, weights on fundings
    execute function refuse_change();

call keep_houses_apart('fundings');
call keep_houses_apart('funded_revisions');
call keep_houses_apart('bills');
call keep_houses_apart('settlement_days');
call keep_houses_apart('day_totals');
call keep_houses_apart('settlements');
call keep_houses_apart('statement_lines');
call keep_houses_apart('statements');
call keep_houses_apart('settled_days');
grant select on fundings, funded_revisions, bills, settlement_days, day_totals, settlements, statement_lines, statements,
    settled_days to makegood_app;

-- -- the split -----------------------------------------------------------------------------------------

-- A total in parts proportional to weights by the largest remainder, ties to the earlier one: `money.split`.
create function split_total(p_total bigint, p_weights bigint[]) returns bigint[] language sql immutable strict parallel safe
    set search_path = makegood, pg_temp as $$
    with parts as (
        select n, div(p_total::numeric * w, sum(w) over ()) as part, mod(p_total::numeric * w, sum(w) over ()) as rest
        from unnest(p_weights) with ordinality as t (w, n)
    ), ranked as (
        select n, part, row_number() over (order by rest desc, n) as place, p_total - sum(part) over () as left_over from parts
    )
    select array_agg((part + case when place <= left_over then 1 else 0 end)::bigint order by n) from ranked
$$;

-- Who pays for the grants of a revision, read from its bytes.
create function shares_of(p_house bigint, p_revision text, out funders text[], out weights bigint[]) language sql stable
    set search_path = makegood, pg_temp as $$
    select array_agg(f ->> 'funder' order by f ->> 'funder' collate "C"),
           array_agg((trim(trailing '%' from f ->> 'share')::numeric * 100)::bigint order by f ->> 'funder' collate "C")
    from documents d, jsonb_array_elements(convert_from(d.canonical, 'UTF8')::jsonb -> 'funding') f
    where d.house_id = p_house and d.revision = p_revision and d.kind = 'campaign'
$$;

-- The funding of a revision, numbered when it is met first. The caller holds the campaign's budgets.
create function funding_of(p_house bigint, p_campaign text, p_revision text) returns smallint language plpgsql
    set search_path = makegood, pg_temp as $$
declare
    v_shares record;
    v_funding smallint := (select funding from funded_revisions
                           where house_id = p_house and campaign_id = p_campaign and revision = p_revision);
begin
    if v_funding is not null then return v_funding; end if;
    select * into v_shares from shares_of(p_house, p_revision);
    if v_shares.funders is null then raise exception 'revision % names nobody who funds it', p_revision using errcode = 'MG005'; end if;
    insert into fundings (house_id, campaign_id, funding, funders, weights)
        select p_house, p_campaign, coalesce(max(funding), 0) + 1, v_shares.funders, v_shares.weights from fundings
        where house_id = p_house and campaign_id = p_campaign
        on conflict (house_id, campaign_id, funders, weights) do nothing;
    insert into accounts (house_id, kind, campaign_id, funder, currency)
        select p_house, 'settled', p_campaign, f, c.currency from unnest(v_shares.funders) f, campaigns c
        where c.house_id = p_house and c.campaign_id = p_campaign
        on conflict do nothing;
    select funding into v_funding from fundings where house_id = p_house and campaign_id = p_campaign
        and (funders, weights) = (v_shares.funders, v_shares.weights);
    insert into funded_revisions values (p_house, p_campaign, p_revision, v_funding);
    return v_funding;
end $$;

-- -- bills ---------------------------------------------------------------------------------------------

-- What a step of `bill` moves, one row a funder: a step sets the running total of one funding.
create function bill_moves(p_house bigint, p_campaign text, p_steps jsonb)
    returns table (step bigint, kind text, account_id bigint, amount bigint) language sql
    set search_path = makegood, pg_temp as $$
    with steps as (
        select n, s ->> 'kind' as kind, f.funders, split_total((s ->> 'total')::bigint, f.weights) as after,
               split_total(lag((s ->> 'total')::bigint, 1, f.billed) over (partition by f.funding order by n), f.weights) as before
        from jsonb_array_elements(p_steps) with ordinality as t (s, n)
        join fundings f on f.house_id = p_house and f.campaign_id = p_campaign and f.funding = (s ->> 'funding')::smallint
    )
    select n, s.kind, a.account_id, x.after - x.before
    from steps s cross join lateral unnest(s.funders, s.before, s.after) as x (funder, before, after)
    join accounts a on a.house_id = p_house and a.campaign_id = p_campaign and a.kind = 'settled' and a.funder = x.funder
    where x.after <> x.before
$$;

-- Books what the steps move, in one statement, so that money may pass through the granted account of p_share: what funders
-- get back goes there, and what they are billed comes from there first and then from the other shares.
create function book_moves(p_house bigint, p_campaign text, p_share smallint, p_steps jsonb) returns void language plpgsql
    set search_path = makegood, pg_temp as $$
declare v_missing bigint;
begin
    with moves as materialized (
        select * from bill_moves(p_house, p_campaign, p_steps)
    ), granted as (
        select account_id, share, balance - case when share = p_share
            then (select coalesce(sum(amount), 0) from moves where amount < 0) else 0 end as amount
        from accounts where house_id = p_house and campaign_id = p_campaign and kind = 'granted'
    ), sources as (
        select *, sum(amount) over (order by share <> p_share, share) as upper from granted
    ), demands as (
        select *, sum(amount) over (order by step, account_id) as upper from moves where amount > 0
    ), booked as (
        insert into entries (house_id, batch, kind, subject, from_account, to_account, amount, at)
        select p_house, current_setting('makegood.batch')::bigint, kind, p_campaign, from_account, to_account, amount, clock_timestamp()
        from (
            select step, kind, m.account_id as from_account, g.account_id as to_account, -m.amount as amount
            from moves m join granted g on g.share = p_share where m.amount < 0
            union all
            select step, kind, s.account_id, d.account_id, least(s.upper, d.upper) - greatest(s.upper - s.amount, d.upper - d.amount)
            from demands d join sources s on least(s.upper, d.upper) > greatest(s.upper - s.amount, d.upper - d.amount)
        ) x order by step, from_account, to_account
        returning to_account, amount
    )
    select coalesce((select sum(amount) from demands), 0)
           - coalesce((select sum(amount) from booked where to_account in (select account_id from demands)), 0) into v_missing;
    if v_missing <> 0 then
        raise exception '% minor units of % are billed but not granted', v_missing, p_campaign using errcode = 'MG006';
    end if;
end $$;

-- Sets the running totals that funders of a campaign are billed for, step by step: [{funding, kind, total}]. Afterwards the
-- settled accounts hold the split of each, and the difference was booked, in whichever direction. The caller holds the
-- budget of p_share, or all of them, and the campaign's fundings.
create function bill(p_house bigint, p_campaign text, p_share smallint, p_day date, p_steps jsonb) returns void
    language plpgsql set search_path = makegood, pg_temp as $$
begin
    perform book_moves(p_house, p_campaign, p_share, p_steps);
    insert into bills (house_id, campaign_id, funding, number, batch, kind, day, total)
        select p_house, p_campaign, f.funding, f.bills + row_number() over (partition by f.funding order by n),
               current_setting('makegood.batch')::bigint, s ->> 'kind',
               case s ->> 'kind' when 'settle' then p_day end, (s ->> 'total')::bigint
        from jsonb_array_elements(p_steps) with ordinality as t (s, n)
        join fundings f on f.house_id = p_house and f.campaign_id = p_campaign and f.funding = (s ->> 'funding')::smallint;
    update fundings f set bills = b.number, billed = b.total from (
            select distinct on (funding) funding, number, total from bills
            where house_id = p_house and campaign_id = p_campaign and batch = current_setting('makegood.batch')::bigint
            order by funding, number desc) b
        where f.house_id = p_house and f.campaign_id = p_campaign and f.funding = b.funding;
end $$;

-- Takes p_amount off what fundings were billed, those in p_first before the others: steps for `bill`.
create function reversal(p_totals jsonb, p_first smallint, p_amount bigint) returns jsonb language sql immutable
    set search_path = makegood, pg_temp as $$
    with totals as (
        select (t ->> 'funding')::smallint as funding, (t ->> 'total')::bigint as total from jsonb_array_elements(p_totals) t
    ), upto as (
        select *, sum(total) over (order by funding is distinct from p_first, funding) as upper from totals where total > 0
    )
    select coalesce(jsonb_agg(jsonb_build_object('funding', funding, 'kind', 'reverse', 'total', greatest(0, upper - p_amount))), '[]')
    from upto where upper - total < p_amount
$$;

-- Before a refund of p_amount, of a grant of p_revision: sees to it that the granted account of p_share holds that much. What
-- was settled of it meanwhile is reversed, which the funders find in the statement of the day of the refund. The caller
-- holds the budget of p_share.
create function cover_refund(p_house bigint, p_campaign text, p_share smallint, p_revision text, p_amount bigint) returns void
    language plpgsql set search_path = makegood, pg_temp as $$
declare
    v_short bigint := p_amount - (select balance from accounts where house_id = p_house and campaign_id = p_campaign
                                  and kind = 'granted' and share = p_share);
    v_own smallint;
begin
    if v_short <= 0 then return; end if;
    perform from fundings where house_id = p_house and campaign_id = p_campaign order by funding for update;
    select funding into v_own from funded_revisions
        where house_id = p_house and campaign_id = p_campaign and revision = p_revision;
    perform bill(p_house, p_campaign, p_share, null, reversal(jsonb_agg(jsonb_build_object('funding', funding, 'total', billed)),
        v_own, v_short)) from fundings where house_id = p_house and campaign_id = p_campaign;
end $$;

revoke all on function shares_of(bigint, text), funding_of(bigint, text, text), bill_moves(bigint, text, jsonb),
    book_moves(bigint, text, smallint, jsonb), bill(bigint, text, smallint, date, jsonb), reversal(jsonb, smallint, bigint),
    cover_refund(bigint, text, smallint, text, bigint), split_total(bigint, bigint[]) from public;
grant execute on function split_total(bigint, bigint[]) to makegood_app;
