-- Reservations that were made and captured long ago: a chunk of them as they would have been written, then what they add up to.
-- A blank line ends a statement; names in braces are filled in by ledger_filling.py.

-- made
create temporary table made as
select n, 'qte_' || lpad(to_hex(1767225600000 + n * {step}), 12, '0') || substr(md5('q' || n), 1, 20) as quote,
    'pay-' || lpad(to_hex(1767225600000 + n * {step}), 12, '0') || substr(md5('p' || n), 1, 20) as payment,
    sha256(int8send(n)) as hash, sha256(int8send(n % greatest({total} / 2, 1))) as payer, sha256(int8send(n % 1000)) as payee,
    timestamptz '2026-01-01Z' + n * interval '{step} ms' as at, {batch} + n / 100 as batch
from generate_series({first}::bigint, {last}::bigint) n

-- payments
insert into payments select {house}, payment, quote, hash from made order by payment collate "C"

-- quotes
insert into quotes (house_id, quote_id, payment_id, content_hash, payer_ref, currency, amount, discount, decided_at,
                    valid_until, hold_until, snapshot, seen, benefits, state, captured, paid_at, claims)
select {house}, quote, payment, hash, payer, 'CNY', 10000, {discount}, at, at + interval '15 min', at + interval '75 min',
    '{snapshot}', '{{"balances": {{}}, "excluded": {{}}, "at": "2026-01-01T00:00:00Z"}}',
    json_build_object('lines', '[]'::json, 'benefits', json_build_array(json_build_object('campaign', '{campaign}',
        'revision', '{revision}', 'label', 'platform_gift', 'text', json_build_object('zh-CN', '平台红包', 'en', 'Platform gift'),
        'discount_minor', {discount}))), 'captured', 10000, at + interval '1 min', 1 from made order by n

-- grants
insert into grants (house_id, quote_id, campaign_id, revision, discount, day, hour, payer_ref, device_ref, payee_ref)
select {house}, quote, '{campaign}', '{revision}', {discount}, to_char(at + interval '8 h', 'YYYY-MM-DD'),
    to_char(at + interval '8 h', 'YYYY-MM-DD"T"HH24') || '+0800', payer, null, payee from made order by n

-- entries
insert into entries (house_id, batch, kind, subject, from_account, to_account, amount, at)
select {house}, m.batch, k.kind, m.quote, case k.n when 1 then b.stage else b.reserved end,
    case k.n when 1 then b.reserved else b.granted end, {discount}, m.at
from made m cross join (values (1, 'reserve'), (2, 'capture')) k (n, kind)
join budgets b on b.house_id = {house} and b.campaign_id = '{campaign}' order by m.n, k.n

-- rights
insert into counters select {house}, '{campaign}', 'payer', 'ever', payer, '', count(*), sum({discount}) from made group by payer
    order by payer on conflict (house_id, ref, campaign_id, subject, period, slot)
    do update set count = counters.count + excluded.count, amount = counters.amount + excluded.amount

-- rights of a day
insert into counters select {house}, '{campaign}', 'payer', 'day', payer, to_char(at + interval '8 h', 'YYYY-MM-DD'),
    count(*), sum({discount}) from made group by payer, 6 order by payer
    on conflict (house_id, ref, campaign_id, subject, period, slot)
    do update set count = counters.count + excluded.count, amount = counters.amount + excluded.amount

-- events
insert into outbox (house_id, batch, type, subject, subjects, data, at, delivered_at)
select {house}, batch, k.type, min(quote), array_agg(quote order by quote), '{{}}', min(at), min(at) from made
    cross join (values ('quote.reserved'), ('quote.captured')) k (type) group by batch, k.type order by batch

-- audits
insert into audits (house_id, chain, seq, batch, at, principal, action, subject, detail, digest, prev, hash, form)
select {house}, {chain}, batch, batch, min(at)::text, 'till', 'quotes.reserve', min(quote), '{{"quotes": 100}}', sha256(''), sha256(''),
    sha256(''), 2 from made group by batch order by batch

-- until the next chunk
drop table made

-- moved
update accounts a set balance = a.balance + {total}::bigint * {discount} * case a.kind when 'granted' then 1 else -1 end from budgets b
where b.house_id = {house} and b.campaign_id = '{campaign}' and a.house_id = {house} and a.account_id in (b.stage, b.granted);
insert into counters select {house}, '{campaign}', 'all', 'ever', '', '', {total}, {total}::bigint * {discount}
    on conflict do nothing;
insert into counters select {house}, '{campaign}', 'all', 'day', '', day, count(*), sum(discount) from grants
    where house_id = {house} group by day on conflict do nothing;
select setval('batches', greatest({batch}, 0) + {total} / 100 + 1);
