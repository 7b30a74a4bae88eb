"""Environments as the queue knows them: a node between the account and its functions."""

from typing import NamedTuple


class EnvironmentShare(NamedTuple):
    """While environments of an account compete, each gets slots in proportion to its `weight`. Of an archived
    one nothing starts: its events are recorded as skipped runs, and its crons do not fire."""

    env_id: str
    account_id: str
    weight: int
    is_archived: bool
