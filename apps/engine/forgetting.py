"""Taking an environment, or an account, out of the queue for good, with all that names it.

A background job's work: it looks at every key of the shard once.
"""

import random
from collections.abc import AsyncIterator, Iterable, Sequence

from apps.engine.keys import Keys
from apps.engine.store.client import RedisClient
from apps.engine.store.functions import FunctionCache
from apps.engine.store.library import LuaLibrary

# Live runs that are ended by one call: each may have some megabytes of state.
_RUNS_AT_ONCE = 20
_PAGE = 1_000
# Sorted sets whose members begin with a function: ticks of crons, gates of throttles, held back events.
_SHARED_SETS = ("cron", "gates", "dbq", "btq")


class Forgetter:
    def __init__(self, client: RedisClient, keys: Keys, library: LuaLibrary) -> None:
        self._client = client
        self._keys = keys
        self._library = library

    async def forget_environment(self, env_id: str, functions: FunctionCache) -> int:
        """Ends its runs without a record and deletes its functions, nodes, waits and counters.

        Returns how many functions it had. Idempotent. The environment must be archived.
        """
        await functions.refresh()
        found = [spec for spec in functions.all() if spec.env_id == env_id]
        for spec in found:
            while int(await self._library.call("forget_runs", spec.id, _RUNS_AT_ONCE)):
                pass
            await self._library.call("forget_function", spec.id)
        await self._forget_members([spec.id for spec in found])
        for account_id in {spec.account_id for spec in found}:
            await self._client.execute("ZREM", f"{self._keys.prefix}:r:a:{account_id}", f"e:{env_id}")
        await self._forget_keys([env_id, *(spec.id for spec in found)])
        await self._client.execute("SET", self._keys.functions_version, random.getrandbits(53))
        return len(found)

    async def forget_account(self, account_id: str) -> None:
        """Its node and the counters of its keys; its environments must be forgotten before. Idempotent."""
        await self._client.execute("ZREM", f"{self._keys.prefix}:r:root", f"a:{account_id}")
        await self._forget_keys([account_id])

    async def _forget_members(self, function_ids: Sequence[str]) -> None:
        gone = set(function_ids)
        for name in _SHARED_SETS if gone else ():
            key = f"{self._keys.prefix}:{name}"
            async for page in self._pages("ZSCAN", key):
                members = [member for member in page[::2] if _owner(member) in gone]
                if members:
                    await self._client.execute("ZREM", key, *members)

    async def _forget_keys(self, ids: Iterable[str]) -> None:
        """All keys whose names hold one of these; ids are UUIDs, which no other name contains."""
        wanted = [id_.encode() for id_ in ids]
        prefix = self._keys.prefix.encode()
        async for page in self._pages("SCAN"):
            named = [key for key in page if key.startswith(prefix) and any(id_ in key for id_ in wanted)]
            if named:
                await self._client.execute("UNLINK", *named)

    async def _pages(self, command: str, *key: str) -> AsyncIterator[list[bytes]]:
        cursor = b"0"
        while True:
            cursor, page = await self._client.execute(command, *key, cursor, "COUNT", _PAGE)
            yield page
            if cursor == b"0":
                return


def _owner(member: bytes) -> str:
    """The function of `<function>|...` or `<function>:...`."""
    return member.decode().replace("|", ":").partition(":")[0]
