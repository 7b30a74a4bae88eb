"""An SQLite database with all migrations and nothing else, made once in a test process, to be copied."""

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def copy_migrated(to: Path) -> None:
    """Put one at a path that is free; its folder must exist."""
    shutil.copyfile(_template(), to)


@cache
def _template() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="stepwell-migrated-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = folder / "template.sqlite3"
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "config.settings.dev",
        "PYTHONPATH": f"{ROOT / 'platform'}:{ROOT}",
        "STEPWELL_DATA_DIR": str(folder),
        "DATABASE_URL": f"sqlite:///{path}",
    }
    command = [sys.executable, "manage.py", "migrate", "-v", "0"]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, timeout=120)
    return path
