"""How much memory of a GPU members need, known before any of them is there."""

import torch

from stillhouse.networks.vectorized.layers import vectorized
from stillhouse.networks.vectorized.optimizers import STATE_NAMES

# What a GPU computes at once where no gradient is asked for: so many bytes of all layers of all members.
BYTES_AT_ONCE = 1 << 30
# Rows by which the memory of a row is measured.
PROBED_ROWS = 64
# Beside the values: their gradient, what torch computes it in, and what an update needs for a moment.
COPIES_IN_A_STEP = 5


def member_bytes(member, layout):
    """Return the bytes that a member of a layout takes in training: its parameters, in all copies, and a batch's layers."""
    settings, shape = layout.program.settings, layout.program.shape
    kept = settings["snapshots"] * (2 if settings["snapshots"] > 1 else 1) + bool(settings["average"])
    copies = COPIES_IN_A_STEP + len(STATE_NAMES[settings["optimizer"]]) + kept
    tensors = [*member.module.parameters(), *member.module.buffers()]
    # The gradient of each layer is as large as the layer.
    layers = 2 * shape.batch * bytes_of_a_row(member.module, layout.table.first(PROBED_ROWS))
    # The rows of an epoch, and the stop rows with a mark for each, by position.
    positions = 8 * shape.batch * shape.steps + 9 * len(member.stop)
    return copies * sum(map(_bytes, tensors)) + layers + positions


def bytes_of_a_row(module, rows):
    """Return the bytes that the layers of a network take for each of some rows, as it reads them."""
    network, keys = vectorized([module])
    keys.of_step = torch.zeros(1, dtype=torch.int64)
    rows = rows[:PROBED_ROWS].to("cpu", copy=True)[None]
    return bytes_for_gradient(network.train(), rows) / rows.shape[1]


def rows_at_once(module, rows, members):
    """Return how many rows of some members a GPU computes at once where no gradient is asked for; some ``rows`` tell."""
    return max(1, int(BYTES_AT_ONCE / (members * bytes_of_a_row(module, rows))))


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
