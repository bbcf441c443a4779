"""Shipped models followed through later batches of rows."""
