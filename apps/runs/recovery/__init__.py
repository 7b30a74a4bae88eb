"""Runs from history back into the queue: after a loss of Redis, and one by one where it lost a run."""
