-- Immutable documents named by the hash of their canonical bytes, approvals of those hashes, and what is live.

create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '% is append-only', tg_table_name using errcode = 'MG001';
end $$;

create table documents (
    house_id   bigint not null references houses,
    revision   text   not null check (revision ~ '^rev_[0-9a-f]{64}$'),
    kind       text   not null check (kind in ('policy', 'brief', 'campaign', 'signature')),
    subject    text   not null,   -- policy: its currency; brief, campaign: the campaign id; signature: the signed revision
    author     text   not null,
    canonical  bytea  not null,
    created_at timestamptz not null default now(),
    serial     bigint generated always as identity,
    primary key (house_id, revision),
    check (revision = 'rev_' || encode(sha256(canonical), 'hex'))
);
create index documents_by_subject on documents (house_id, kind, subject, serial);

-- A yes to a revision beside one brief: another brief needs another yes.
create table approvals (
    house_id  bigint not null,
    revision  text   not null,
    brief     text   not null,   -- the brief that was proposed then; empty where there was none, and for a policy
    principal text   not null,
    at        timestamptz not null default now(),
    primary key (house_id, revision, brief, principal),
    foreign key (house_id, revision) references documents
);

-- The brief that is proposed for a campaign: the one published last, also where it was known before. It may come
-- before its campaign.
create table proposed_briefs (
    house_id    bigint not null,
    campaign_id text   not null,
    revision    text   not null,
    primary key (house_id, campaign_id),
    foreign key (house_id, revision) references documents
);

create table policies (
    house_id bigint not null,
    currency text   not null,
    revision text   not null,
    primary key (house_id, currency),
    foreign key (house_id, revision) references documents
);

create table campaigns (
    house_id        bigint not null references houses,
    campaign_id     text   not null,
    currency        text   not null,
    proposed        text   not null,   -- the newest revision that was published
    live            text,              -- the revision that grants, once it was approved
    brief           text,              -- the brief that the live revision was approved with
    policy          text,              -- and the policy
    stopped         boolean not null default false,
    stop_reason     text,
    stopped_by      text,
    stopped_at      timestamptz,
    resume_by       text,              -- who asked for the resume, until confirm_by
    resume_reason   text,
    resume_until    timestamptz,
    budget          bigint not null default 0 check (budget >= 0),
    stage_open      bigint not null default 0 check (stage_open between 0 and budget),   -- cumulative
    primary key (house_id, campaign_id),
    foreign key (house_id, proposed) references documents (house_id, revision),
    foreign key (house_id, live) references documents (house_id, revision)
);

create table limits (
    house_id    bigint not null,
    campaign_id text   not null,
    subject     text   not null check (subject in ('all', 'payer', 'device', 'payee')),
    period      text   not null check (period in ('ever', 'day', 'hour')),
    count_max   bigint check (count_max >= 0),
    amount_max  bigint check (amount_max >= 0),
    primary key (house_id, campaign_id, subject, period),
    foreign key (house_id, campaign_id) references campaigns
);

-- The live set that a quote was priced with, so that its explanation can be rebuilt.
create table snapshots (
    house_id  bigint not null references houses,
    snapshot  text   not null,
    policy    text   not null,
    members   jsonb  not null,   -- [{"campaign", "revision", "stopped"}]
    created_at timestamptz not null default now(),
    primary key (house_id, snapshot)
);

create trigger documents_are_immutable before update or delete on documents execute function refuse_change();
create trigger approvals_are_immutable before update or delete on approvals execute function refuse_change();
create trigger snapshots_are_immutable before update or delete on snapshots execute function refuse_change();

call keep_houses_apart('documents');
call keep_houses_apart('approvals');
call keep_houses_apart('proposed_briefs');
call keep_houses_apart('policies');
call keep_houses_apart('campaigns');
call keep_houses_apart('limits');
call keep_houses_apart('snapshots');

grant select, insert on snapshots to makegood_app;
grant select on documents, approvals, proposed_briefs, policies, campaigns, limits to makegood_app;
