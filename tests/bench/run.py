"""`make bench`: the published scenarios of the load generator, each against a fresh platform.

    python -m tests.bench.run [--scenario NAME ...] [--history RUNS] [--server] [-- OPTION ...]

Prints one line of JSON per scenario and, at the end, the table of docs/benchmarks.md. The server is
started anew for every scenario, on an empty data folder or, with --history, on one that holds that many
ended runs. With --server it is `manage.py start` on PostgreSQL and Redis of its own, with keys and signing;
CPU and memory are those of all processes, the database and Redis included. Options after `--` go to the
load generator of each scenario.

Needs Node.js and the load generator (../shared/bench/bench.mjs, or STEPWELL_BENCH_MJS).
"""

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.bench.history import fill_history
from tests.e2e.server_process import ServerProcess, StartedServer

ROOT = Path(__file__).resolve().parents[2]
GENERATOR = Path(os.environ.get("STEPWELL_BENCH_MJS", ROOT.parent / "shared/bench/bench.mjs"))

SIGNING_KEY = "signkey-test-0123456789abcdef0123456789abcdef"
EVENT_KEY = "bench-event-key"

# Scenario, events, the figure to quote, the bar.
SCENARIOS: dict[str, tuple[int, str, str]] = {
    "steps": (1000, "steps_per_s", ">= 2000"),
    "noop": (2000, "runs_per_s", ">= 600"),
    "latency": (100, "step_to_step_ms_p50", "< 3"),
    "ingest": (20000, "events_per_s", ">= 4500"),
    "fanout": (200, "runs_per_s", ">= 600"),
    "parallel": (10, "run_of_50_parallel_steps_ms_p50", "< 60"),
    "wait": (1000, "resumes_per_s", ">= 800"),
    "fair": (20000, "under_flood_ms_p95", "<= 60"),
    "fair_accounts": (20000, "under_flood_ms_p95", "<= 60"),
    "steps_proxied": (1000, "steps_per_s", "(to compare the next with)"),
    "steps_flow_control": (1000, "steps_per_s", ">= 75% of steps_proxied"),
    "queue_scale": (1_000_000, "lease_cost_ratio", "<= 2"),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenario", action="append", choices=SCENARIOS)
    parser.add_argument("--history", type=int, default=0, help="ended runs in the database beforehand")
    parser.add_argument("--server", action="store_true", help="server mode: PostgreSQL, Redis, signing")
    own, extra = split_options(sys.argv[1:])
    options = parser.parse_args(own)
    if options.server and options.history:
        parser.error("--history fills an SQLite database, which --server does not use")
    if not GENERATOR.exists():
        sys.exit(f"the load generator is not at {GENERATOR}; set STEPWELL_BENCH_MJS")
    results = {
        name: measure(name, options.history, extra, is_server=options.server)
        for name in options.scenario or SCENARIOS
    }
    say(table(results))
    return 0 if all("error" not in result for result in results.values()) else 1


def split_options(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Our own options, and those of the load generators, which follow `--`."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    return arguments[:end], arguments[end + 1 :]


def measure(
    scenario: str, history: int, extra: Sequence[str] = (), *, is_server: bool = False
) -> dict[str, Any]:
    """Run one scenario against a platform of its own; the scale of the queue needs none."""
    if scenario == "queue_scale":
        own = ["-m", "tests.bench.queue_scale", "--items", str(SCENARIOS[scenario][0])]
        return run_generator([sys.executable, *own, *extra])
    folder = Path(tempfile.mkdtemp(prefix="stepwell-bench-"))
    try:
        if history:
            fill_history(folder, history)
        server = start_server(folder, is_server=is_server)
        try:
            return generate(scenario, server, extra)
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def start_server(folder: Path, *, is_server: bool) -> ServerProcess:
    if is_server:
        return StartedServer(folder, signing_key=SIGNING_KEY, event_key=EVENT_KEY, syncs=True)
    return ServerProcess(folder)


def generate(scenario: str, server: ServerProcess, extra: Sequence[str]) -> dict[str, Any]:
    if scenario == "fair_accounts":
        own = ["-m", "tests.bench.accounts", "--redis", server.redis_url]
        return run_generator([sys.executable, *own, "--events", str(SCENARIOS[scenario][0]), *extra])
    if scenario.startswith("steps_"):
        with registering_proxy(server.base_url, has_flow_control=scenario.endswith("control")) as url:
            return run_generator([*load_generator("steps", url, SCENARIOS[scenario][0], server), *extra])
    command = load_generator(scenario, server.base_url, SCENARIOS[scenario][0], server)
    return run_generator([*command, *extra])


def load_generator(scenario: str, url: str, events: int, server: ServerProcess) -> list[str]:
    command = ["node", str(GENERATOR), "--url", url, "--scenario", scenario]
    keys = ["--key", EVENT_KEY, "--signing-key", SIGNING_KEY] if isinstance(server, StartedServer) else []
    return [*command, "--events", str(events), "--pid", ",".join(map(str, server.process_ids())), *keys]


@contextlib.contextmanager
def registering_proxy(target: str, *, has_flow_control: bool) -> Iterator[str]:
    command = [sys.executable, "-m", "tests.bench.register_proxy", "--target", target]
    with subprocess.Popen(
        [*command, *(["--flow-control"] if has_flow_control else [])], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def run_generator(command: list[str]) -> dict[str, Any]:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    line = (done.stdout or done.stderr).strip().splitlines()[-1]
    say(line)
    result: dict[str, Any] = json.loads(line)
    return result


def table(results: dict[str, dict[str, Any]]) -> str:
    rows = [
        "| scenario | figure | measured | bar | CPU ms per unit | memory MB |",
        "|---|---|---|---|---|---|",
    ]
    for name, result in results.items():
        _, figure, bar = SCENARIOS[name]
        cpu, memory = result.get("server_cpu_ms_per_unit"), result.get("server_rss_mb")
        rows.append(
            f"| {name} | {figure} | {result.get(figure, result.get('error'))} | {bar} | {cpu} | {memory} |"
        )
    return "\n".join(rows)


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
