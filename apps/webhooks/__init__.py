"""Incoming webhooks (spec 05, 2.5): an event key whose deliveries a script of the tenant turns into events.

`door.py` answers `/e/<key>`, `verification/` checks who sent it, `runtime/` runs the scripts in processes of
their own, `log.py` remembers what came. Beside apps/ingest, whose stream and answers it uses.
"""
