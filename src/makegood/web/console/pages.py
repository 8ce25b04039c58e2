"""How every console page is answered: HTML, the fragment a script asked for, or the JSON twin; and every error.

A view takes a `Visit` and returns a `Page` (or a redirect). Views never render and never handle errors themselves.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, quote

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from makegood.errors import Problem, ProblemCode
from makegood.services.access import Caller, Session
from makegood.web.body import read_bytes
from makegood.web.console.language import LANGUAGES, choose_language
from makegood.web.console.speech import Speech
from makegood.web.console.templates import render
from makegood.web.console.words import remedy
from makegood.web.problems import KINDS, as_problem, problem_response
from makegood.web.security import page_session, refuse_forgery

THEMES = ("auto", "light", "dark")
LANGUAGE_COOKIE = "makegood_language"
THEME_COOKIE = "makegood_theme"
PREFERENCE_SECONDS = 365 * 24 * 3600
FORM_BYTES_MAX = 16 * 1024  # A reason of 500 characters, percent-encoded in UTF-8, with room.
TWIN = ".json"


@dataclass(frozen=True, slots=True)
class Visit:
    """One request to the console: who asks, in which language and theme. `session` is None before sign-in."""

    request: Request
    speech: Speech
    theme: str
    session: Session | None = None
    form: Mapping[str, str] = field(default_factory=dict)

    @property
    def caller(self) -> Caller:
        """Who asks. Only for views that need a session."""
        assert self.session is not None
        return self.session.caller

    @property
    def wants_twin(self) -> bool:
        """Whether the JSON twin was asked for."""
        return self.request.url.path.endswith(TWIN)

    @property
    def wants_fragment(self) -> bool:
        """Whether a script on the page asked, and only needs the part that changes."""
        return self.request.headers.get("hx-request") == "true"


@dataclass(frozen=True, slots=True)
class Page:
    """What a view answers: a template with its values, the part of it that refreshes, and the JSON twin."""

    template: str
    values: Mapping[str, Any]
    twin: Any
    fragment: str | None = None
    status: int = 200


View = Callable[[Visit], Awaitable[Page | Response]]


def page_routes(path: str, view: View, *, post: View | None = None, needs_session: bool = True) -> list[Route]:
    """The routes of one page: its JSON twin at the same path with `.json`, the page, and what its form does."""
    twin = Route(path + TWIN, _endpoint(view, needs_session=needs_session), methods=["GET"])
    return [twin, *plain_routes(path, view, post=post, needs_session=needs_session)]


def plain_routes(path: str, view: View, *, post: View | None = None, needs_session: bool = True) -> list[Route]:
    """The routes of an address that only leads elsewhere and so has no twin."""
    routes = [Route(path, _endpoint(view, needs_session=needs_session), methods=["GET"])]
    if post is not None:
        routes.append(Route(path, _endpoint(post, needs_session=needs_session), methods=["POST"]))
    return routes


def _endpoint(view: View, *, needs_session: bool) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        visit = _stranger(request)
        try:
            visit = await _known(visit)
            if needs_session and visit.session is None:
                return _ask_to_sign_in(visit)
            answer = await view(await _with_form(visit))
            response = answer if isinstance(answer, Response) else _present(visit, answer)
        except Exception as error:  # The net of every page: what nobody expected is logged, and told by reference.
            response = error_response(visit, error)
        return _keep_preferences(visit, response)

    return endpoint


def _stranger(request: Request) -> Visit:
    language = choose_language(
        request.query_params.get("lang"),
        request.cookies.get(LANGUAGE_COOKIE),
        request.headers.get("accept-language", ""),
    )
    wishes = (request.query_params.get("theme"), request.cookies.get(THEME_COOKIE))
    theme = next((wish for wish in wishes if wish in THEMES), THEMES[0])
    assert theme is not None
    return Visit(request, Speech(language), theme)


async def _known(visit: Visit) -> Visit:
    return Visit(visit.request, visit.speech, visit.theme, await page_session(visit.request))


async def _with_form(visit: Visit) -> Visit:
    """The visit with its form read and known to come from our own page. Raises Problem(REQUEST_IS_FORGED)."""
    if visit.request.method != "POST":
        return visit
    given = await _read_form(visit.request)
    refuse_forgery(visit.request, session=visit.session, token=given.get("csrf"))
    return Visit(visit.request, visit.speech, visit.theme, visit.session, given)


async def _read_form(request: Request) -> Mapping[str, str]:
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        raise Problem(ProblemCode.MEDIA_TYPE_IS_WRONG, "a form of this console is sent as a plain form")
    data = await read_bytes(request, FORM_BYTES_MAX)
    try:
        return dict(parse_qsl(data.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=20))
    except ValueError:
        raise Problem(ProblemCode.REQUEST_IS_INVALID, "the form could not be read") from None


def _present(visit: Visit, page: Page) -> Response:
    if visit.wants_twin:
        return Response(msgspec.json.encode(page.twin), page.status, media_type="application/json")
    template = page.fragment if visit.wants_fragment and page.fragment else page.template
    return render(visit, template, page.values, page.status)


def _ask_to_sign_in(visit: Visit) -> Response:
    """A person is led to the sign-in page and back; a script or a twin hears 401."""
    if visit.wants_twin or visit.wants_fragment:
        return problem_response(Problem(ProblemCode.KEY_IS_MISSING, "there is no session, or it is over"))
    there = visit.request.url.path if visit.request.method == "GET" else "/console/campaigns"
    query = visit.request.url.query
    back = quote(f"{there}?{query}" if query and visit.request.method == "GET" else there)
    return RedirectResponse(f"/console/sign-in?next={back}", 303)


def error_response(visit: Visit, error: BaseException) -> Response:
    """The page (or the twin) that says what happened, what was not done, what to do, and the code."""
    problem = as_problem(error)
    if visit.wants_twin:
        return problem_response(problem)
    kind = KINDS[problem.code]
    values = {"problem": problem, "title": kind.title, "remedy": remedy(visit.speech, problem.code)}
    return render(visit, "error.html", values, kind.status)


def _keep_preferences(visit: Visit, response: Response) -> Response:
    """A language or theme that was asked for is kept for a year."""
    query = visit.request.query_params
    secure = visit.request.url.scheme == "https"
    if query.get("lang") in LANGUAGES:
        _keep(response, LANGUAGE_COOKIE, visit.speech.language, secure=secure)
    if query.get("theme") in THEMES:
        _keep(response, THEME_COOKIE, visit.theme, secure=secure)
    response.headers["Vary"] = "Accept-Language, Cookie, HX-Request"
    return response


def _keep(response: Response, name: str, value: str, *, secure: bool) -> None:
    response.set_cookie(name, value, max_age=PREFERENCE_SECONDS, path="/", httponly=True, samesite="lax", secure=secure)
