"""Several processes that train the same networks: each sees its part of every batch, and all take the same step."""

from dataclasses import dataclass

import torch.distributed
from pytorch_lightning.strategies import DDPStrategy


@dataclass(frozen=True)
class Processes:
    """The processes that train, ``count`` of them, and which of them this is; by default one, which sees whole batches."""

    rank: int = 0
    count: int = 1

    def part(self, index):
        """Return the rows that this process sees of a batch, shape (members, about rows / count)."""
        return index.tensor_split(self.count, dim=1)[self.rank]

    def total(self, values):
        """Return values summed over all processes, in place."""
        if self.count > 1:
            torch.distributed.all_reduce(values)
        return values

    def agreed(self, values):
        """Return what the first process has found, so that all of them stop the same networks."""
        found = [values]
        if self.count > 1:
            torch.distributed.broadcast_object_list(found, src=0)
        return found[0]


class SharedBatches(DDPStrategy):
    """Lightning's processes without its wrapper, which needs parameters: a stack sums its gradients itself."""

    def configure_ddp(self):
        """Leave the module as it is."""
