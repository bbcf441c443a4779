"""The task: what is predicted."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Task:
    """``binary``, ``multiclass`` or ``regression``, with the classes and their misclassification costs (None for none)."""

    kind: str
    classes: list | None = None
    costs: list | None = None

    @classmethod
    def of(cls, schema):
        """Return the task in a table's schema."""
        return cls(schema["task"], schema["classes"], schema["costs"])
