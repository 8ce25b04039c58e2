"""Who calls: houses, principals, keys, console sessions."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from makegood.clock import Instant
from makegood.domain.review import Guard, Scope
from makegood.errors import FieldError, Problem, ProblemCode
from makegood.limits import KEY_SECRET_BYTES, SESSION_SECONDS_MAX
from makegood.services.platform import Platform
from makegood.store import access as rows

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}", re.ASCII)
_KEY = re.compile(r"m([ks])_([a-z0-9][a-z0-9-]{0,62})_([A-Za-z0-9]{1,32})_([A-Za-z0-9-]{20,64})", re.ASCII)


@dataclass(frozen=True, slots=True)
class House:
    """A tenant. A test house takes the payment's own clock, and only a test house does without guards."""

    id: int
    name: str
    live: bool
    draw_secret: bytes
    payer_key: bytes
    guards_left_out: frozenset[Guard] = frozenset()

    def reference(self, kind: str, identifier: str) -> bytes:
        """A keyed hash of a person's or device's id: the ledger knows no other name for them."""
        return hmac.digest(self.payer_key, f"{kind}\0{identifier}".encode(), "sha256")


@dataclass(frozen=True, slots=True)
class Caller:
    """A principal of a house, acting with a key."""

    house: House
    principal: str
    scopes: frozenset[Scope]
    key_id: str


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key, in the clear for the only time."""

    key: str
    principal: str
    scopes: tuple[Scope, ...]
    key_id: str


@dataclass(frozen=True, slots=True)
class Session:
    """An open console session."""

    caller: Caller
    csrf: str
    expires_at: Instant


@dataclass(frozen=True, slots=True)
class NewSession:
    """A console session, its token in the clear for the only time."""

    token: str
    csrf: str
    caller: Caller
    expires_at: Instant


async def create_house(platform: Platform, name: str, *, live: bool, guards_left_out: Iterable[Guard] = ()) -> House:
    """Make a house. `guards_left_out` stay out for as long as it exists, and only a test house may do without any.

    Raises Problem for a name that is taken or cannot be one, and for a live house without a guard.
    """
    left_out = sorted(set(guards_left_out))
    if live and left_out:
        where = FieldError("/guards_left_out", "only a test house may do without a guard")
        raise Problem(ProblemCode.REQUEST_IS_INVALID, "a live house keeps every guard", errors=(where,))
    if not _NAME.fullmatch(name):
        raise Problem(
            ProblemCode.REQUEST_IS_INVALID,
            f"`{name[:80]}` is not a name a house can have",
            errors=(FieldError("/name", "must be lower-case letters, digits and hyphens, at most 63"),),
        )
    owner = await platform.store.administrator()
    try:
        await rows.create_house(owner, name, live, secrets.token_bytes(32), secrets.token_bytes(32), left_out)
    finally:
        await owner.close()
    return await house_named(platform, name)


async def house_named(platform: Platform, name: str) -> House:
    """The house of that name. Raises Problem(NOT_FOUND)."""
    row = await rows.house(platform.store.pool, name)
    if row is None:
        raise Problem(
            ProblemCode.NOT_FOUND,
            f"there is no house `{name[:80]}`",
            hint="make it: makegood house create NAME",
        )
    return _house(row)


async def create_key(
    platform: Platform, house_name: str, principal: str, scopes: Iterable[Scope], *, kind: str = "person"
) -> NewKey:
    """Make a key for a principal of a house; its text is shown this once and stored only as a hash."""
    house = await house_named(platform, house_name)
    held = tuple(sorted(set(scopes)))
    if not held:
        raise Problem(ProblemCode.REQUEST_IS_INVALID, "a key needs at least one scope")
    key_id, secret = _word(8), _word(KEY_SECRET_BYTES)
    owner = await platform.store.administrator()
    try:
        await rows.create_key(owner, house.id, principal, kind, key_id, [scope.value for scope in held], _hash(secret))
    finally:
        await owner.close()
    return NewKey(f"mk_{house.name}_{key_id}_{secret}", principal, held, key_id)


async def authenticate(platform: Platform, key: str) -> Caller:
    """Whoever holds `key`. Raises Problem(KEY_IS_WRONG), the same for every way to be wrong."""
    house, key_id, secret = await _open_text(platform, key, "k")
    row = await rows.key(platform.store.pool, house.id, key_id)
    if row is None or not hmac.compare_digest(row["secret_hash"], _hash(secret)):
        raise _wrong()
    return _caller(house, row)


def require(caller: Caller, *scopes: Scope) -> None:
    """Refuse a caller who has none of these scopes. Raises Problem(SCOPE_IS_MISSING)."""
    if caller.scopes.isdisjoint(scopes):
        needed = " or ".join(f"`{scope}`" for scope in scopes)
        raise Problem(ProblemCode.SCOPE_IS_MISSING, f"this needs a key with the scope {needed}")


async def open_session(platform: Platform, key: str) -> NewSession:
    """Exchange a key for a console session that ends by itself. Raises Problem(KEY_IS_WRONG)."""
    caller = await authenticate(platform, key)
    secret, csrf = _word(KEY_SECRET_BYTES), _word(KEY_SECRET_BYTES)
    until = platform.clock().plus(SESSION_SECONDS_MAX)
    pool = platform.store.pool
    await rows.open_session(pool, caller.house.id, _hash(secret), caller.key_id, csrf, until.datetime())
    return NewSession(f"ms_{caller.house.name}_{caller.key_id}_{secret}", csrf, caller, until)


async def session_caller(platform: Platform, token: str) -> Session:
    """The session of a token. Raises Problem(KEY_IS_WRONG) once it is over."""
    house, _, secret = await _open_text(platform, token, "s")
    row = await rows.session(platform.store.pool, house.id, _hash(secret))
    if row is None:
        raise _wrong()
    return Session(_caller(house, row), row["csrf"], Instant.of(row["expires_at"]))


async def close_session(platform: Platform, token: str) -> None:
    """End a session. Raises Problem(KEY_IS_WRONG) for something that is no token."""
    house, _, secret = await _open_text(platform, token, "s")
    await rows.close_session(platform.store.pool, house.id, _hash(secret))


async def _open_text(platform: Platform, text: str, kind: str) -> tuple[House, str, str]:
    match = _KEY.fullmatch(text)
    row = await rows.house(platform.store.pool, match[2]) if match and match[1] == kind else None
    if match is None or row is None:
        raise _wrong()
    return _house(row), match[3], match[4]


def _wrong() -> Problem:
    return Problem(
        ProblemCode.KEY_IS_WRONG,
        "this key opens nothing",
        hint="make one: makegood key create PRINCIPAL --scope …",
    )


def _house(row: dict[str, Any]) -> House:
    left_out = frozenset(map(Guard, row["guards_left_out"]))
    return House(row["house_id"], row["name"], row["live"], row["draw_secret"], row["payer_key"], left_out)


def _caller(house: House, row: dict[str, Any]) -> Caller:
    return Caller(house, row["principal"], frozenset(map(Scope, row["scopes"])), row["key_id"])


def _word(size: int) -> str:
    return secrets.token_urlsafe(size).replace("_", "A").replace("-", "B")[: size * 4 // 3]


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
