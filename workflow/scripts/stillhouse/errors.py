"""Errors: a user's mistake ends in one message, anything else in a traceback; both go to the rule's log."""

import logging
import os
import sys
import traceback
import warnings
from difflib import get_close_matches
from pathlib import PurePath

from stillhouse.claims import claim, end_with_parent, is_helper

log = logging.getLogger("stillhouse")
# The logs of this process's job, the last one first.
_logs = []


class UserError(Exception):
    """A user's mistake. The message says what is wrong, where, and what would be right."""


def nearest(word, known):
    """Return the end of a message: the known name that is nearest to ``word``, or else all known names."""
    close = get_close_matches(str(word), [str(name) for name in known], n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}?" if close else f"there are {', '.join(sorted(map(str, known))) or 'none'}"


def job_name():
    """Return the name of this process's job: that of its log, or an empty text outside of a job."""
    return str(PurePath(_logs[0]).with_suffix("")).removeprefix("logs/") if _logs else ""


def log_to(path):
    """Start a job and its log: messages go to it and to the terminal, details and warnings to the log alone.

    Linear algebra has one thread, as the order of its sums, and with it the last bits of results, depends on their number.
    """
    # Not at the top, as prediction outside the workflow needs this module without that library.
    from threadpoolctl import threadpool_limits

    threadpool_limits(1, user_api="blas")
    _logs.insert(0, path)
    end_with_parent()
    if is_helper():
        sys.excepthook = _exit_quietly
        return
    # A launcher that this run was started from may have set it; Lightning would then wait for the launcher's processes.
    os.environ.pop("LOCAL_RANK", None)
    try:
        claim(path)
        to_file = logging.FileHandler(path)
    except OSError as error:
        sys.exit(f"stillhouse: {path}: cannot be written: {error.strerror}")
    to_file.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%Y-%m-%d %H:%M:%S"))
    logging.basicConfig(handlers=[to_file], level=logging.INFO, force=True)
    to_terminal = logging.StreamHandler()
    to_terminal.setLevel(logging.INFO)
    to_terminal.setFormatter(logging.Formatter("stillhouse: %(message)s"))
    log.handlers = [to_terminal]
    log.setLevel(logging.DEBUG)
    logging.captureWarnings(True)
    warnings.simplefilter("once")
    sys.excepthook = _report


def _exit_quietly(kind, error, trace):
    """Exit quietly: this is a helper process, and its parent reports the same ``UserError``."""
    if issubclass(kind, UserError):
        os._exit(0)
    sys.__excepthook__(kind, error, trace)


def _report(kind, error, trace):
    if issubclass(kind, UserError):
        log.error("%s", error)
    else:
        log.error("%s", "".join(traceback.format_exception(kind, error, trace)))
