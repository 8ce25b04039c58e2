"""Numbered migrations, each whole or not at all, one process at a time."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files

import asyncpg

from makegood.errors import StoreUnavailable
from makegood.store.pool import APP_ROLE, Connection, translated

OWNER_ROLE = "makegood_owner"
SERVER_ROLE = "makegood_server"  # The login of the embedded server's pool: it can become makegood_app, nobody else.
ADVISORY_LOCK = 0x6D616B65676F6F64  # "makegood"

_ROLES = f"""
do $$ begin
    if not exists (select from pg_roles where rolname = '{OWNER_ROLE}') then create role {OWNER_ROLE} nologin; end if;
    if not exists (select from pg_roles where rolname = '{APP_ROLE}') then create role {APP_ROLE} nologin; end if;
    if not pg_has_role('{OWNER_ROLE}', 'set') then execute format('grant {OWNER_ROLE} to %I', current_user); end if;
    if not pg_has_role('{APP_ROLE}', 'set') then execute format('grant {APP_ROLE} to %I', current_user); end if;
    if to_regnamespace('makegood') is null then create schema makegood authorization {OWNER_ROLE}; end if;
end $$;
set role {OWNER_ROLE};
grant usage on schema makegood to {APP_ROLE};
create table if not exists makegood.migrations (
    number integer primary key, name text not null, sha256 text not null, applied_at timestamptz not null default now()
);
grant select on makegood.migrations to {APP_ROLE};
reset role;
"""  # noqa: S608 - the names are constants of ours

_SERVER_ROLE = f"""
do $$ begin
    if not exists (select from pg_roles where rolname = '{SERVER_ROLE}') then create role {SERVER_ROLE} login; end if;
    grant {APP_ROLE} to {SERVER_ROLE};
end $$;
"""


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
            new = await _missing(connection)
            for migration in new:
                await _apply(connection, migration)
            return len(new)
        except asyncpg.InsufficientPrivilegeError as error:
            raise StoreUnavailable(f"the database's user may not prepare it: {error}") from error
        finally:
            await connection.execute("select pg_advisory_unlock($1)", ADVISORY_LOCK)


async def may_migrate(connection: Connection) -> bool:
    """Whether this login may bring the database to a version: the first one makes the roles, later ones own the schema."""
    with translated():
        return bool(
            await connection.fetchval(
                """select coalesce(
                    (select pg_has_role(oid, 'member') from pg_roles where rolname = $1),
                    (select rolsuper or rolcreaterole from pg_roles where rolname = session_user))""",
                OWNER_ROLE,
            )
        )


async def check_version(connection: Connection) -> None:
    """Refuse a database that is not at this version. Raises StoreUnavailable."""
    with translated():
        reads = await connection.fetchval(
            "select has_schema_privilege(oid, 'usage') from pg_namespace where nspname = 'makegood'"
        )
        if not reads or await _missing(connection):
            raise StoreUnavailable(
                f"the database is not at this version or its user is no member of {APP_ROLE}: run a command such as "
                "`makegood house create` with the administrator's URL, then grant the role"
            )


async def make_server_role(connection: Connection) -> None:
    """Afterwards the embedded server's pool can log in. Only where no port is open: the role has no password."""
    with translated():
        await connection.execute("select pg_advisory_lock($1)", ADVISORY_LOCK)
        try:
            await connection.execute(_SERVER_ROLE)
        finally:
            await connection.execute("select pg_advisory_unlock($1)", ADVISORY_LOCK)


async def _missing(connection: Connection) -> list[Migration]:
    """The migrations that are yet to be applied."""
    applied = {r["number"]: r["sha256"] for r in await connection.fetch("select * from makegood.migrations")}
    known = {m.number: m for m in migrations()}
    for number, sha256 in applied.items():
        if number not in known:
            raise StoreUnavailable(f"the database has migration {number}, which this version does not know: upgrade it")
        if known[number].sha256 != sha256:
            raise StoreUnavailable(f"migration {number} was applied with another text: this is not the same schema")
    return [m for m in migrations() if m.number not in applied]


async def _apply(connection: Connection, migration: Migration) -> None:
    async with connection.transaction():
        await connection.execute(f"set local role {OWNER_ROLE}")
        await connection.execute("set local search_path = makegood")
        await connection.execute(migration.text)
        await connection.execute(
            "insert into makegood.migrations (number, name, sha256) values ($1, $2, $3)",
            migration.number, migration.name, migration.sha256,
        )  # fmt: skip
        await connection.execute("reset role")


_SEEN_PAST = """
select session_user::text as login,
    exists (select from pg_roles r where (r.rolsuper or r.rolbypassrls)
            and (r.rolname = current_user or pg_has_role(session_user, r.oid, 'member'))) as sees_all,
    exists (select from pg_class c join pg_roles r on r.oid = c.relowner
            where c.relnamespace = to_regnamespace('makegood') and r.rolname in (current_user, session_user)) as owns,
    exists (select from pg_roles r where r.rolname = $1 and pg_has_role(session_user, r.oid, 'member')) as can_own
"""


async def check_role(connection: Connection, *, strict: bool) -> None:
    """Refuse to serve as a login that could see past row-level security, also by setting another role.

    `strict` refuses a login that may become the schema's owner, too: it could change what the database enforces.
    """
    row = await connection.fetchrow(_SEEN_PAST, OWNER_ROLE)
    if row["sees_all"] or row["owns"] or (strict and row["can_own"]):
        raise StoreUnavailable(
            f"login `{row['login']}` owns tables or can get past row-level security: serve with one that is a member "
            f"of {APP_ROLE} only"
        )
    if await connection.fetchval("show fsync") != "on":
        raise StoreUnavailable(
            "PostgreSQL runs with fsync off: an acknowledged reservation could be lost; switch it on (`alter system set "
            "fsync = on`, then reload) before you serve from it"
        )
