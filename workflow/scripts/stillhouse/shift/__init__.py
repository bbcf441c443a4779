"""How rows where the model will be used differ from those that it learned from."""
