"""The configuration: completed, checked, and turned into a plan of models and splits."""
