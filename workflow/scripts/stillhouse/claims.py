"""Only the latest job writes: a job claims what it makes, and one that was left behind finds the claim of another.

A Snakemake that is killed outright leaves its jobs running, and whoever starts it again may have changed the configuration in
between. On one machine jobs end with it, once they have begun to work. Others find out by their claim, which is their log: its
path belongs to one job, and its first line names the one that began last.
"""

import ctypes
import os
import secrets
import signal
from pathlib import Path

# What Linux calls the signal that a process is to get when its parent ends.
PARENT_DEATH_SIGNAL = 1
# Where a process that has helpers is named in their environment; Lightning's own variables may be some outer launcher's.
HELPED = "STILLHOUSE_HELPED"


class Claim:
    """The log of a job, begun anew; outside a job ``log`` is None, and there is nobody to be left behind by."""

    def __init__(self, log=None):
        self.log, self.word = log and Path(log), secrets.token_hex(4)
        if self.log:
            self.log.unlink(missing_ok=True)
            self.log.write_text(f"job {self.word}\n")

    def holds(self):
        """Return whether no other job has begun since; what is asked is the file and not its inode, as nodes share files."""
        if not self.log:
            return True
        try:
            with self.log.open() as lines:
                return lines.readline().split() == ["job", self.word]
        except FileNotFoundError:
            return True


# The claim of this process.
own = Claim()


def claim(log):
    """Begin a log; jobs that had begun it before write no more outputs."""
    global own
    own = Claim(log)


def get_helpers():
    """Let the processes that Lightning starts from here know that they are helpers of this one."""
    if not is_helper():
        os.environ[HELPED] = str(os.getpid())


def is_helper():
    """Return whether Lightning started this process to train beside its parent, which logs and writes for both."""
    return os.environ.get(HELPED) == str(os.getppid())


def end_with_parent():
    """Ask Linux to end this process when the one that started it ends; with time to save what it has, if it has anything."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "prctl"):
        libc.prctl(PARENT_DEATH_SIGNAL, signal.SIGKILL if is_helper() else signal.SIGTERM)
