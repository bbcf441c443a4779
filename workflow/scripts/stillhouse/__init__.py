"""Stillhouse: from a messy table to a small, shipped, honestly evaluated model."""

__version__ = "0.2.0"
