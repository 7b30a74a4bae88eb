"""One life of `manage.py start`: roles of a self-hosted server, supervised on one machine."""

import asyncio
import os
import socket
from functools import partial
from pathlib import Path

import redis

from apps.devserver import roles
from apps.devserver.children import ChildSpec
from apps.devserver.errors import StartError
from apps.devserver.instance_lock import acquire_instance_lock
from apps.devserver.listener import local_host, open_listener, public_url
from apps.devserver.logs import LogPrinter
from apps.devserver.readiness import answers_ok, wait_until
from apps.devserver.session import Session
from apps.devserver.supervisor import Child, run_once
from apps.engine.keys import Keys
from apps.server.start_options import StartOptions

# Beyond the drain: for Celery, and for what is handed back.
_WORKER_MARGIN_SECONDS = 6.0
_NO_TENANTS = 3
SETTINGS_MODULE = "config.settings.production"


def run_server(
    options: StartOptions, printer: LogPrinter, root: Path, shard: str, drain_seconds: float
) -> None:
    """Run until SIGINT, SIGTERM or SIGHUP. `StartError` when the server cannot start."""
    lock = acquire_instance_lock(_own_folder(options))
    listener = None
    try:
        if "web" in options.roles:
            listener = open_listener(options.common.host, options.common.port)
        asyncio.run(ServerSession(options, printer, root, shard, lock, listener, drain_seconds).run())
    finally:
        if listener is not None:
            listener.close()
        os.close(lock)


def _own_folder(options: StartOptions) -> Path:
    """Starts of other roles on the same machine share no files with this one."""
    folder = options.common.data_dir
    return folder if options.is_whole else folder / f"start-{'-'.join(options.roles)}"


class ServerSession(Session):
    name = "server"

    def __init__(
        self,
        options: StartOptions,
        printer: LogPrinter,
        root: Path,
        shard: str,
        lock: int,
        listener: socket.socket | None,
        drain_seconds: float,
    ) -> None:
        self._start_options = options
        self._roles_started: dict[str, Child] = {}
        # Workers first: what they still finish may need web (checkpoints) and the scheduler (history).
        self.stop_seconds = {
            "worker": drain_seconds + _WORKER_MARGIN_SECONDS,
            "web": 7.0,
            "scheduler": 10.0,
            "valkey": 10.0,
        }
        super().__init__(options.common, printer, root, shard, lock, listener)

    def _run_dir(self) -> Path:
        return _own_folder(self._start_options) / "run"

    def _environment(self, redis_url: str) -> dict[str, str]:
        environment = super()._environment(redis_url)
        environment["STEPWELL_MODE"] = "server"
        environment["STEPWELL_NO_UI"] = str(int(not self._start_options.has_ui))
        environment["STEPWELL_LOG_FORMAT"] = "json" if self._printer.is_json else "text"
        return environment

    async def _prepare(self, place: roles.Place) -> None:
        if self._start_options.is_whole:
            await super()._prepare(place)
        elif await run_once(roles.command_spec(place, "migrate", "--check"), self._printer):
            raise StartError("The database is not up to date: run `manage.py migrate` first")
        if not (self._start_options.has_keys or self._start_options.may_set_up):
            await self._require_tenants(place)

    async def _require_tenants(self, place: roles.Place) -> None:
        """Without keys of its own, a server needs organisations that have some."""
        code = await run_once(roles.command_spec(place, "has_tenants"), self._printer)
        if code == _NO_TENANTS:
            raise StartError("signing-key is required (or start with --setup to make the first organisation)")
        if code:
            raise StartError(f"The database cannot be asked for organisations (exit code {code}, see above)")

    def _start_roles(self, place: roles.Place) -> None:
        for role in self._start_options.roles:
            self._roles_started[role] = self._supervisor.start(self._spec(place, role))

    def _spec(self, place: roles.Place, role: str) -> ChildSpec:
        if role != "web" or self._listener is None:
            return roles.celery_spec(place, role, self._options.log_level)
        descriptor = self._listener.fileno()
        argv = (*roles.PYTHON_MODULE, "apps.server.web", "--socket", str(descriptor))
        return roles.python_spec(place, "web", argv, (descriptor,))

    async def _forget_earlier_life(self, redis_url: str) -> None:
        """Other machines may live on the same Redis: their signs of life are not ours to remove."""

    async def _wait_for_life(self, redis_url: str) -> None:
        await wait_until(partial(self._are_heard_of, redis_url))
        if self._listener is not None:
            host = local_host(self._options.host)
            await wait_until(partial(answers_ok, host, self._port, "/health/live"))

    def _are_heard_of(self, redis_url: str) -> bool:
        """Whether each of our processes has told of itself (apps/engine/telemetry_sender.py)."""
        host = socket.gethostname()
        ours = {f"{role}@{host}:{child.pid}" for role, child in self._roles_started.items()}
        try:
            with redis.Redis.from_url(redis_url, decode_responses=True) as client:
                return ours <= set(map(str, client.hkeys(Keys(self._shard).processes)))
        except redis.ConnectionError:
            return False

    def _announce(self) -> None:
        if self._listener is None:
            self._say(f"Stepwell is ready: {', '.join(self._start_options.roles)}")
            return
        url = public_url(self._options.host, self._port)
        without = "" if self._start_options.has_ui else ", web UI and GraphQL API endpoint disabled"
        self._say(f"Stepwell is ready at {url}")
        shown = self._options.host or "0.0.0.0"  # noqa: S104 said, not bound
        self._printer.raw(
            f"\nStepwell Server online at {shown}:{self._port}, visible at the following URLs{without}:\n"
            f" - {url} (http://localhost:{self._port})"
        )
