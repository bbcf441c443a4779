"""Checks of where tables lie. Standard library only."""

import re
from urllib.parse import urlsplit

from stillhouse.config.completion import ConfigError
from stillhouse.config.dataset import is_address, is_remote, without_password


def check_location(where, location):
    """Raise ``ConfigError`` for an address that is invalid or has a password, and for ``{…}`` or ``<…>`` in a file name."""
    if (scheme := re.match(r"[a-zA-Z][\w+.-]*(?=://)", location)) and not is_address(location):
        raise ConfigError(f"{where}: {scheme[0]}://… cannot be read; give an https://… or http://… address, or a file")
    try:
        has_password = is_address(location) and "@" in urlsplit(location).netloc
    except ValueError:
        # The error's own message may repeat a password.
        raise ConfigError(f"{where}: this is not a valid address; write one like https://host/path") from None
    if has_password:
        said = f"{where}: the address of {without_password(location)} holds a password, which readers of this file would see"
        raise ConfigError(f"{said}; put it into ~/.netrc")
    if not is_remote(location) and (pattern := re.search(r"\{[^{}]*\}|<[^<>]*>", location)):
        raise ConfigError(f"{where}: Snakemake would take {pattern[0]} in {location!r} for a wildcard; rename the file")
