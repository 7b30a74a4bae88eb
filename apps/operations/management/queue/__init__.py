"""The subcommands of `manage.py queue`, one module each."""
