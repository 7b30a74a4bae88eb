"""The queued and leased items of one run, for display."""

from typing import NamedTuple

from apps.engine.store.client import RedisClient


class RunJob(NamedTuple):
    """`kind` as in `views.Item`; `due_at` in ms; `attempt` counts from 0."""

    id: str
    kind: str
    due_at: int
    attempt: int


async def run_jobs(client: RedisClient, prefix: str, env_id: str, run_id: str) -> list[RunJob]:
    """In order of their due times; none when the run has ended, is unknown, or is of another environment."""
    owner, members = await client.pipeline(
        [("HGET", f"{prefix}:run:{run_id}", "e"), ("SMEMBERS", f"{prefix}:jobs:{run_id}")]
    )
    if owner is None or owner.decode() != env_id:
        return []
    item_ids = sorted(member.decode() for member in members)
    reads = [("HMGET", f"{prefix}:i:{item_id}", "k", "at", "n") for item_id in item_ids]
    replies = await client.pipeline(reads)
    jobs = [
        RunJob(item_id, reply[0].decode(), int(reply[1] or 0), int(reply[2] or 0))
        for item_id, reply in zip(item_ids, replies, strict=True)
        if reply[0] is not None
    ]
    return sorted(jobs, key=lambda job: (job.due_at, job.id))
