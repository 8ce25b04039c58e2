"""Every bound on input and work, with its unit and the reason for it. There is no other place for one."""

# -- money ---------------------------------------------------------------------------------------------
MONEY_MINOR_MAX = 10**15  # Ten trillion yuan; nine thousand such sums still fit a signed 64-bit balance.

# -- requests ------------------------------------------------------------------------------------------
BODY_BYTES_MAX = 64 * 1024  # A payment with 50 items is 8 KiB.
BATCH_BODY_BYTES_MAX = 2 * 1024 * 1024  # A batch of 500 such payments, with room.
BATCH_PAYMENTS_MAX = 500  # One database transaction; more only delays the first answer.
JSON_DEPTH_MAX = 16  # The deepest legal request has 4 levels.
ID_CHARS_MAX = 128  # Payment, payer, device ids: UUIDs and prefixed ids of other systems fit.
TEXT_CHARS_MAX = 500  # A reason, a title, a name that a person reads.
ERRORS_REPORTED_MAX = 50  # One answer stays readable; the rest appear after these are mended.
CODES_MAX = 10  # Codes a payer enters for one payment.
PAYMENT_YEAR_MIN = 1970  # Payments on record are younger; arithmetic with zones stays far from any edge.
PAYMENT_YEAR_MAX = 2200  # A wrong clock, not a payment; the same edge on the other side.
CLOCK_SKEW_SECONDS_MAX = 300  # Phones and gateways drift by seconds; five minutes is a broken clock.
DOCUMENTS_BODY_BYTES_MAX = 4 * 1024 * 1024  # One document at its bound, escaped as JSON, and its companions.
DOCUMENTS_PER_CALL_MAX = 200  # A folder of campaigns published at once.
BODY_SECONDS_MAX = 10  # A body of a few KiB that takes longer is a stalled or hostile sender.
HEADER_BYTES_MAX = 32 * 1024  # Request line and headers; browsers stop near 16 KiB.
HEADER_SECONDS_MAX = 10  # From the first byte of a request to the end of its headers.
CONNECTIONS_MAX = 4_096  # Open connections of one server process; each costs a few KiB and a descriptor.

# -- documents -----------------------------------------------------------------------------------------
DOCUMENT_BYTES_MAX = 1024 * 1024  # A policy with thousands of labels is 200 KiB.
DOCUMENT_DEPTH_MAX = 20  # The deepest legal document has 7 levels.
DOCUMENT_NODES_MAX = 100_000  # YAML nodes; with anchors refused, time is linear in this.
EXPRESSION_BYTES_MAX = 64 * 1024  # The CEL runtime takes 100,000 characters; people write 300.
EXPRESSION_NODES_MAX = 20_000  # Nodes of one checked expression.
EXPRESSION_DEPTH_MAX = 200  # Nested far below the Python compiler's own limit.
EXPRESSION_STEPS_MAX = 100_000  # Loop bodies run for one payment; ten milliseconds of work.
SOLVER_STEPS_MAX = 50_000  # Nodes of one expression with its loops unrolled: half a second of making terms.
SOLVER_EFFORT_MAX = 4_000_000  # Z3's own units of work for one expression of `eval`; a few seconds.
LIST_ENTRIES_MAX = 10_000  # Entries of a closed list or of an `in [...]`.
ATTRIBUTES_MAX = 200  # Attributes a policy may declare.
DEAL_UNITS_MAX = 1_000  # Units to buy or to get in one round of a deal; shops say 2 and 1.
TIERS_MAX = 50  # Tiers of one benefit; shop windows show five.
STAGES_MAX = 50  # A budget opened ten-fold at a time needs nine.
PRIORITY_MAX = 1_000_000  # Priorities are typed by people; a million leaves room between any two.
PAYMENTS_PER_SECOND_MAX = 10_000_000  # Declared peak: forty times the largest that a wallet has published.
GROWTH_MAX = 1_000  # Times the stage before; a larger step is no stage.
APPROVERS_MAX = 20  # Principals who must say yes; more of them would never be found.
BASKET_ITEMS_MAX = 500  # Lines of one payment; a body of 64 KiB holds about so many.
BASKET_ITEMS_DEFAULT = 50  # Lines of one payment where the policy does not say.
ATTRIBUTE_ENTRIES_MAX = 1_000  # Entries of one `list(string)` attribute.
SHARED_LIMITS_MAX = 100  # Limits across campaigns of one policy; a grant counts against each that covers it.
GRANTS_MAX = 10**9  # Grants of one campaign or one payer; fits a signed 32-bit counter.
FUNDERS_PER_CAMPAIGN_MAX = 20  # Bounded so that a settlement entry is.
CAMPAIGNS_LIVE_MAX = 10_000  # Live campaigns of one house.
INDEX_KEYS_MAX = 256  # Combinations of values that one campaign is indexed under; more cost memory for little.
STRETCH_ENTRIES_MAX = 16_384  # Campaigns that one bucket of the index lists, over all stretches of amounts: 2 MB.
FILE_LINE_BYTES_MAX = 1024 * 1024  # One line of a CSV or JSONL file of payments; 50 items are 8 KiB.
FILE_PAYMENTS_MAX = 50_000_000  # Rows of a payment file that `price` takes.

# -- proofs --------------------------------------------------------------------------------------------
PROOF_QUESTION_MS_MAX = 5_000  # One question takes milliseconds; one that takes seconds is refused as unknown.
PROOF_TEXT_KEPT_MAX = 1_000  # Characters of a condition whose tree is kept; a thousand such trees are some 50 MB.
PROOF_MEMORY_MB_MAX = 2_048  # Of the solver for one question; the largest portfolios take a tenth of it.
PROOF_MS_MAX = 60_000  # All questions of one campaign; an author waits for the answer.
PUBLISHERS_WAITING_MAX = 16  # Of one house for one process; each holds a connection while it waits for the solver.
PROOF_QUESTIONS_BYTES_MAX = 64 * 1024 * 1024  # SMT-LIB text of one proof; a hundred overlapping campaigns ask 10 MB.

# -- money calls ---------------------------------------------------------------------------------------
QUOTE_VALID_SECONDS = 900  # A payer abandons a checkout well before a quarter of an hour.
CAPTURE_GRACE_SECONDS = 3600  # Captures arrive by queue; an hour outlasts the usual outage.
DEADLINE_MS_DEFAULT = 50  # A discount may cost the payment call this much and no more.
LEASE_MS_DEFAULT = 2_000  # Eight times the age of a live set: one answer of the store may be lost, and the next.
LEASE_MS_MIN = 500  # Twice the age of a live set; below it healthy nodes would be without a lease between two looks.
STAGE_PAYERS_MAX = 1_000  # Payers that a stage is judged by at most; a few hundred are enough for the largest.
TRIPS_WAITING_MAX = 1_000  # Until the store is told; beyond that it was told of the same revisions before.
TELLINGS_WAITING_MAX = 60  # Rounds of a detector that the store could not take; a minute is long for a leak.
TRIPS_KEPT_MAX = 50  # Of one revision: the first one says it, the others show that it was not one payment.
DEADLINE_MS_MAX = 10_000  # A longer wait is a batch job's, which has no deadline of this kind.
BATCH_CALLS_MAX = 128  # Money calls of one transaction; beyond it a call costs no less, and a stop waits longer.
BATCHES_IN_FLIGHT_MAX = 2  # Of one kind, house and process: one is made ready while another commits.
KNOWN_CALLS_MAX = 1_000  # Payments looked up by one statement, which locks nothing.
SHARES_MAX = 64  # Parts that one budget may be split into; more writers than that wait for the disk anyway.
PRICED_AT_ONCE_MAX = 10  # Payments priced before others get a turn: a millisecond.
LATE_HOLDS_MAX = 10_000  # Holds to end once the store answers again; beyond it they expire by themselves.
REPRICE_ROUNDS_MAX = 8  # The store's refusals shrink the candidates; eight rounds reach any real fixpoint.

# -- drills and pages ----------------------------------------------------------------------------------
DRILL_LOCK_MS = 200  # A drill waits no longer for a lock: payments would wait behind it.
DRILL_STATEMENT_MS = 1_000  # Of one statement of a drill, with all its locks; beyond it the drill tries again later.
DRILL_IDLE_MS = 500  # The store ends what a drill holds when nothing is heard of it: a process may be suspended.
DRILL_TRIES_MAX = 8  # For one step of a drill, half a second apart; then the step says that it got no locks.
DRILL_AGAIN_SECONDS = 3_600  # After one that failed: often enough to be noticed, too rare to be noise.
PAGE_SECONDS_MAX = 5  # Until whoever is on call must have answered; another try follows.
PAGES_WAITING_MAX = 100  # At once, in one process; beyond it whoever is on call knows already.

# -- sessions and keys ---------------------------------------------------------------------------------
SESSION_SECONDS_MAX = 8 * 3600  # One shift.
KEY_SECRET_BYTES = 32  # 256 bits: a plain SHA-256 of it cannot be searched.
KEY_CHARS_MAX = 300  # House, key id and secret of a key or a session token; ours have 120.
KEY_FRESH_SECONDS = 5  # A key checked this recently is not checked again: a revoked one lives five seconds longer.
KEY_RECHECK_MS = 20  # A payment waits no longer for a second check of its key; the deadline is 50 ms.
KEY_CHECK_SECONDS_MAX = 2  # A key seen for the first time waits this long for the store.
KEY_STALE_SECONDS_MAX = 86_400  # While the store is away a known key gets full-price answers, for a day.
KEYS_CACHED_MAX = 10_000  # Checked keys a process remembers; 300 bytes each.
RESUME_CONFIRM_SECONDS = 900  # A resume that nobody confirms within a quarter of an hour is void.

# -- settlement ----------------------------------------------------------------------------------------
STATEMENT_DAYS_MAX = 366  # Days of one statement file, and of one list: a year.

# -- collar --------------------------------------------------------------------------------------------
COLLAR_KEPT_MAX = 20_000  # Payments, payers, devices, payees that a node remembers, each: some 15 MB in all.
COLLAR_SPEND_TIMES_MAX = 20  # Times the spend a minute that a brief gives as its maximum; festivals bring 4.
COLLAR_SPEND_GRANTS_MIN = 200  # Largest discounts that any minute may hold: twice what one payer may have an hour.
COLLAR_PAYER_GRANTS_HOUR_MAX = 100  # Quotes of one payer and campaign; who changes a cart every minute asks for 60.
COLLAR_PAYER_TIMES_MAX = 10  # Times what the brief allows one payer ever; abandoned checkouts give a right back.
COLLAR_DEVICE_GRANTS_HOUR_MAX = 2_000  # Of one device and campaign; a till that scans every two seconds does 1,800.
COLLAR_CLOCK_SETTLE_SECONDS = 60  # A clock that jumped is believed again once it ran so long without a jump.
COLLAR_STAGE_SECONDS_MAX = 5  # What the store said of a stage this long ago counts; after that its word is asked for.
COLLAR_LEASE_SECONDS_MAX = 60  # Leases are seconds long; one with more time left comes of a broken clock.
COLLAR_COUNTER_MAX = 2**63 - 1  # Counters stop here, as a signed 64-bit one must; no house pays so much an hour.
