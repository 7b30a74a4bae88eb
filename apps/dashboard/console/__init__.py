"""The operator console: Django's admin as pages of ours, arranged by task. What its lists show is in the
`admin.py` of each app; here is what stands above them all."""
