"""One life of the platform: from the lock on the data folder to the end of the last child."""

import asyncio
import os
import signal
import socket
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from apps.devserver import embedded, roles
from apps.devserver.errors import StartError
from apps.devserver.health import KEPT_ROLES, ROLES
from apps.devserver.instance_lock import acquire_instance_lock
from apps.devserver.listener import local_host, open_listener, public_url
from apps.devserver.logs import LogPrinter
from apps.devserver.options import DevOptions
from apps.devserver.readiness import answers_ok, wait_until
from apps.devserver.supervisor import Child, Supervisor, run_once
from apps.engine.keys import Keys

_DEATHS_BEFORE_GIVING_UP = 3
_HEALTH_PATH = f"/health?roles={','.join(ROLES)}"
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run_platform(options: DevOptions, printer: LogPrinter, root: Path, shard: str) -> None:
    """Run until SIGINT, SIGTERM or SIGHUP. `StartError` when the platform cannot start."""
    lock = acquire_instance_lock(options.data_dir)
    try:
        with open_listener(options.host, options.port) as listener:
            asyncio.run(Session(options, printer, root, shard, lock, listener).run())
    finally:
        os.close(lock)


class Session:
    """`manage.py dev`; what another command does otherwise it overrides."""

    name = "dev"
    stop_seconds: Mapping[str, float] = roles.STOP_SECONDS

    def __init__(
        self,
        options: DevOptions,
        printer: LogPrinter,
        root: Path,
        shard: str,
        lock: int,
        listener: socket.socket | None,
    ) -> None:
        self._options = options
        self._printer = printer
        self._root = root
        self._shard = shard
        self._lock = lock
        self._listener = listener
        self._port: int = listener.getsockname()[1] if listener is not None else 0
        self._supervisor = Supervisor(printer, self._run_dir(), tuple(self.stop_seconds), self.name)
        self._alive_keys = [Keys(shard).alive(role) for role in KEPT_ROLES]
        self._stop = asyncio.Event()

    async def run(self) -> None:
        """Start everything, wait for a signal, end everything."""
        self._watch_signals()
        starting = asyncio.create_task(self._start())
        stopping = asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if starting.done():
                starting.result()
            await stopping
            self._say("Stopping")
        finally:
            starting.cancel()
            await self._supervisor.stop()

    def _watch_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in _STOP_SIGNALS:
            loop.add_signal_handler(number, self._on_signal)

    def _on_signal(self) -> None:
        """The first signal asks, the second one does not."""
        if self._stop.is_set():
            self._supervisor.kill()
        self._stop.set()

    async def _start(self) -> None:
        self._say(f"Starting on {self._options.data_dir}")
        for note in self._options.notes:
            self._say(note)
        valkey_port = 0 if self._options.redis_url else embedded.free_port()
        redis_url = self._options.redis_url or f"redis://127.0.0.1:{valkey_port}/0"
        place = self._place(redis_url)
        await asyncio.gather(self._start_redis(place, redis_url, valkey_port), self._prepare(place))
        await self._forget_earlier_life(redis_url)
        self._start_roles(place)
        await self._wait_for_life(redis_url)
        self._announce()

    def _run_dir(self) -> Path:
        return self._options.data_dir / "run"

    def _announce(self) -> None:
        self._say(f"Stepwell is ready at {public_url(self._options.host, self._port)}")

    def _place(self, redis_url: str) -> roles.Place:
        environment = self._environment(redis_url)
        return roles.Place(self._root, self._lock, environment, self.stop_seconds)

    def _environment(self, redis_url: str) -> dict[str, str]:
        return roles.child_environment(self._options, os.environ, self._root, redis_url, self._port)

    async def _forget_earlier_life(self, redis_url: str) -> None:
        """Signs of life that an earlier start left would make this one look ready too soon."""
        await asyncio.to_thread(embedded.forget_keys, redis_url, self._alive_keys)

    async def _wait_for_life(self, redis_url: str) -> None:
        """Ask Redis first: web would log each unhealthy answer as an error."""
        await wait_until(partial(embedded.has_keys, redis_url, self._alive_keys))
        await wait_until(partial(answers_ok, local_host(self._options.host), self._port, _HEALTH_PATH))

    async def _start_redis(self, place: roles.Place, url: str, port: int) -> None:
        if self._options.redis_url:
            await asyncio.to_thread(embedded.check_external, url)
            return
        folder = self._options.data_dir / "valkey"
        folder.mkdir(parents=True, exist_ok=True)
        binary = await asyncio.to_thread(embedded.find_server_binary)
        child = self._supervisor.start(
            roles.valkey_spec(place, binary, folder, port, self._options.valkey_fsync)
        )
        await wait_until(partial(_is_up_or_hopeless, child, url, embedded.log_file(folder)))

    async def _prepare(self, place: roles.Place) -> None:
        """What must be done before the roles start."""
        self._options.sqlite_dir.mkdir(parents=True, exist_ok=True)
        if code := await run_once(roles.migrate_spec(place), self._printer):
            raise StartError(f"The database could not be brought up to date (exit code {code}, see above)")

    def _start_roles(self, place: roles.Place) -> None:
        level = self._options.log_level
        if self._listener is not None:
            self._supervisor.start(roles.web_spec(place, self._listener.fileno(), level))
        for role in KEPT_ROLES:
            self._supervisor.start(roles.celery_spec(place, role, level))

    def _say(self, text: str) -> None:
        self._printer.line(self.name, text)


def _is_up_or_hopeless(child: Child, url: str, log: Path) -> bool:
    if child.exits >= _DEATHS_BEFORE_GIVING_UP:
        raise StartError(f"The embedded Valkey does not start; its log is {log}")
    return embedded.is_up(url)
