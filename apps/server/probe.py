"""`python -m apps.server.probe ROLE`: whether the role on this machine is well, for checks of containers.

Web is asked over HTTP; a worker or scheduler, which listens on nothing, must have told Redis of itself within
20 s (apps/engine/telemetry_sender.py). Loads no Django, as it is run every few seconds.
"""

import os
import socket
import sys
import time

import msgspec
import redis

from apps.devserver.readiness import answers_ok
from apps.devserver.values import find_secret
from apps.engine.keys import Keys
from apps.engine.telemetry_sender import STALE_MS, ProcessSample

_REDIS_NAMES = ("REDIS_URL", "INNGEST_REDIS_URI")


def is_web_well(port: int) -> bool:
    return answers_ok("127.0.0.1", port, "/health/live")


def is_role_well(redis_url: str, shard: str, role: str, host: str) -> bool:
    """Whether a process of `role` on `host` has been heard of lately."""
    try:
        with redis.Redis.from_url(redis_url, socket_timeout=3, socket_connect_timeout=3) as client:
            raw = client.hgetall(Keys(shard).processes)
    except redis.RedisError:
        # Restarting a worker does not bring Redis back: it waits for it by itself.
        return True
    samples = [msgspec.json.decode(value, type=ProcessSample) for value in raw.values()]
    now = time.time() * 1000
    ours = [sample for sample in samples if sample.role == role and sample.instance.startswith(f"{host}:")]
    return any(now - sample.at <= STALE_MS for sample in ours)


def main() -> None:
    role = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("STEPWELL_ROLES", "web")
    if role == "web":
        is_well = is_web_well(int(os.environ.get("PORT", "8288")))
    else:
        urls = (find_secret(os.environ, name) for name in _REDIS_NAMES)
        url = next((url for url in urls if url), "redis://127.0.0.1:6379/0")
        shard = os.environ.get("STEPWELL_SHARD", "0")
        is_well = is_role_well(url, shard, role, socket.gethostname())
    sys.exit(0 if is_well else 1)


if __name__ == "__main__":
    main()
