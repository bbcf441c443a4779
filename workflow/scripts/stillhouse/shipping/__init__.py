"""Shipped models: written as files, measured, and used without the workflow."""
