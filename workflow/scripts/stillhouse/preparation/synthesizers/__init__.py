"""Synthesizers: ``make()`` returns a function of (table, columns, count, rng) that draws rows without a look at labels."""
