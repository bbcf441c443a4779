"""The protocol of an evaluation: what all scores of a dataset have in common."""

from dataclasses import dataclass

from stillhouse.intake.task import Task


@dataclass(frozen=True)
class Protocol:
    """The task, the settings of evaluation, the seed of bootstrap draws, and the ratio of held-out to training rows.

    ``ratio`` is None where there is a single scored split; see ``scores.ratio_of``.
    """

    task: Task
    settings: dict
    seed: int = 0
    ratio: float | None = None
