"""Checks of a configuration that no schema can express."""
