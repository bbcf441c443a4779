"""How much memory of a GPU members need, known before any of them is there."""

import numpy as np
import torch

from stillhouse.networks.vectorized.layers import vectorized
from stillhouse.networks.vectorized.optimizers import STATE_NAMES

# Rows of all members together that a GPU computes at once where no gradient is asked for.
ROWS_ON_GPU = 1 << 18
# Beside the values: their gradient, what torch computes it in, and what an update needs for a moment.
COPIES_IN_A_STEP = 5


def member_bytes(member, layout):
    """Return the bytes that a member of a layout takes in training: its parameters, in all copies, and a batch's layers."""
    network, keys = vectorized([member.module])
    tensors = [*network.parameters(), *network.buffers()]
    settings = layout.program.settings
    kept = settings["snapshots"] * (2 if settings["snapshots"] > 1 else 1) + bool(settings["average"])
    copies = COPIES_IN_A_STEP + len(STATE_NAMES[settings["optimizer"]]) + kept
    rows = torch.from_numpy(np.resize(member.fitted, layout.program.shape.batch))
    keys.of_step = torch.zeros(1, dtype=torch.int64)
    # The gradient of each layer is as large as the layer.
    layers = 2 * bytes_for_gradient(network.train(), layout.table.features[rows][None])
    return copies * sum(map(_bytes, tensors)) + layers


def bytes_for_gradient(network, inputs):
    """Return the bytes of what a network keeps of inputs in order to compute its gradient, parameters left out."""
    own = {tensor.untyped_storage().data_ptr() for tensor in [*network.parameters(), *network.buffers()]}
    found = {}

    def keep(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            found[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        # Held until all is counted, or its memory would be used twice.
        outputs = network(inputs)
    return sum(found.values()) + _bytes(outputs)


def table_bytes(table):
    """Return the bytes of a table of training."""
    return sum(_bytes(values) for values in vars(table).values() if values is not None)


def _bytes(tensor):
    return tensor.numel() * tensor.element_size()
