"""Networks, and their training with Lightning."""
