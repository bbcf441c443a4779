"""Imputers: ``make(seed, **options)`` returns what `imputing.py` describes."""
