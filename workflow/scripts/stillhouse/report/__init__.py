"""The report: figures, text, and the page that holds them."""
