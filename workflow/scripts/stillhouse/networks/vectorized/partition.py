"""Which members are trained as one group, and which groups at the same time; it affects the speed and no result."""

from dataclasses import replace

import numpy as np
import torch
from torch import nn

from stillhouse.errors import log
from stillhouse.networks.vectorized.memory import member_bytes, table_bytes

# Operations that a group should do in one call: with fewer, the overhead of calls dominates; with more, caches overflow.
OPERATIONS_PER_CALL = 150e6
# The share of a GPU's memory that training counts on; the rest is for evaluation, and for what torch and its libraries hold.
SHARE_OF_MEMORY = 0.7


def group_size(members, batch, most):
    """Return how many members form a group: on a GPU all; on a CPU enough to keep a core busy, and at most ``most``.

    Members with convolutions keep one busy by themselves.
    """
    if torch.cuda.is_available():
        return len(members)
    if any(isinstance(layer, nn.Conv2d) for layer in members[0].module.modules()):
        return 1
    widest = max((layer.weight.numel() for layer in members[0].module.modules() if isinstance(layer, nn.Linear)), default=1)
    return max(1, min(int(OPERATIONS_PER_CALL / (2 * batch * widest)), most))


def in_groups(members, size):
    """Return members in groups of nearly equal size, about ``size``; a member and the one that follows it share a group."""
    followers = {id(member.follows): member for member in members if member.follows}
    units = [[member, *filter(None, [followers.get(id(member))])] for member in members if not member.follows]
    parts = np.array_split(np.arange(len(units)), min(len(units), -(-len(members) // size)))
    return [[member for index in part for member in units[index]] for part in parts]


def gpu_bytes():
    """Return the memory that training counts on on the GPU; None where there is none, as a CPU takes groups in turn.

    It is that of the card and not what happens to be free, as an interrupted training resumes with the same parts.
    """
    return SHARE_OF_MEMORY * torch.cuda.get_device_properties().total_memory if torch.cuda.is_available() else None


def parts_that_fit(layouts, room, title):
    """Return layouts in parts to be trained one after the other, each of which fits ``room`` bytes; None is without limit.

    A layout that would not fit by itself is cut. A single member, with the one that follows it, is never cut.
    """
    if room is None:
        return [layouts]
    tables = {id(layout.table): layout.table for layout in layouts}
    room -= sum(map(table_bytes, tables.values()))
    pieces = []
    for layout in layouts:
        own = member_bytes(layout.members[0], layout)
        groups = in_groups(layout.members, max(1, int(room // own)))
        pieces += [(replace(layout, partition=[group]), own * len(group)) for group in groups]
    parts, left = [[]], room
    for layout, needed in pieces:
        if needed > left and parts[-1]:
            parts.append([])
            left = room
        parts[-1].append(layout)
        left -= needed
    if len(parts) > 1:
        needed, count = (sum(of) for of in zip(*((cost, len(layout.members)) for layout, cost in pieces), strict=True))
        said = title, count, needed / 1e9, room / 1e9, len(parts)
        log.info("%s: %d networks take about %.1f GB where %.1f are counted on, and are trained in %d parts", *said)
    return parts
