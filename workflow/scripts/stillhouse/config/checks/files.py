"""Where tables may lie, refused before any job starts; standard library only, as ``checks.py``."""

import re
from urllib.parse import urlsplit

from stillhouse.config.completion import ConfigError
from stillhouse.config.dataset import is_address, without_password


def is_remote(place):
    """Return whether a table lies behind an address or in a library, and not in a file."""
    return is_address(place) or place.startswith(("sklearn:", "openml:"))


def check_place(where, place):
    """Raise ``ConfigError`` for no address, one with a password, or a file whose name Snakemake takes for a pattern."""
    if (scheme := re.match(r"[a-zA-Z][\w+.-]*(?=://)", place)) and not is_address(place):
        raise ConfigError(f"{where}: nothing is read from {scheme[0]}://…, but from https://…, http://… and files")
    try:
        has_password = is_address(place) and "@" in urlsplit(place).netloc
    except ValueError:
        # What it says may have a password in it.
        raise ConfigError(f"{where}: the address is none; it would be like https://host/path") from None
    if has_password:
        said = f"{where}: {without_password(place)} has a password in it, which others would read here"
        raise ConfigError(f"{said}; put it into ~/.netrc")
    if not is_remote(place) and (pattern := re.search(r"\{[^{}]*\}|<[^<>]*>", place)):
        raise ConfigError(f"{where}: {pattern[0]} in {place!r} would stand for something else to Snakemake; rename the file")
