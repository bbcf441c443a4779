"""The report: figures, words and the page that holds them."""
