"""Scores of rows that no model saw: the one package that reads labels of held-out rows."""
