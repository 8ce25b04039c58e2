"""Every invariant of the ledger, recomputed from the stored rows in one snapshot of the store."""

from dataclasses import dataclass

from makegood.store import proofs
from makegood.store.chain import broken_links
from makegood.store.invariants import INVARIANTS
from makegood.store.pool import Connection, Pool, in_house
from makegood.store.settlement import broken_statements
from makegood.store.settlement_invariants import INVARIANTS as OF_SETTLEMENT

# Questions are long and are hashed where they lie.
_PROOFS = """
select proof, revision, brief, policy, live_set, is_proved, rows, exposure, solver, array(
    select encode(sha256(convert_to(q, 'UTF8')), 'hex') from jsonb_array_elements_text(questions) with ordinality as t (q, n)
    order by n) as asked
from proofs order by serial
"""


@dataclass(frozen=True, slots=True)
class Violation:
    """One invariant that does not hold, for one subject."""

    invariant: str
    subject: str
    expected: str
    found: str


@dataclass(frozen=True, slots=True)
class Verified:
    """What a verification found; `balanced` when nothing is wrong."""

    accounts: int
    entries: int
    violations: tuple[Violation, ...]

    @property
    def balanced(self) -> bool:
        """Whether every invariant holds."""
        return not self.violations


async def verify(pool: Pool, house: int) -> Verified:
    """Check every invariant of a house, on a running system too: all in one snapshot."""
    async with in_house(pool, house, read_only=True) as connection:
        violations: list[Violation] = []
        for name, query in {**INVARIANTS, **OF_SETTLEMENT}.items():
            rows = await connection.fetch(query + " limit 20", timeout=600)
            violations += [Violation(name, str(r["subject"]), str(r["expected"]), str(r["found"])) for r in rows]
        violations += await _proofs(connection)
        for subject, expected, found in await broken_links(connection):
            violations.append(Violation("audit_chain_is_whole", subject, expected, found))
        async for subject, found in broken_statements(connection):
            violations.append(Violation("statements_are_what_was_told", subject, "its hash", found))
        accounts = await connection.fetchval("select count(*) from accounts")
        entries = await connection.fetchval("select count(*) from entries")
    return Verified(accounts, entries, tuple(violations))


async def _proofs(connection: Connection) -> list[Violation]:
    """Each proof is named by what it says, and its rows name their questions."""
    async for row in connection.cursor(_PROOFS, prefetch=10, timeout=600):
        asked = [one.get("question_sha256") for one in row["rows"]]
        if proofs.name_of(row) != row["proof"] or row["asked"] != asked:
            return [Violation("proofs_are_what_was_proved", row["proof"], "its hash", "another content")]
    return []
