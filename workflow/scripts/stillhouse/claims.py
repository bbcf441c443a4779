"""Claims, a lock that the last to start holds: of several processes that run the same job, only the one that started last may
write its outputs.

A Snakemake that is killed leaves its jobs running, and the configuration may have changed when it is started again. On one
machine the jobs end with it. On a cluster they may go on, and find out by the claim, which is the job's log: the log's path
belongs to one job, and its first line names the process that started last.
"""

import ctypes
import os
import secrets
import signal
from pathlib import Path

# The option of Linux's prctl that sets the signal which a process gets when its parent ends (PR_SET_PDEATHSIG).
PARENT_DEATH_SIGNAL = 1
# The environment variable that names a helper's parent; Lightning's own variables may come from some outer launcher.
HELPER_OF = "STILLHOUSE_HELPED"


class Claim:
    """A job's claim, written as the first line of its log; outside a job ``log`` is None, and the claim always holds."""

    def __init__(self, log=None):
        self.log, self.token = log and Path(log), secrets.token_hex(4)
        if self.log:
            self.log.unlink(missing_ok=True)
            self.log.write_text(f"job {self.token}\n")

    def holds(self):
        """Return whether no other process has started this job since. Compares the content, as inodes differ between nodes."""
        if not self.log:
            return True
        try:
            with self.log.open() as lines:
                return lines.readline().split() == ["job", self.token]
        except FileNotFoundError:
            return True


# The claim of this process.
own = Claim()


def claim(log):
    """Claim a job by starting its log; processes that claimed it before may no longer write."""
    global own
    own = Claim(log)


def mark_helpers():
    """Mark the processes that Lightning will start as helpers of this one."""
    if not is_helper():
        os.environ[HELPER_OF] = str(os.getpid())


def is_helper():
    """Return whether Lightning started this process to train beside its parent, which logs and writes for both of them."""
    return os.environ.get(HELPER_OF) == str(os.getppid())


def end_with_parent():
    """Ask Linux to end this process when its parent ends: a helper at once, others with time to write a checkpoint."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "prctl"):
        libc.prctl(PARENT_DEATH_SIGNAL, signal.SIGKILL if is_helper() else signal.SIGTERM)
