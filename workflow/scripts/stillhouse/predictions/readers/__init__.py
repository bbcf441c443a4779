"""Readers of predictions made outside the workflow: ``make(**options)`` returns a function of (path, folds, classes)."""
