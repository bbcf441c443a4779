"""Synthesizers: ``make()`` returns a function of (table, columns, count, rng) that draws rows and never reads labels."""
