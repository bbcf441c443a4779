"""Shipped models: written as files, priced, and used without the workflow."""
