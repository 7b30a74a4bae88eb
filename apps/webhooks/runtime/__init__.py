"""Running scripts of tenants: one V8 isolate for each call, in worker processes that can be killed.

`pool.py` is what others use. A worker (`worker.py`) has no environment, no files, no network and no
processes (`confinement.py`), takes one call at a time over its pipes, and is replaced once a call went
beyond its limits. No Django here.
"""
