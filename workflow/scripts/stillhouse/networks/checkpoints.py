"""Checkpoints to go on from: found by a digest of all that a training depends on."""

import hashlib
import zipfile
from pathlib import Path

import numpy as np
import torch

from stillhouse.errors import log


def fingerprint(members, table, options):
    """Return a digest of all that a training depends on, code included, so that no checkpoint of another is taken up."""
    found = hashlib.blake2b(digest_size=16)
    for path in sorted(Path(__file__).parents[1].rglob("*.py")):
        found.update(path.read_bytes())
    found.update(repr((options, torch.__version__)).encode())
    for tensor in vars(table).values():
        if tensor is not None:
            found.update(np.ascontiguousarray(tensor.numpy()))
    for member in members:
        found.update(repr((member.seed, member.begun)).encode())
        for values in (member.fitted, member.stop, *(value.numpy() for value in member.module.state_dict().values())):
            found.update(np.ascontiguousarray(values))
    return found.hexdigest()


def taken_up(checkpoint):
    """Return a checkpoint to go on from, None where there is none; one whose checksums do not hold is removed."""
    if not checkpoint.exists():
        return None
    try:
        with zipfile.ZipFile(checkpoint) as parts:
            is_whole = parts.testzip() is None
    except (OSError, EOFError, zipfile.BadZipFile):
        is_whole = False
    if is_whole:
        return checkpoint
    log.info("the checkpoint %s is damaged and is left aside; training begins anew", checkpoint.name)
    checkpoint.unlink()
    return None
