"""Who calls, and what a browser may do with our answers.

The API takes a key in `Authorization` and nothing else, so no other site can make a browser call it. The
console takes a session cookie, so a request that changes something must be shown to come from the console.
"""

import hmac
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from makegood.errors import Problem, ProblemCode
from makegood.limits import KEY_CHARS_MAX, SESSION_SECONDS_MAX
from makegood.services.access import Caller, Session, authenticate, session_caller
from makegood.web.problems import problem_response
from makegood.web.state import platform_of, shared_of

API_POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_PAGE_HEADERS = {  # What only a document obeys.
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
}
_ANY_HOST = ("/livez", "/readyz")  # Health is asked by address, before any name points here.
_HTTPS_HEADERS = {"Strict-Transport-Security": "max-age=31536000"}
_NO_STORE = (b"cache-control", b"no-store")


def _raw(*, is_page: bool, https: bool) -> dict[bytes, bytes]:
    policy = {"Content-Security-Policy": PAGE_POLICY if is_page else API_POLICY}
    headers = policy | _HEADERS | (_PAGE_HEADERS if is_page else {}) | (_HTTPS_HEADERS if https else {})
    return {name.lower().encode(): value.encode() for name, value in headers.items()}


_RAW = {
    (is_page, https): _raw(is_page=is_page, https=https) for is_page in (False, True) for https in (False, True)
}  # As the server sends them, made once.

# -- keys ----------------------------------------------------------------------------------------------


async def api_caller(request: HTTPConnection) -> Caller:
    """Who calls. Raises Problem(KEY_IS_MISSING, KEY_IS_WRONG); StoreUnavailable for a key not seen before."""
    key = _bearer(request)
    shared = shared_of(request)
    platform = shared.opened_platform()
    return await shared.keys.caller(key, lambda given: authenticate(platform, given))


def _bearer(request: HTTPConnection) -> str:
    """The key that was sent; what cannot be one becomes the empty key, as wrong as every other wrong one."""
    given = [value for name, value in request.scope["headers"] if name == b"authorization"]
    if not given:
        raise Problem(ProblemCode.KEY_IS_MISSING, "no key was sent", hint="send `Authorization: Bearer mk_...`")
    scheme, _, key = given[0].decode("latin-1").partition(" ")
    fits = len(given) == 1 and scheme.lower() == "bearer" and len(key) <= KEY_CHARS_MAX and key.isascii()
    return key.strip() if fits else ""


# -- console sessions ----------------------------------------------------------------------------------


def cookie_name(request: HTTPConnection) -> str:
    """The session cookie. Over HTTPS its prefix makes browsers refuse one that another host or path set."""
    return "__Host-makegood" if _is_https(request) else "makegood"


def session_token(request: HTTPConnection) -> str | None:
    """The session token that the browser sent, if any."""
    return request.cookies.get(cookie_name(request))


async def page_session(request: HTTPConnection) -> Session | None:
    """The session of this browser; None where there is none, or it is over. Raises StoreUnavailable."""
    token = session_token(request)
    if token is None or len(token) > KEY_CHARS_MAX or not token.isascii():
        return None
    try:
        return await session_caller(platform_of(request), token)
    except Problem:
        return None


def set_session_cookie(response: Response, request: HTTPConnection, token: str) -> None:
    """The browser keeps `token` for a shift, out of reach of scripts and of other sites."""
    response.set_cookie(
        cookie_name(request), token, max_age=SESSION_SECONDS_MAX, path="/", httponly=True, samesite="strict",
        secure=_is_https(request),
    )  # fmt: skip


def clear_session_cookie(response: Response, request: HTTPConnection) -> None:
    """The browser forgets the session."""
    response.delete_cookie(cookie_name(request), path="/", httponly=True, samesite="strict", secure=_is_https(request))


def refuse_forgery(request: HTTPConnection, *, session: Session | None = None, token: str | None = None) -> None:
    """Raises Problem(REQUEST_IS_FORGED) unless a request that changes something came from our own pages.

    Browsers say so themselves, first by `Sec-Fetch-Site`, else by `Origin`. One that says neither must send
    the session's CSRF `token` with the form.
    """
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    if site is not None:
        ours = site in ("same-origin", "none")
    elif origin is not None:
        ours = _is_our_origin(origin, request)
    else:
        ours = session is not None and token is not None and hmac.compare_digest(token.encode(), session.csrf.encode())
    if not ours:
        raise Problem(
            ProblemCode.REQUEST_IS_FORGED,
            "the request did not come from a page of this server; nothing was done",
            hint="open the page again and repeat the step there",
        )


def _is_our_origin(origin: str, request: HTTPConnection) -> bool:
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    # The scheme is not compared: behind a proxy that ends TLS, the server itself sees plain HTTP.
    return parts.scheme in ("http", "https") and parts.netloc.lower() == request.headers.get("host", "").lower()


def _is_https(request: HTTPConnection) -> bool:
    return request.url.scheme == "https"


# -- headers -------------------------------------------------------------------------------------------


class SecurityHeaders:
    """Adds the security headers to every answer; what is not a page may not load, run or embed anything."""

    def __init__(self, app: ASGIApp, hosts: Iterable[str] = ()) -> None:
        self.app = app
        self.hosts = known_hosts(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def hardened(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = hardened_headers(message.get("headers", ()), scope)
            await send(message)

        if is_for_us(scope, self.hosts):
            await self.app(scope, receive, hardened)
            return
        unknown = Problem(ProblemCode.HOST_IS_UNKNOWN, "this server does not answer to that host name")
        await problem_response(unknown)(scope, receive, hardened)


def known_hosts(hosts: Iterable[str]) -> frozenset[str]:
    """The host names that a server answers to, none of them blank; empty: to every one."""
    return frozenset(host.strip().lower() for host in hosts if host.strip())


def is_for_us(scope: Scope, hosts: frozenset[str]) -> bool:
    """Whether a request names one of `hosts`, or need not."""
    if not hosts or scope["path"] in _ANY_HOST:
        return True
    try:
        return urlsplit(f"//{Headers(scope=scope).get('host', '')}").hostname in hosts
    except ValueError:
        return False


def hardened_headers(given: Iterable[tuple[bytes, bytes]], scope: Scope) -> list[tuple[bytes, bytes]]:
    """The headers of an answer with those of security; ours replace what it says itself, but for caching."""
    given = list(given)
    names = dict(given)
    is_page = names.get(b"content-type", b"").startswith(b"text/html")
    ours = _RAW[is_page, scope.get("scheme") == "https"]
    if not names.keys().isdisjoint(ours):
        given = [header for header in given if header[0] not in ours]
    return [*given, *ours.items()] if b"cache-control" in names else [*given, *ours.items(), _NO_STORE]
