"""Loaders: ``read(source, options)`` returns a table of untyped columns from one location."""
