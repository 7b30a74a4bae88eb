"""One platform per data folder, by a lock that every process of the platform holds.

Children inherit the descriptor, so the lock is free only when the last of them has gone: after a
kill -9 of the supervisor, the next start waits for its dying children instead of sharing their files.
"""

import fcntl
import os
import time
from pathlib import Path

from apps.devserver.errors import StartError

_GRACE_SECONDS = 8.0
_RETRY_SECONDS = 0.05


def acquire_instance_lock(data_dir: Path) -> int:
    """The descriptor that holds the lock; `StartError` when another platform lives on the folder."""
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(data_dir / "lock", os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as problem:
        raise StartError(f"The data folder {data_dir} cannot be used: {problem.strerror}") from None
    _wait_for(descriptor, data_dir)
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, str(os.getpid()).encode(), 0)
    return descriptor


def _wait_for(descriptor: int, data_dir: Path) -> None:
    deadline = time.monotonic() + _GRACE_SECONDS
    while not _try_lock(descriptor):
        owner = _owner(descriptor)
        if _is_alive(owner) or time.monotonic() > deadline:
            os.close(descriptor)
            raise StartError(f"Another Stepwell (process {owner}) already runs on {data_dir}")
        time.sleep(_RETRY_SECONDS)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _owner(descriptor: int) -> int:
    content = os.pread(descriptor, 32, 0)
    return int(content) if content.isdigit() else 0


def _is_alive(process_id: int) -> bool:
    if process_id <= 0:
        return False
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
