"""Which roles of the platform are alive.

A worker or scheduler keeps a key with a 15 s life in Redis; web is alive when it answers.
"""

import redis

from apps.engine.keys import Keys

KEPT_ROLES = ("worker", "scheduler")
ROLES = ("web", *KEPT_ROLES)


def missing_roles(client: "redis.Redis", shard: str, roles: list[str]) -> list[str]:
    """Those of `roles` with no sign of life, in their order. Raises `redis.RedisError`."""
    kept = [role for role in roles if role in KEPT_ROLES]
    if not kept:
        return []
    signs = client.mget([Keys(shard).alive(role) for role in kept])
    return [role for role, sign in zip(kept, signs, strict=True) if sign is None]
