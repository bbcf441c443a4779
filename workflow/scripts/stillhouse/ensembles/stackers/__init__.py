"""Stackers: ``make(**options)`` returns a combiner of members' scores of shape (members, rows, outputs)."""
