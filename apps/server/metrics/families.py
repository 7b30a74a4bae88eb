"""The metrics in Prometheus' terms. Labels are small fixed sets, plus one `instance` per live process."""

from collections.abc import Iterator
from itertools import accumulate

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric

from apps.engine.queue_views import ShardQueue
from apps.engine.telemetry import CALL_SECONDS
from apps.engine.telemetry_sender import ProcessSample
from apps.server.metrics.snapshot import Snapshot

# Counter family -> its label, the counters that it shows by their first part, and what it counts.
_COUNTERS = {
    "stepwell_events": ("status", "events", "Events at the event API, by what became of them"),
    "stepwell_refused_requests": ("status", "refused", "Refused requests of senders and SDKs, by status"),
    "stepwell_runs": ("status", "runs", "Changes of runs: scheduled, skipped, started, and how they ended"),
    "stepwell_steps": ("status", "steps", "Attempts of steps by how they ended"),
    "stepwell_calls": ("outcome", "calls", "Calls to apps: answered, or why there was no answer"),
}


def families(snapshot: Snapshot) -> Iterator[Metric]:
    yield from _queue_gauges(snapshot)
    yield from _streams(snapshot.queue)
    for name, (label, first, text) in _COUNTERS.items():
        yield _counter(name, label, text, _labelled(snapshot.counters, first))
    yield _call_seconds(_labelled(snapshot.counters, "call_seconds"))
    yield _counter(
        "stepwell_violations",
        "kind",
        "Invariants of the queue that did not hold, and were repaired",
        dict(snapshot.violations),
    )
    yield from _processes(snapshot.processes)


def _queue_gauges(snapshot: Snapshot) -> Iterator[Metric]:
    queue = snapshot.queue
    gauges = {
        "inngest_queue_depth": (queue.ready, "Items that could run now, but for limits and workers"),
        "stepwell_queue_depth": (queue.ready, "Items that could run now, but for limits and workers"),
        "stepwell_queue_oldest_seconds": (snapshot.oldest_ms / 1000, "How long the first of them has waited"),
        "stepwell_queue_leases": (queue.leases, "Items that workers hold"),
        "stepwell_queue_timers": (queue.timers, "Items that are due later: sleeps, retries, future starts"),
        "stepwell_queue_pauses": (queue.pauses, "Runs' waits for events, signals and invoked functions"),
        "stepwell_live_runs": (queue.live_runs, "Runs that have not ended"),
        "stepwell_functions": (queue.functions, "Functions that are registered"),
    }
    for name, (value, text) in gauges.items():
        yield GaugeMetricFamily(name, text, value=value)


def _streams(queue: ShardQueue) -> Iterator[Metric]:
    lag = GaugeMetricFamily(
        "stepwell_stream_lag_entries", "Entries that a reader has not read", labels=["stream", "group"]
    )
    pending = GaugeMetricFamily(
        "stepwell_stream_pending_entries",
        "Entries that a reader has read and not finished",
        labels=["stream", "group"],
    )
    for group in queue.groups:
        if group.lag is not None:
            lag.add_metric([group.stream, group.group], group.lag)
        pending.add_metric([group.stream, group.group], group.pending)
    yield from (lag, pending)


def _labelled(counters: dict[str, float], first: str) -> dict[str, float]:
    """The counters of one family by their label."""
    found = {}
    for name, value in counters.items():
        start, _, label = name.partition(":")
        if start == first:
            found[label] = value
    return found


def _counter(name: str, label: str, text: str, values: dict[str, float]) -> Metric:
    family = CounterMetricFamily(name, text, labels=[label])
    for value, amount in sorted(values.items()):
        family.add_metric([value], amount)
    return family


def _call_seconds(values: dict[str, float]) -> Metric:
    counts = [values.get(str(number), 0) for number in range(len(CALL_SECONDS) + 1)]
    bounds = [*map(str, CALL_SECONDS), "+Inf"]
    family = HistogramMetricFamily("stepwell_call_seconds", "How long calls to apps took")
    family.add_metric([], list(zip(bounds, accumulate(counts), strict=True)), values.get("sum", 0))
    return family


def _processes(samples: list[ProcessSample]) -> Iterator[Metric]:
    labels = ["role", "instance"]
    cpu = CounterMetricFamily("stepwell_process_cpu_seconds", "CPU time of a process", labels=labels)
    memory = GaugeMetricFamily("stepwell_process_resident_bytes", "Memory of a process", labels=labels)
    open_files = GaugeMetricFamily("stepwell_process_open_fds", "Open file descriptors", labels=labels)
    for sample in sorted(samples, key=lambda sample: (sample.role, sample.instance)):
        whose = [sample.role, sample.instance]
        cpu.add_metric(whose, sample.cpu_seconds)
        memory.add_metric(whose, sample.resident_bytes)
        open_files.add_metric(whose, sample.descriptors)
    yield from (cpu, memory, open_files)
