"""The functions of a shard: publishing them, and each process's copy of them."""

import random
from collections.abc import Sequence

from apps.engine.flow.limits import node_limits
from apps.engine.flow.policy import DEFAULT_POLICY, FlowPolicy
from apps.engine.functions import FunctionSpec, decode_spec, encode_spec
from apps.engine.keys import Keys
from apps.engine.store.client import Argument, RedisClient
from apps.engine.store.library import LuaLibrary


class FunctionStore:
    """Writes function specs; every process notices by the version that each lease and batch brings."""

    def __init__(self, client: RedisClient, keys: Keys, policy: FlowPolicy = DEFAULT_POLICY) -> None:
        self._client = client
        self._keys = keys
        self._policy = policy
        self._library = LuaLibrary(client, keys.prefix)

    async def publish(self, specs: Sequence[FunctionSpec], *, is_restore: bool = False) -> None:
        """Replace the given specs; archived functions start no more runs. Idempotent.

        An older version than the published one is passed over, since two syncs may cross; a restore
        from the database has the last word.
        """
        await self._library.load()
        commands: list[Sequence[Argument]] = [
            self._library.command("configure", *self._node(spec, is_forced=is_restore)) for spec in specs
        ]
        # Drawn, not counted: a count would start again with an emptied Redis and meet a cache's old one.
        commands.append(("SET", self._keys.functions_version, random.getrandbits(53)))
        # Wakes the timer service, so that new crons count from now; one push is enough.
        commands += [
            ("LPUSH", f"{self._keys.prefix}:tick", "1"),
            ("LTRIM", f"{self._keys.prefix}:tick", 0, 0),
        ]
        await self._client.pipeline(commands)

    def _node(self, spec: FunctionSpec, *, is_forced: bool) -> list[Argument]:
        """In the order of `configure` in 50_schedule.lua."""
        identity: list[Argument] = [spec.id, spec.env_id, spec.account_id, spec.version, encode_spec(spec)]
        return [*identity, int(is_forced), self._policy.account_concurrency, *node_limits(spec)]


class FunctionCache:
    """A process's copy of all functions, reloaded when their version has moved."""

    def __init__(self, client: RedisClient, keys: Keys) -> None:
        self._client = client
        self._keys = keys
        self._specs: dict[str, FunctionSpec] = {}
        self._slugs: dict[tuple[str, str], str] = {}
        self.version = -1

    async def refresh(self, version: int | None = None) -> bool:
        """Reload if `version` (asked from the server when None) is not ours; True when reloaded.

        A server that knows no version any more has been emptied: what was published last holds until the
        functions are published again.
        """
        if version is None:
            version = int(await self._client.execute("GET", self._keys.functions_version) or 0)
        if version == self.version or (version == 0 and self.version > 0):
            return False
        flat = await self._client.execute("HGETALL", self._keys.functions)
        self._specs = {flat[i].decode(): decode_spec(flat[i + 1]) for i in range(0, len(flat), 2)}
        live = [spec for spec in self._specs.values() if not spec.archived]
        self._slugs = {(spec.env_id, spec.slug): spec.id for spec in live}
        self.version = version
        return True

    def get(self, function_id: str) -> FunctionSpec | None:
        return self._specs.get(function_id)

    def find(self, env_id: str, id_or_slug: str) -> FunctionSpec | None:
        """A live function of the environment by UUID or slug."""
        spec = self._specs.get(self._slugs.get((env_id, id_or_slug), id_or_slug))
        return spec if spec and spec.env_id == env_id and not spec.archived else None

    def all(self) -> list[FunctionSpec]:
        return list(self._specs.values())
