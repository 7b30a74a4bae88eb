"""Names of the Redis keys that Python touches itself; the Lua library has its own dictionary.

Every key of a shard starts with the same hash tag, so that one script may touch all of them.
"""


class Keys:
    def __init__(self, shard: str) -> None:
        self.prefix = f"{{q:{shard}}}"
        self.events = f"{self.prefix}:events"  # stream of accepted events (event_stream.py)
        self.history = f"{self.prefix}:history"  # stream of history records, field `d` (records.py)
        self.functions = f"{self.prefix}:functions"  # hash function id -> FunctionSpec JSON
        self.functions_version = f"{self.prefix}:functions:version"  # another number after every publication
        self.epoch = f"{self.prefix}:epoch"  # str, set once the queue is whole (recovery/epoch.py)
        self.rebuilding = f"{self.prefix}:rebuilding"  # str, token of the rebuild under way
        self.violations = f"{self.prefix}:violations"  # hash kind -> count (recovery/verification.py)
        self.counters = f"{self.prefix}:counters"  # hash counter -> sum of all processes (telemetry.py)
        self.processes = f"{self.prefix}:processes"  # hash role@host:pid -> ProcessSample JSON

    def alive(self, role: str) -> str:
        """Set while a process of the role lives (heartbeat.py)."""
        return f"{self.prefix}:alive:{role}"

    def refused(self, environment: str) -> str:
        """zset refusal by ms of the last one (apps/refusals)."""
        return f"{self.prefix}:refused:{environment}"

    def refusals(self, environment: str) -> str:
        """hash refusal -> its count, ms of the first one and end of the last key (apps/refusals)."""
        return f"{self.prefix}:refusals:{environment}"

    def webhook_seen(self, webhook: str, signature: str) -> str:
        """str, while a delivery is under way, and while a signature that was accepted would still be good
        (apps/webhooks/replays.py)."""
        return f"{self.prefix}:webhook:{webhook}:{signature}"


RUNNER_GROUP = "runner"
HISTORY_GROUP = "history"
