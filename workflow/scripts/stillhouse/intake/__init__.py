"""From raw tables to one typed table whose rows have folds."""
