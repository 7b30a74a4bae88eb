"""Runs pytest with PostgreSQL for the database and Redis for Valkey, both from Debian's packages.

`python -m tests.on_server <arguments of pytest>`; `make test-server` does. Each process of pytest makes a
database of its own on the one PostgreSQL, which is thrown away at the end, and starts a Redis of its own.
"""

import os
import shutil
import subprocess
import sys

from tests.integration.history import postgres


def main(arguments: list[str]) -> int:
    """The exit code of pytest, or 2 where a server is not installed."""
    bin_dir, redis = postgres.binaries(), shutil.which("redis-server")
    if bin_dir is None or redis is None:
        sys.stderr.write("needs PostgreSQL and Redis: apt-get install postgresql redis-server\n")
        return 2
    with postgres.running_server(bin_dir) as port:
        services = {
            "DATABASE_URL": f"postgresql://postgres@127.0.0.1:{port}/postgres",
            "STEPWELL_TEST_REDIS": redis,
        }
        # The server ends with its databases: dropping them one by one would wait for pooled connections.
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "tests.server_plugin",
            "--reuse-db",
            "--create-db",
            *arguments,
        ]
        return subprocess.run(command, env=os.environ | services, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
