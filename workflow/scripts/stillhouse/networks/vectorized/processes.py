"""Training in several processes: each sees its part of every batch, and all take the same step."""

from dataclasses import dataclass

import torch.distributed
from pytorch_lightning.strategies import DDPStrategy


@dataclass(frozen=True)
class Processes:
    """The number of training processes, and the rank of this one; by default a single process sees whole batches."""

    rank: int = 0
    count: int = 1

    def part(self, index):
        """Return this process's part of the rows of a batch; shape (members, about rows / count)."""
        return index.tensor_split(self.count, dim=1)[self.rank]

    def total(self, values):
        """Return values summed over all processes, in place."""
        if self.count > 1:
            torch.distributed.all_reduce(values)
        return values

    def agreed(self, values):
        """Return the values of the first process, so that all processes stop the same networks."""
        shared = [values]
        if self.count > 1:
            torch.distributed.broadcast_object_list(shared, src=0)
        return shared[0]


class SharedBatches(DDPStrategy):
    """Lightning's processes without its DDP wrapper, which needs parameters: groups sum their gradients themselves."""

    def configure_ddp(self):
        """Leave the module as it is."""
