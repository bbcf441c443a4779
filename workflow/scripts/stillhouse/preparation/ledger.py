"""The ledger: the change of the class prior by resampling, which the model that learns from the sample has to undo."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Ledger:
    """The weighted class prior before and after resampling, shape (classes,), and whether rows were resampled or dropped."""

    before: list
    after: list
    resampled: bool
