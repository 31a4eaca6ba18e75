"""The app, put together: what the routes find in ``app.state``, and in which order things start and stop."""

import time
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Final, Protocol

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.routing import APIRoute
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Route

from media.relay.plane import DataPlane
from media.server import api, errors, metrics, people, tokens, whip
from media.server.admission import Admission
from media.server.auth import Tokens, load_secret
from media.server.body import BodyLimit
from media.server.config import Config
from media.server.sessions import Sessions
from media.server.spaces import Spaces
from media.server.store import Store
from media.server.timers import Timers
from media.space.policy import preset

DESCRIPTION: Final = """\
Social audio: a host opens a **Space**, a few people speak, any number listens.

1. Get a token: `python -m media token --user ana` on the machine, or `POST /tokens` as an admin.
2. `POST /spaces`, then `POST /spaces/{id}/start`: you are its host, and its only speaker, muted.
3. Connect: `POST /spaces/{id}/whip` to speak, `POST /spaces/{id}/whep` to listen, an SDP offer each.
4. Others ask with `POST /spaces/{id}/requests`; host and co-hosts approve or deny, mute and remove.

Errors are `application/problem+json`: `type` is stable, `detail` is a sentence for people. Times are RFC 3339.
"""


class Plane(DataPlane, Protocol):
    """A data plane that says whether it can take work."""

    @property
    def ready(self) -> bool:
        """Whether sessions can be added."""
        ...


health: Final = APIRouter(tags=["Operation"])


@health.get("/healthz", responses={503: {"description": "not ready"}})
async def healthz(request: Request, response: Response) -> dict[str, str]:
    """Answer 200 when Spaces can be served, 503 while not."""
    if request.app.state.plane.ready and request.app.state.open:
        return {"status": "ready"}
    response.status_code = 503
    return {"status": "not ready"}


def create_app(
    config: Config,
    plane: Plane,
    *,
    metric_families: metrics.Families | None = None,
    clock: Callable[[], float] = time.time,
) -> FastAPI:
    """Build the control plane of a running data plane.

    :param metric_families: yields what the relay counts, for ``/metrics``
    :param clock: Unix seconds
    """
    sessions = Sessions()
    store = Store(config.database_url)
    spaces = Spaces(store, plane, sessions, preset(config.policy), clock)
    timers = Timers(spaces)
    counted = metrics.Metrics(metric_families)
    counted.watch(spaces, sessions)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        await store.open()
        try:
            await spaces.open()
            timers.start()
            app.state.open = True
            yield
        finally:
            app.state.open = False
            await timers.stop()
            await spaces.close()
            await store.close()

    app = FastAPI(
        title="Spaces Lab",
        version="0.1.0",
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,  # the pages of FastAPI load scripts from elsewhere; the document is at /openapi.json
        redoc_url=None,
    )
    state = app.state
    state.methods = defaultdict[str, set[str]](set)
    for router in (api.router, people.router, whip.router, tokens.router, metrics.router, health):
        app.include_router(router)
        for route in router.routes:
            if isinstance(route, Route | APIRoute):
                state.methods[route.path] |= route.methods or set()
    errors.install(app)
    state.plane, state.spaces, state.sessions = plane, spaces, sessions
    state.tokens = Tokens(load_secret(config.data))
    state.admission = Admission(spaces, sessions, plane)
    state.timers, state.registry, state.open = timers, counted.registry, False
    app.add_middleware(BodyLimit)
    app.add_middleware(
        CORSMiddleware,  # tokens travel in a header and never in a cookie, so any page may call
        allow_origins=["*"],
        allow_methods=["*"],
        allow_headers=["Authorization", "Content-Type", "If-Match"],
        expose_headers=["Location", "ETag", "Link", "Retry-After", "Accept-Post", "WWW-Authenticate"],
    )
    app.add_middleware(metrics.RequestMetrics, metrics=counted)
    return app
