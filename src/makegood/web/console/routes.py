"""The console's routes. Every page has a JSON twin at the same path with `.json`."""

from starlette.routing import Route

from makegood.errors import Problem, ProblemCode
from makegood.web.console.campaign import campaign_page
from makegood.web.console.campaign_list import campaigns_page
from makegood.web.console.chart import chart_page
from makegood.web.console.confirm import resume, resume_page, stage, stage_page, stop, stop_page
from makegood.web.console.guard_confirm import resume_target, resume_target_page, stop_target, stop_target_page
from makegood.web.console.guards import guards_page
from makegood.web.console.pages import Page, Visit, page_routes, plain_routes
from makegood.web.console.signing import access_page, home, sign_in, sign_in_page, sign_out


async def nothing_here(visit: Visit) -> Page:
    """The page for addresses that are none of ours."""
    raise Problem(ProblemCode.NOT_FOUND, f"there is no page at `{visit.request.url.path[:200]}`")


_CAMPAIGN = "/console/campaigns/{campaign}"

_TARGET = "/console/guards/{target:path}"  # An id may have a slash in it.

routes: list[Route] = [
    *page_routes("/console/sign-in", sign_in_page, post=sign_in, needs_session=False),
    *plain_routes("/console/sign-out", home, post=sign_out),
    *page_routes("/console/access", access_page),
    *page_routes("/console/campaigns", campaigns_page),
    *page_routes(f"{_CAMPAIGN}/stop", stop_page, post=stop),
    *page_routes(f"{_CAMPAIGN}/resume", resume_page, post=resume),
    *page_routes(f"{_CAMPAIGN}/stage", stage_page, post=stage),
    *page_routes(f"{_CAMPAIGN}/chart", chart_page),
    *page_routes(_CAMPAIGN, campaign_page),
    *page_routes("/console/guards", guards_page),
    *page_routes(f"{_TARGET}/stop", stop_target_page, post=stop_target),
    *page_routes(f"{_TARGET}/resume", resume_target_page, post=resume_target),
    *plain_routes("/console", home, needs_session=False),
    *page_routes("/console/{path:path}", nothing_here),
]
