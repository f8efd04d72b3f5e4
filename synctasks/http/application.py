"""The web application: which path leads where. Whatever goes wrong is answered as JSON."""

from __future__ import annotations

from http import HTTPStatus

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from synctasks.http import health
from synctasks.http.callback import Callback
from synctasks.http.metrics import Metrics

_SAID = {
    HTTPStatus.NOT_FOUND: "there is no such path. A forecast is announced at /callbacks/forecasts",
    HTTPStatus.METHOD_NOT_ALLOWED: "this path does not take that method. "
    "The header Allow lists those that it takes",
}


def make_application(secret: bytes) -> Starlette:
    """The application; `secret` is what callbacks are signed with."""
    application = Starlette(
        routes=[
            Route("/callbacks/forecasts", Callback(secret).answer, methods=["POST"]),
            Route("/healthz", health.alive),
            Route("/readyz", health.ready),
            Route("/metrics", Metrics().answer),
        ],
        exception_handlers={HTTPException: _refused, Exception: _failed},
    )
    # A callback that is sent on to another path would arrive there without its body.
    application.router.redirect_slashes = False
    return application


def _refused(_: Request, problem: Exception) -> JSONResponse:
    assert isinstance(problem, HTTPException)
    status = HTTPStatus(problem.status_code)
    # What Starlette itself refuses has no words but the status's own.
    bare = problem.detail == status.phrase
    error = _SAID.get(status, problem.detail) if bare else problem.detail
    return JSONResponse({"error": error}, status, headers=problem.headers)


def _failed(_: Request, __: Exception) -> JSONResponse:
    """A mistake of ours: its trace is in our log, and nothing of it in the answer."""
    error = "synctasks made a mistake. Send it again later; its operators find more in its log"
    return JSONResponse({"error": error}, HTTPStatus.INTERNAL_SERVER_ERROR)
