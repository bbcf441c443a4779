"""What students learn from teachers: soft targets, and hints from a hidden layer."""
