-- The double-entry ledger: funder -> budget -> stage -> reserved -> granted -> settled.
--
-- An account's balance is the sum of its postings: a trigger keeps it so, and nothing else may write it. There is no
-- account kind for a payer, so no posting can make a payer owe a benefit: no clawback, by construction.

create table accounts (
    house_id    bigint not null references houses,
    account_id  bigint generated always as identity,
    kind        text   not null check (kind in ('funder', 'budget', 'stage', 'reserved', 'granted', 'settled')),
    campaign_id text   not null,
    funder      text,
    currency    text   not null,
    balance     bigint not null default 0,
    primary key (house_id, account_id),
    unique nulls not distinct (house_id, kind, campaign_id, funder, currency),
    check ((kind in ('funder', 'settled')) = (funder is not null)),
    -- Funders are where money comes from: theirs is the only balance below zero, what they committed.
    constraint balance_is_not_overdrawn check (case when kind = 'funder' then balance <= 0 else balance >= 0 end)
);

-- Which account kinds an entry of a kind may touch, and with which sign. Closed: there is no payer here.
create table legal_postings (
    entry_kind   text     not null,
    account_kind text     not null,
    sign         smallint not null check (sign in (-1, 1)),
    primary key (entry_kind, account_kind, sign)
);
insert into legal_postings values
    ('fund', 'funder', -1), ('fund', 'budget', 1),
    ('unfund', 'budget', -1), ('unfund', 'stage', -1), ('unfund', 'funder', 1),
    ('open_stage', 'budget', -1), ('open_stage', 'stage', 1),
    ('reserve', 'stage', -1), ('reserve', 'reserved', 1),
    ('release', 'reserved', -1), ('release', 'stage', 1),
    ('expire', 'reserved', -1), ('expire', 'stage', 1),
    ('capture', 'reserved', -1), ('capture', 'granted', 1),
    ('refund', 'granted', -1), ('refund', 'stage', 1);

-- Who pays, for what, in which currency: an account is opened with it and keeps it. Only the balance moves.
create trigger accounts_stay_whose_they_are before update on accounts for each row
    when ((new.house_id, new.account_id, new.kind, new.campaign_id, new.funder, new.currency)
          is distinct from (old.house_id, old.account_id, old.kind, old.campaign_id, old.funder, old.currency))
    execute function refuse_change();

create sequence batches;

create table entries (
    house_id bigint not null references houses,
    entry_id bigint generated always as identity,
    batch    bigint not null,
    kind     text   not null,
    subject  text   not null,   -- the quote, or the campaign for funding and stages
    at       timestamptz not null,
    primary key (house_id, entry_id)
);
create index entries_by_batch on entries (house_id, batch);
create index entries_by_subject on entries (house_id, subject);

create table postings (
    house_id   bigint not null,
    entry_id   bigint not null,
    account_id bigint not null,
    amount     bigint not null check (amount <> 0),
    primary key (house_id, entry_id, account_id),
    foreign key (house_id, entry_id) references entries,
    foreign key (house_id, account_id) references accounts
);

-- Every statement that inserts postings brings whole, balanced, legal entries of its own transaction.
create function book_postings() returns trigger language plpgsql security definer
    set search_path = makegood, pg_temp as $$
begin
    if exists (select from added group by house_id, entry_id having sum(amount) <> 0) then
        raise exception 'an entry does not balance' using errcode = 'MG002';
    end if;
    if exists (
        select from added a
        join entries e using (house_id, entry_id)
        join accounts c using (house_id, account_id)
        left join legal_postings l
            on l.entry_kind = e.kind and l.account_kind = c.kind and l.sign = sign(a.amount)
        where l.sign is null or e.batch <> current_setting('makegood.batch')::bigint
    ) then
        raise exception 'an entry of this kind may not touch such an account' using errcode = 'MG003';
    end if;
    update accounts c set balance = c.balance + a.amount
        from (select house_id, account_id, sum(amount) as amount from added group by house_id, account_id) a
        where c.house_id = a.house_id and c.account_id = a.account_id;
    return null;
end $$;
create trigger postings_are_booked after insert on postings
    referencing new table as added for each statement execute function book_postings();

create table quotes (
    house_id      bigint not null references houses,
    quote_id      text   not null check (quote_id ~ '^qte_'),
    payment_id    text   not null,
    content_hash  bytea  not null,
    payer_ref     bytea,
    currency      text   not null,
    amount        bigint not null check (amount > 0),
    discount      bigint not null check (discount > 0 and discount <= amount),
    decided_at    timestamptz not null,
    valid_until   timestamptz not null,
    hold_until    timestamptz not null,
    snapshot      text   not null,
    seen          jsonb  not null,       -- balances seen, for the explanation
    benefits      jsonb  not null,       -- what was answered
    state         text   not null default 'reserved'
                  check (state in ('reserved', 'captured', 'released', 'expired', 'void')),
    captured      bigint not null default 0 check (captured between 0 and amount),
    paid_at       timestamptz,
    refunded      bigint not null default 0 check (refunded between 0 and amount),
    returned      bigint not null default 0 check (returned between 0 and discount),
    claims        integer not null default 1,   -- callers that were answered with it, or still may be
    primary key (house_id, quote_id),
    unique (house_id, payment_id),
    check (valid_until >= decided_at and hold_until >= valid_until),
    check ((state = 'captured') = (captured > 0)),
    check (state = 'captured' or (refunded = 0 and returned = 0)),
    foreign key (house_id, snapshot) references snapshots
);
create index quotes_to_expire on quotes (house_id, hold_until) where state = 'reserved';
create index quotes_by_time on quotes (house_id, decided_at);

create function quote_moves_forward() returns trigger language plpgsql as $$
begin
    if old.state <> 'reserved' and new.state <> old.state then
        raise exception 'a quote that is % stays so', old.state using errcode = 'MG004';
    end if;
    if new.refunded < old.refunded or new.returned < old.returned
       or (old.state = 'captured' and (new.captured, new.paid_at) is distinct from (old.captured, old.paid_at)) then
        raise exception 'what was paid and returned does not change' using errcode = 'MG004';
    end if;
    return new;
end $$;
create trigger quotes_move_forward before update on quotes for each row execute function quote_moves_forward();

-- Fires only for statements that name such a column, and none of ours does: it costs a capture nothing.
create function refuse_another_answer() returns trigger language plpgsql as $$
begin
    raise exception 'what was answered does not change' using errcode = 'MG004';
end $$;
create trigger quotes_keep_their_answer before update of house_id, quote_id, payment_id, content_hash, payer_ref, currency,
    amount, discount, decided_at, valid_until, hold_until, snapshot, seen, benefits on quotes
    for each row execute function refuse_another_answer();

create table grants (
    house_id    bigint not null,
    quote_id    text   not null,
    campaign_id text   not null,
    revision    text   not null,
    discount    bigint not null check (discount > 0),
    returned    bigint not null default 0 check (returned between 0 and discount),
    day         text   not null,
    hour        text   not null,
    payer_ref   bytea,
    device_ref  bytea,
    payee_ref   bytea  not null,
    counted     boolean not null default true,   -- false once it was given back
    primary key (house_id, quote_id, campaign_id),
    foreign key (house_id, quote_id) references quotes deferrable initially deferred,
    foreign key (house_id, campaign_id) references campaigns
);
create trigger grants_keep_their_answer before update of house_id, quote_id, campaign_id, revision, discount, day, hour,
    payer_ref, device_ref, payee_ref on grants
    for each row execute function refuse_another_answer();

create function grant_moves_forward() returns trigger language plpgsql as $$
begin
    if new.returned < old.returned or (new.counted and not old.counted) then
        raise exception 'what was returned or given back stays so' using errcode = 'MG004';
    end if;
    return new;
end $$;
create trigger grants_move_forward before update on grants for each row execute function grant_moves_forward();
create index grants_by_campaign on grants (house_id, campaign_id, day);

create table counters (
    house_id    bigint not null,
    campaign_id text   not null,
    subject     text   not null,
    period      text   not null,
    ref         bytea  not null,   -- whose; empty for everyone
    slot        text   not null,   -- the day or hour; empty for ever
    count       bigint not null check (count >= 0),
    amount      bigint not null check (amount >= 0),
    primary key (house_id, campaign_id, subject, period, ref, slot),
    foreign key (house_id, campaign_id) references campaigns
);

create table refunds (
    house_id   bigint not null,
    payment_id text   not null,
    refund_id  text   not null,
    quote_id   text   not null,
    amount     bigint not null check (amount > 0),
    returned   bigint not null check (returned >= 0),
    refunded_after bigint not null,     -- of the payment, this refund included
    benefits   jsonb  not null,
    at         timestamptz not null,
    serial     bigint generated always as identity,
    primary key (house_id, payment_id, refund_id),
    foreign key (house_id, quote_id) references quotes
);

create table outbox (
    house_id     bigint not null references houses,
    event_id     bigint generated always as identity,
    batch        bigint not null,
    type         text   not null,
    subject      text   not null,
    data         jsonb  not null,
    at           timestamptz not null default now(),
    delivered_at timestamptz,
    primary key (house_id, event_id)
);
create index outbox_to_deliver on outbox (house_id, event_id) where delivered_at is null;

create table audit_heads (
    house_id bigint primary key references houses,
    seq      bigint not null default 0,
    hash     bytea  not null default decode(repeat('00', 32), 'hex')
);

create table audits (
    house_id  bigint not null references houses,
    seq       bigint not null,
    batch     bigint not null,
    at        text   not null,     -- text, so that the hashed bytes are the stored bytes
    principal text   not null,
    action    text   not null,
    subject   text   not null,
    detail    text   not null,     -- JSON
    digest    bytea  not null,     -- SHA-256 over the postings of the batch and the answers it reserved for
    prev      bytea  not null,
    hash      bytea  not null,
    primary key (house_id, seq),
    unique (house_id, batch)
);
create index audits_by_subject on audits (house_id, subject, seq);

create trigger entries_are_immutable before update or delete on entries execute function refuse_change();
create trigger postings_are_immutable before update or delete on postings execute function refuse_change();
create trigger refunds_are_immutable before update or delete on refunds execute function refuse_change();
create trigger audits_are_immutable before update or delete on audits execute function refuse_change();
create trigger quotes_are_kept before delete on quotes execute function refuse_change();
create trigger grants_are_kept before delete on grants execute function refuse_change();
create trigger accounts_are_kept before delete on accounts execute function refuse_change();

call keep_houses_apart('accounts');
call keep_houses_apart('entries');
call keep_houses_apart('postings');
call keep_houses_apart('quotes');
call keep_houses_apart('grants');
call keep_houses_apart('counters');
call keep_houses_apart('refunds');
call keep_houses_apart('outbox');
call keep_houses_apart('audit_heads');
call keep_houses_apart('audits');

-- The server reads; only the functions of the next migration write.
grant select on accounts, legal_postings, entries, postings, quotes, grants, counters, refunds, outbox,
    audit_heads, audits to makegood_app;
grant update (delivered_at) on outbox to makegood_app;
