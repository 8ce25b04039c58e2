"""Numbered migrations, each whole or not at all, one process at a time."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files

from makegood.errors import StoreUnavailable
from makegood.store.pool import APP_ROLE, Connection, translated

OWNER_ROLE = "makegood_owner"
ADVISORY_LOCK = 0x6D616B65676F6F64  # "makegood"

_ROLES = f"""
do $$ begin
    if not exists (select from pg_roles where rolname = '{OWNER_ROLE}') then create role {OWNER_ROLE} nologin; end if;
    if not exists (select from pg_roles where rolname = '{APP_ROLE}') then create role {APP_ROLE} nologin; end if;
    if not pg_has_role('{OWNER_ROLE}', 'member') then execute format('grant {OWNER_ROLE} to %I', current_user); end if;
    if not pg_has_role('{APP_ROLE}', 'member') then execute format('grant {APP_ROLE} to %I', current_user); end if;
end $$;
create schema if not exists makegood authorization {OWNER_ROLE};
grant usage on schema makegood to {APP_ROLE};
create table if not exists makegood.migrations (
    number integer primary key, name text not null, sha256 text not null, applied_at timestamptz not null default now()
);
"""  # noqa: S608 - the names are constants of ours


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered SQL file."""

    number: int
    name: str
    text: str

    @property
    def sha256(self) -> str:
        """What an applied migration is remembered by."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def migrations() -> tuple[Migration, ...]:
    """The migrations of this version, in order, without gaps."""
    found = tuple(_read())
    assert [m.number for m in found] == list(range(1, len(found) + 1)), "migrations are numbered without gaps"
    return found


def _read() -> Iterator[Migration]:
    folder = files("makegood.store") / "migrations"
    for entry in sorted(folder.iterdir(), key=lambda item: item.name):
        match = re.fullmatch(r"(\d{4})_(\w+)\.sql", entry.name)
        if match:
            yield Migration(int(match[1]), match[2], entry.read_text(encoding="utf-8"))


async def migrate(connection: Connection) -> int:
    """Bring the database to this version; afterwards every migration is applied. Gives how many were new.

    Raises StoreUnavailable where the database is newer than this version, or was changed by other hands.
    """
    with translated():
        await connection.execute("select pg_advisory_lock($1)", ADVISORY_LOCK)
        try:
            await connection.execute(_ROLES)
            applied = {r["number"]: r["sha256"] for r in await connection.fetch("select * from makegood.migrations")}
            _check(applied)
            new = [m for m in migrations() if m.number not in applied]
            for migration in new:
                await _apply(connection, migration)
            return len(new)
        finally:
            await connection.execute("select pg_advisory_unlock($1)", ADVISORY_LOCK)


def _check(applied: dict[int, str]) -> None:
    known = {m.number: m for m in migrations()}
    for number, sha256 in applied.items():
        if number not in known:
            raise StoreUnavailable(f"the database has migration {number}, which this version does not know: upgrade it")
        if known[number].sha256 != sha256:
            raise StoreUnavailable(f"migration {number} was applied with another text: this is not the same schema")


async def _apply(connection: Connection, migration: Migration) -> None:
    async with connection.transaction():
        await connection.execute(f"set local role {OWNER_ROLE}")
        await connection.execute("set local search_path = makegood")
        await connection.execute(migration.text)
        await connection.execute("reset role")
        await connection.execute(
            "insert into makegood.migrations (number, name, sha256) values ($1, $2, $3)",
            migration.number, migration.name, migration.sha256,
        )  # fmt: skip


async def check_role(connection: Connection) -> None:
    """Refuse to serve as a role that could see past row-level security."""
    row = await connection.fetchrow(
        """select r.rolname, r.rolsuper or r.rolbypassrls as sees_all,
                  exists (select from pg_class c where c.relowner = r.oid) as owns
           from pg_roles r where r.rolname = current_user"""
    )
    if row["sees_all"] or row["owns"]:
        raise StoreUnavailable(
            f"role `{row['rolname']}` owns tables or bypasses row-level security: serve as {APP_ROLE}"
        )
    if await connection.fetchval("show fsync") != "on":
        raise StoreUnavailable("PostgreSQL runs with fsync off: an acknowledged reservation could be lost")
