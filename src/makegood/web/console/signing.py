"""Signing in and out: a key is exchanged for a session of one shift. The key is neither shown nor kept."""

from starlette.responses import RedirectResponse, Response

from makegood.errors import Problem, ProblemCode
from makegood.limits import SESSION_SECONDS_MAX
from makegood.services.access import close_session, open_session
from makegood.web.console.pages import Page, Visit
from makegood.web.console.words import SCOPE_WORDS
from makegood.web.security import clear_session_cookie, session_token, set_session_cookie
from makegood.web.state import platform_of

HOME = "/console/campaigns"


async def home(visit: Visit) -> Response:  # noqa: ARG001 - every view takes a visit
    """To the list."""
    return RedirectResponse(HOME, 303)


async def sign_in_page(visit: Visit) -> Page | Response:
    """The form; who has a session is taken where they wanted to go."""
    there = safe_next(visit.request.query_params.get("next", ""))
    if visit.session is not None and not visit.wants_twin:
        return RedirectResponse(there, 303)
    return _form(visit, there)


async def sign_in(visit: Visit) -> Page | Response:
    """A session for the key of the form; or the form again, saying that the key is wrong."""
    there = safe_next(visit.form.get("next", ""))
    try:
        opened = await open_session(platform_of(visit.request), visit.form.get("key", "").strip())
    except Problem as problem:
        if problem.code is not ProblemCode.KEY_IS_WRONG:
            raise
        return _form(visit, there, code=problem.code)
    response = RedirectResponse(there, 303)
    set_session_cookie(response, visit.request, opened.token)
    return response


async def sign_out(visit: Visit) -> Response:
    """The session is over, here and in the store."""
    token = session_token(visit.request)
    if token is not None:
        await close_session(platform_of(visit.request), token)
    response = RedirectResponse("/console/sign-in", 303)
    clear_session_cookie(response, visit.request)
    return response


async def access_page(visit: Visit) -> Page:
    """Who is signed in, until when, and what their key may do."""
    session, caller = visit.session, visit.caller
    assert session is not None
    scopes = [(scope, words, scope in caller.scopes) for scope, words in SCOPE_WORDS.items()]
    twin = {
        "house": caller.house.name, "live": caller.house.live, "principal": caller.principal,
        "scopes": sorted(caller.scopes), "expires_at": session.expires_at.text(),
    }  # fmt: skip
    return Page("access.html", {"scopes": scopes, "expires_at": session.expires_at}, twin)


def safe_next(wish: str) -> str:
    """Where to go after signing in: a page of the console, never another site."""
    if wish.startswith("/console/") and "\\" not in wish and "//" not in wish and wish.isprintable():
        return wish
    return HOME


def _form(visit: Visit, there: str, code: ProblemCode | None = None) -> Page:
    values = {"next": there, "code": code, "hours": SESSION_SECONDS_MAX // 3600}
    twin = {"signed_in": visit.session is not None, "code": code}
    return Page("sign_in.html", values, twin, status=401 if code else 200)
