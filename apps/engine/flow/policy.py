"""What the operator of a server has decided about flow control."""

import msgspec

DEFAULT_ACCOUNT_CONCURRENCY = 1_000


class FlowPolicy(msgspec.Struct, frozen=True):
    """`rate_limit_mode`: window (so many in any period) or gcra (spread evenly; spec 02, 4.2);
    `priority_seconds`: how far a priority may move a run; `account_concurrency`: steps of an account that has
    no limit of its own."""

    rate_limit_mode: str = "window"
    priority_seconds: int = 600
    account_concurrency: int = DEFAULT_ACCOUNT_CONCURRENCY


DEFAULT_POLICY = FlowPolicy()
