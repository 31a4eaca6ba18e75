"""The app, put together: what the routes find in ``app.state``, and in which order things start and stop."""

import asyncio
import contextlib
import logging
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Final, Protocol

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.routing import APIRoute
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Route
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from media.relay.plane import DataPlane, PlaneError
from media.server import api, document, errors, graph, metrics, people, policies, room, tokens, users, web, whip
from media.server.accounts import Accounts
from media.server.admission import Admission
from media.server.afterlife import ROUTERS as AFTERLIFE
from media.server.afterlife import Afterlife
from media.server.appeals.parts import ROUTERS as APPEALS
from media.server.appeals.parts import install as install_appeals
from media.server.assistance.embedding import embedder_or_none
from media.server.assistance.routes import router as assistance_routes
from media.server.assistance.service import Assistance
from media.server.audit.audit import Audit
from media.server.audit.routes import router as audit_routes
from media.server.auth import Tokens, load_secret
from media.server.body import BodyLimit
from media.server.captions.engine import CaptionEngine
from media.server.clock import Clock, clock_of
from media.server.compat import spaces as compat_spaces
from media.server.compat import users as compat_users
from media.server.compat.numbers import Numbers
from media.server.config import Config
from media.server.connection_limits import Connections
from media.server.database_faults import StoreUnavailableError
from media.server.directory import Directory, methods_of
from media.server.events.routes import router as event_routes
from media.server.events.service import EventService
from media.server.grants import Grants
from media.server.guard import Guard
from media.server.host_tools.entry import EntryGate
from media.server.idempotency.keys import Keys
from media.server.idempotency.middleware import Idempotency
from media.server.kill_switch.routes import router as kill_switch_routes
from media.server.kill_switch.service import KillSwitch
from media.server.lane import Lane
from media.server.life import ROUTERS as LIFE
from media.server.life import Life
from media.server.limits.middleware import Limits
from media.server.limits.rates import CONNECTIONS_PER_ADDRESS
from media.server.listener import capacity
from media.server.lookup import Lookup
from media.server.moderation import case_routes, desk_routes, evidence_routes, report_routes
from media.server.moderation.effects import Effects
from media.server.moderation.evidence import HeldRecordings
from media.server.moderation.queues import Queues
from media.server.moderation.reading import Reading
from media.server.moderation.service import Moderation
from media.server.opening import Opening
from media.server.reach import ROUTERS, Reach
from media.server.recordings.recorder_process import RecorderProcess
from media.server.recordings.service import Recordings
from media.server.recordings.slot_file import SlotError
from media.server.references import References
from media.server.sessions import Sessions
from media.server.spaces import Spaces
from media.server.store import Store
from media.server.timers import Timers
from media.server.visibility import Visibility

log = logging.getLogger(__name__)

MODERATION: Final = (report_routes.router, evidence_routes.router, case_routes.router, desk_routes.router)
DESCRIPTION: Final = """\
Social audio: a host opens a **Space**, a few people speak, any number listens.

1. Get a token: `python -m media token --user ana` on the machine, or `POST /tokens` as an admin.
2. `POST /spaces`, then `POST /spaces/{id}/start`: you are its host, and its only speaker, muted.
3. Connect: `POST /spaces/{id}/whip` to speak, `POST /spaces/{id}/whep` to listen, an SDP offer each.
4. `POST /users` makes a profile, which others can follow; `POST /users/me/blocking` keeps somebody out.
5. Others ask with `POST /spaces/{id}/requests`; host and co-hosts approve or deny, mute and remove.

A token opens things and does not hold them: sound that is on goes on when it expires, until its owner ends it
(for which an expired token is good), the right to it is taken away, or the Space ends. Event streams end with the
token.

A draft exists for its host, whom they invite, and admins; everybody else is told that there is no such Space.
Whoever was removed from a Space, or blocked by its host, is told that and nothing else of it.

Errors are `application/problem+json`: `type` is stable, `detail` is a sentence for people. Times are RFC 3339.
"""


class Plane(DataPlane, Protocol):
    """A data plane that says whether it can take work."""

    @property
    def ready(self) -> bool:
        """Whether sessions can be added."""
        ...


class _Part(Protocol):
    async def close(self) -> None: ...


async def _close(*parts: _Part) -> None:
    """End parts in turn; one that cannot write any more, which is in the log, keeps no other from it."""
    for part in parts:
        with contextlib.suppress(StoreUnavailableError):
            await part.close()


health: Final = APIRouter(tags=["Operation"])


@health.get("/healthz", responses={503: {"description": "not ready"}})
async def healthz(request: Request, response: Response) -> dict[str, str]:
    """Answer 200 when Spaces can be served, 503 while not."""
    state = request.app.state
    if not state.open:
        status = "starting"
    elif not state.plane.ready:
        status = "no relay"
    elif (fault := await state.spaces.store.database.check()) is not None:
        status = f"store unavailable: {fault.kind}"
    else:
        return {"status": "ready"}
    response.status_code = 503
    return {"status": status}


def create_app(
    config: Config,
    plane: Plane,
    *,
    metric_families: metrics.Families | None = None,
    refresh: metrics.Refresh | None = None,
    started: asyncio.Future[None] | None = None,
    give_up: Callable[[str], None] = lambda _: None,
    clock: Callable[[], float] | None = None,
    recorder: RecorderProcess | None = None,
    captioning: CaptionEngine | None = None,
) -> FastAPI:
    """Build the control plane of a data plane.

    :param metric_families: yields what the relay counts, for ``/metrics``
    :param refresh: is awaited before that
    :param started: is done when the plane can take work, None if it can now; until then the app says "starting"
    :param give_up: is told why, if that will never be or the Spaces of before cannot be taken up again
    :param clock: Unix seconds; None for those of the machine
    :param recorder: records every Space; None if nothing is to be recorded
    :param captioning: makes captions of what the recorder forwards; None if there are to be none
    """
    sessions = Sessions()
    store = Store(config.database_url)
    clock = Clock() if clock is None else clock_of(clock)
    spaces = Spaces(store, plane, sessions, config.policies[config.policy], clock)
    accounts = Accounts(store.database)
    guard = Guard(accounts, spaces, sessions, plane, clock)
    store.database.on_recovered(guard.catch_up)
    entry = EntryGate(accounts, sessions, clock, clock.steady)
    visibility = Visibility(guard, sessions, entry)
    timers = Timers(spaces)
    counted = metrics.Metrics(metric_families)
    counted.watch(spaces, sessions)
    connections = Connections(_per_address(config), capacity(), config.trusted_proxies)
    counted.add(connections.families)
    admission = Admission(spaces, sessions, plane, guard, visibility, entry, config.large_room)
    # after admission, which subscribes to the plane first: who is present is known when the streams are told
    events = EventService(spaces, sessions, guard, plane, store.database, counted.registry, clock)

    async def open_up() -> None:
        try:
            if started is not None:
                await asyncio.shield(started)
            await guard.open()
            await spaces.open()
            await guard.know_hosts()
            await reach.open()
            events.open()
            await life.open()
            await recordings.open()
            await afterlife.open()
            await moderation.open()
            await appeals.open()
        except (PlaneError, StoreUnavailableError, SlotError) as error:
            give_up(str(error))
            return
        except Exception:
            log.exception("The Spaces of before cannot be taken up again.")
            give_up("The server could not start; the lines above say why.")
            return
        timers.start()
        state.open = True

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        await store.open()
        opening = asyncio.ensure_future(open_up())
        try:
            if started is None:
                await opening
            yield
        finally:
            app.state.open = False
            events.close()
            opening.cancel()
            await asyncio.wait([opening])
            await timers.stop()
            assistance.close()
            await _close(moderation, afterlife, reach, life, spaces, recordings)
            await store.close()

    app = FastAPI(
        title="Spaces Lab",
        version="0.1.0",
        description=DESCRIPTION,
        lifespan=lifespan,
        openapi_url=None,  # ours is in the module document
        docs_url=None,  # the pages of FastAPI load scripts from elsewhere; the document is at /openapi.json
        redoc_url=None,
        redirect_slashes=False,  # it would send callers to whatever host they had named
    )
    state = app.state
    state.methods = defaultdict[str, set[str]](set)
    directory = Directory()
    app.router.routes.append(directory)
    for router in (
        *(*ROUTERS, *LIFE, *AFTERLIFE, audit_routes, kill_switch_routes, *MODERATION, *APPEALS, assistance_routes),
        *(api.router, people.router, whip.router, users.router, graph.router),
        *(policies.router, policies.of_spaces, *room.ROUTERS),
        *(tokens.opening, tokens.router, compat_spaces.router, compat_users.router, metrics.router, health),
        *(document.router,),
        *(event_routes, web.router),
    ):
        app.router.routes += directory.take_up(router.routes)
        for route in router.routes:
            if isinstance(route, Route | APIRoute):
                state.methods[route.path] |= methods_of(route)
    document.install(app, directory.routes, max(rules.topics for rules in config.policies.values()))
    errors.install(app)
    state.plane, state.spaces, state.sessions = plane, spaces, sessions
    secret = load_secret(config.data)
    state.tokens = Tokens(secret)
    state.accounts, state.guard, state.grants = accounts, guard, Grants(store.database)
    state.policies, state.public_url = config.policies, config.public_url
    state.admission, state.visibility, state.connections = admission, visibility, connections
    state.numbers, state.lookup = Numbers(store.database), Lookup(store.database)
    state.hub, state.events = events.hub, events
    state.audit = audit = Audit(store.database, clock.steady)
    recordings = Recordings(
        config.data, spaces, plane, store.database, audit, clock, recorder, config.evidence_slots
    )
    state.recordings = recordings
    counted.add(recordings.families)
    effects = Effects(spaces, sessions, guard, events.hub)
    state.moderation = moderation = Moderation(
        spaces, sessions, visibility, effects, events.hub, store.database, audit, clock
    )
    moderation.evidence = HeldRecordings(recordings)
    state.assistance = assistance = Assistance(spaces, plane, moderation, embedder_or_none())
    state.cases, state.queues = Reading(store.database), Queues(store.database, audit)
    appeals = install_appeals(state, moderation, effects, spaces, accounts, guard, store.database, secret)
    state.kill_switch = KillSwitch(spaces, audit)
    store.database.on_recovered(state.kill_switch.catch_up)
    reach = Reach(state, spaces, sessions, plane, accounts, guard, store.database, clock)
    life = Life(state, config, spaces, accounts, guard, visibility, events.hub, store.database, clock, captioning)
    state.captions.on_consent = recordings.caption_soon
    recordings.captioned = state.captions.consents
    state.captions.transcribe_from(recordings.speech)
    state.captions.on_line.append(assistance.read)
    afterlife = Afterlife(state, config, spaces, recordings, store.database, clock)
    state.timers, state.registry, state.open = timers, counted.registry, False
    state.refresh, state.rendering, state.metrics_from = refresh, None, config.metrics_from
    app.add_middleware(Idempotency, state=state, keys=Keys(store.database, secret), clock=clock)
    app.add_middleware(Lane, state=state)
    app.add_middleware(BodyLimit, state=state, directory=directory)
    app.add_middleware(Opening, state=state)
    if config.rate_limit:
        app.add_middleware(Limits, state=state, reads=config.rate_limit)
    app.add_middleware(References)
    app.add_middleware(
        CORSMiddleware,  # tokens travel in a header and never in a cookie, so any page may call
        allow_origins=["*"],
        allow_methods=["*"],
        allow_headers=[
            "*"
        ],  # and send what it likes: players name ETag, Link, Cache-Control, headers of their own
        expose_headers=[
            "Location",
            "ETag",
            "Link",
            "Retry-After",
            "Accept-Post",
            "Accept-Patch",
            "WWW-Authenticate",
            "Idempotent-Replayed",
            "RateLimit",
            "RateLimit-Policy",
        ],
    )
    app.add_middleware(metrics.RequestMetrics, metrics=counted)
    if config.trusted_proxies:
        app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=list(config.trusted_proxies))
    return app


def _per_address(config: Config) -> int:
    """Return how many connections an address may have; without limits of requests there is none of connections."""
    if config.connections_per_address is not None:
        return config.connections_per_address
    return CONNECTIONS_PER_ADDRESS if config.rate_limit else 0
