"""Requests that were refused at the door, as entries that a user can find (spec 03, 1.5).

Where they live, and why: the door only counts in memory (`buffer.py`: a dictionary of at most
`MAX_PENDING` kinds, about 4 us a refusal, no I/O), and once a second one script call folds what was
counted into a capped list per environment in Redis (`store.py`). A flood of bad requests is one row with a
count, so it costs the door no more than it did before, Redis one call a second and process, and grows
nothing: `MAX_ROWS` rows per environment, gone after `KEEP_MS`. The database would keep more than anyone
looks at, and would make bad requests write where good ones do not. Losing the last second in a crash is
right for a diagnosis; an answer never waits for it. While Redis is away refusals are only logged.

What is said, and what never is: neither a body nor a key. Paths come with `…` for each part that the
caller chose, reasons only in words of our own (`reasons.py`), and of a key that nobody knows at most the
last four characters. So callers that are not known can make only a small, fixed number of different rows;
theirs are kept apart (`UNKNOWN`), where they cannot push out the rows of an environment.
"""
