-- A reservation as it would be written without batches: statement by statement, in one transaction. The same rows under the
-- same constraints, locked in the same order. A blank line ends a statement.

-- begin
select makegood.begin_batch($1::bigint)

-- known
select payment_id from makegood.payments where house_id = $1::bigint and payment_id = $2::text

-- payer: charged first, and checked against the limits of the campaign
insert into makegood.counters as c (house_id, campaign_id, subject, period, ref, slot, count, amount)
    select l.house_id, l.campaign_id, l.subject, l.period, $3::bytea, case l.period when 'ever' then '' else $4::text end, 1, $5::bigint
    from makegood.limits l where l.house_id = $1::bigint and l.campaign_id = $2::text and l.subject = 'payer' order by l.period
    on conflict (house_id, ref, campaign_id, subject, period, slot)
        do update set count = c.count + 1, amount = c.amount + excluded.amount
    returning (select c.count <= coalesce(l.count_max, c.count) and c.amount <= coalesce(l.amount_max, c.amount) from makegood.limits l
        where l.house_id = c.house_id and l.campaign_id = c.campaign_id and l.subject = c.subject and l.period = c.period) as is_kept

-- budget: locked until the commit
select b.live, b.stopped, a.balance from makegood.budgets b join makegood.accounts a on a.house_id = b.house_id and a.account_id = b.stage
    where b.house_id = $1::bigint and b.campaign_id = $2::text and b.share = 0 for update of b

-- totals
insert into makegood.counters as c (house_id, campaign_id, subject, period, ref, slot, count, amount)
    values ($1::bigint, $2::text, 'all', 'day', '', $3::text, 1, $4::bigint), ($1, $2, 'all', 'ever', '', '', 1, $4)
    on conflict (house_id, ref, campaign_id, subject, period, slot)
        do update set count = c.count + 1, amount = c.amount + excluded.amount

-- payment
insert into makegood.payments (house_id, payment_id, quote_id, content_hash) values ($1::bigint, $2::text, $3::text, $4::bytea)

-- quote
insert into makegood.quotes (house_id, quote_id, payment_id, content_hash, payer_ref, currency, amount, discount, decided_at, valid_until,
        hold_until, snapshot, seen, benefits)
    values ($1::bigint, $2::text, $3::text, $4::bytea, $5::bytea, $6::text, $7::bigint, $8::bigint, $9::timestamptz, $10::timestamptz,
        $11::timestamptz, $12::text, $13::text::json, $14::text::json)

-- grant
insert into makegood.grants (house_id, quote_id, campaign_id, revision, discount, day, hour, payer_ref, device_ref, payee_ref)
    values ($1::bigint, $2::text, $3::text, $4::text, $5::bigint, $6::text, $7::text, $8::bytea, $9::bytea, $10::bytea)

-- entry
insert into makegood.entries (house_id, batch, kind, subject, from_account, to_account, amount, at)
    select $1::bigint, current_setting('makegood.batch')::bigint, 'reserve', $3::text, stage, reserved, $4::bigint, clock_timestamp()
    from makegood.budgets where house_id = $1 and campaign_id = $2::text and share = 0

-- holds
update makegood.budgets set holds = holds + 1 where house_id = $1::bigint and campaign_id = $2::text and share = 0

-- event and audit
select makegood.emit_all($1::bigint, 'quote.reserved', array[$2::text]),
    makegood.close_batch($1, 1, $3::text, 'quotes.reserve', $2, '{"quotes": 1}', makegood.said_by_quote(q) || makegood.said_by_grant(g))
    from makegood.quotes q, makegood.grants g where q.house_id = $1 and q.quote_id = $2 and g.house_id = $1 and g.quote_id = $2
