"""Lines of progress: how far a job is that takes longer than some seconds, on the terminal and in its log."""

import time

from stillhouse.errors import job_name, log

# The least time between two lines, and before the first.
SECONDS_BETWEEN_LINES = 10


def told(items, what):
    """Yield items of work; say now and then how many of them are done, and how long the others may take."""
    items, started = list(items), time.monotonic()
    last = started
    for done, item in enumerate(items, start=1):
        yield item
        now = time.monotonic()
        if done < len(items) and now - last >= SECONDS_BETWEEN_LINES:
            last, left = now, (now - started) / done * (len(items) - done)
            log.info("%s: %s of %s %s done, about %s left", job_name(), f"{done:,}", f"{len(items):,}", what, clock(left))


def clock(seconds):
    """Return a time for people."""
    minutes, seconds = divmod(round(seconds), 60)
    return f"{minutes}:{seconds:02d} min" if minutes else f"{seconds} s"
