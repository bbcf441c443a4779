"""The sections of the page, a file for each: its pictures, its sentences, and the lines of its tables."""
