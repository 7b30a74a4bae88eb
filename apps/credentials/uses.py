"""What a request wants of the environment that its credential leads to (spec 05, 1.5 to 1.7)."""

from typing import NamedTuple


class Use(NamedTuple):
    """`writes`: refused while the account is suspended. `needs_name`: a branch parent's credential must say
    which branch. `creates`: a branch that does not exist begins here; `unarchives`: an archived one comes
    back, and any other archived environment refuses.
    """

    name: str
    writes: bool
    needs_name: bool
    creates: bool = False
    unarchives: bool = False


EVENTS = Use("events", writes=True, needs_name=False, creates=True)
SYNC = Use("sync", writes=True, needs_name=True, creates=True, unarchives=True)
# Calls that name a run, whose environment is the one that counts.
CHECKPOINT = Use("checkpoint", writes=True, needs_name=False)
RUN_STATE = Use("run_state", writes=False, needs_name=False)
READ = Use("read", writes=False, needs_name=True)
WRITE = Use("write", writes=True, needs_name=True)
