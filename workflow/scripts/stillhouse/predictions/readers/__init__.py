"""Readers: predictions that others made; ``make(**options)`` returns a function of (path, folds, classes)."""
