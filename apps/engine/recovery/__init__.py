"""Invariants and what repairs them: the reaper, and runs put back after a loss of the queue (design 7)."""
