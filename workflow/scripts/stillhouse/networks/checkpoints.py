"""Checkpoints from which an interrupted training resumes, named by a digest of all that the training depends on."""

import hashlib
import zipfile
from pathlib import Path

import numpy as np
import torch

from stillhouse.errors import log


def fingerprint(layouts, options):
    """Return a digest of all that a training depends on, code included, so that no other training's checkpoint is used."""
    digest = hashlib.blake2b(digest_size=16)
    for path in sorted(Path(__file__).parents[1].rglob("*.py")):
        digest.update(path.read_bytes())
    digest.update(repr((options, torch.__version__)).encode())
    for tensor in (tensor for layout in layouts for tensor in vars(layout.table).values()):
        if tensor is not None:
            digest.update(np.ascontiguousarray(tensor.numpy()))
    for member in (member for layout in layouts for member in layout.members):
        digest.update(repr((member.seed, member.is_warm_started)).encode())
        for values in (member.fitted, member.stop, *(value.numpy() for value in member.module.state_dict().values())):
            digest.update(np.ascontiguousarray(values))
    return digest.hexdigest()


def intact_checkpoint(checkpoint):
    """Return the checkpoint, or None where there is none; one whose checksums do not match is removed."""
    if not checkpoint.exists():
        return None
    try:
        with zipfile.ZipFile(checkpoint) as parts:
            is_whole = parts.testzip() is None
    except (OSError, EOFError, zipfile.BadZipFile):
        is_whole = False
    if is_whole:
        return checkpoint
    log.info("the checkpoint %s is damaged and is not used; training starts from the beginning", checkpoint.name)
    checkpoint.unlink()
    return None
