-- Houses (tenants), principals, keys, sessions. Every row belongs to a house, and row-level security is forced:
-- a connection sees the rows of the house that its transaction names in `makegood.house`, and no others.

create function house() returns bigint language sql stable parallel safe
    as $$ select nullif(current_setting('makegood.house', true), '')::bigint $$;

create table houses (
    house_id    bigint generated always as identity primary key,
    name        text        not null unique check (name ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    live        boolean     not null,
    draw_secret bytea       not null check (length(draw_secret) = 32),
    payer_key   bytea       not null check (length(payer_key) = 32),
    created_at  timestamptz not null default now()
);

-- What a server polls to learn that its picture of the live set is old.
create table live_sets (
    house_id bigint primary key references houses,
    version  bigint not null default 0
);

create table principals (
    house_id   bigint not null references houses,
    principal  text   not null check (principal ~ '^[A-Za-z0-9][A-Za-z0-9._@-]{0,127}$'),
    kind       text   not null check (kind in ('person', 'machine')),
    created_at timestamptz not null default now(),
    primary key (house_id, principal)
);

-- A key's secret is 256 random bits, so one SHA-256 of it cannot be searched.
create table keys (
    house_id    bigint not null,
    key_id      text   not null,
    principal   text   not null,
    scopes      text[] not null check (scopes <@ array['author', 'brief', 'approve', 'resume', 'operate', 'quote', 'read']),
    secret_hash bytea  not null check (length(secret_hash) = 32),
    created_at  timestamptz not null default now(),
    revoked_at  timestamptz,
    primary key (house_id, key_id),
    foreign key (house_id, principal) references principals
);

create table sessions (
    house_id   bigint not null,
    token_hash bytea  not null check (length(token_hash) = 32),
    key_id     text   not null,
    csrf       text   not null,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    closed_at  timestamptz,
    primary key (house_id, token_hash),
    foreign key (house_id, key_id) references keys
);

-- Answers kept for `Idempotency-Key`, with a hash of the input they belong to.
create table idempotency_keys (
    house_id     bigint not null references houses,
    principal    text   not null,
    key          text   not null check (length(key) between 1 and 128),
    content_hash bytea  not null,
    status       integer,
    body         text,
    created_at   timestamptz not null default now(),
    primary key (house_id, principal, key)
);

-- A house is found by its name before its number is known: only the row of the name that is asked for shows.
alter table houses enable row level security;
alter table houses force row level security;
create policy house_sees_itself on houses
    using (house_id = house() or name = current_setting('makegood.house_name', true))
    with check (true);

create procedure keep_houses_apart(target regclass) language plpgsql as $$
begin
    execute format('alter table %s enable row level security', target);
    execute format('alter table %s force row level security', target);
    execute format('create policy house_only on %s using (house_id = house()) with check (house_id = house())', target);
end $$;

call keep_houses_apart('live_sets');
call keep_houses_apart('principals');
call keep_houses_apart('keys');
call keep_houses_apart('sessions');
call keep_houses_apart('idempotency_keys');

grant select on houses, live_sets, principals, keys to makegood_app;
grant select, insert, delete, update (closed_at) on sessions to makegood_app;
grant select, insert, delete, update (status, body, created_at, content_hash) on idempotency_keys to makegood_app;
grant update (version) on live_sets to makegood_app;
