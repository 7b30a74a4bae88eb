"""REST v1 and the REST part of v0 (spec 03, chapters 4 and 7.4)."""
