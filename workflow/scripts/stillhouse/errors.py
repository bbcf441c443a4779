"""Mistakes of the user's end in one message; everything else in a traceback, and both in the rule's log."""

import logging
import os
import sys
import traceback
import warnings
from difflib import get_close_matches

from stillhouse.claims import claim, end_with_parent, is_helper

log = logging.getLogger("stillhouse")


class UserError(Exception):
    """What is wrong, where, and what would be right, in one message for the user."""


def nearest(word, known):
    """Return the words of a message that names the nearest known one, or all of them."""
    close = get_close_matches(str(word), [str(name) for name in known], n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}?" if close else f"there are {', '.join(sorted(map(str, known))) or 'none'}"


def log_to(path):
    """Begin a job: send messages to its log and to the terminal, details and unforeseen warnings to the log alone."""
    end_with_parent()
    if is_helper():
        sys.excepthook = _no_words
        return
    # Set by a launcher that a run was started from, it would have Lightning wait for helpers of that one's.
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
    sys.excepthook = _last_words


def _no_words(kind, error, trace):
    """End a process whose mistakes of the user's are those of the one that it helps, which speaks for both."""
    if issubclass(kind, UserError):
        os._exit(0)
    sys.__excepthook__(kind, error, trace)


def _last_words(kind, error, trace):
    if issubclass(kind, UserError):
        log.error("%s", error)
    else:
        log.error("%s", "".join(traceback.format_exception(kind, error, trace)))
