"""Named points at which a test kills the process, to prove that nothing is lost there.

`STEPWELL_CRASH_AT` holds `name` or `name:probability`; unset, a point costs one comparison.
Points: after_lease, before_commit, after_commit, before_ack, history_written.
"""

import os
import random
import signal

_name, _, _probability = os.environ.get("STEPWELL_CRASH_AT", "").partition(":")
_chance = float(_probability or 1)


def reach(name: str) -> None:
    if _name and name == _name and random.random() < _chance:
        os.kill(os.getpid(), signal.SIGKILL)
