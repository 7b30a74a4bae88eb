"""What pages of the operator console are made of. It stands here, at the bottom, so that each app lays out
its own pages in `admin.py`; the console itself, which arranges them by task, is apps/dashboard/console."""
