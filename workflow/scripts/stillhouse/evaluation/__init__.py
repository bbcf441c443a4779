"""Scores of rows that no model saw: labels of held-out rows are read here, once models have predicted them."""
