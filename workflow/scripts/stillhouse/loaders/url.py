"""Tables behind http(s) addresses, in any format that files may have."""

import hashlib
from pathlib import PurePosixPath
from urllib.error import URLError
from urllib.parse import urlparse
from urllib.request import urlopen

from stillhouse.errors import UserError
from stillhouse.loaders.file import read_bytes


def read(place, dataset):
    """Return the table behind an address; its path's suffixes tell the format.

    Raises ``UserError`` where nothing can be fetched, or where ``sha256`` of the dataset states another content.
    """
    try:
        with urlopen(place, timeout=60) as answer:
            content = answer.read()
    except (URLError, TimeoutError) as error:
        raise UserError(f"{place}: cannot be fetched: {getattr(error, 'reason', error)}") from error
    found = hashlib.sha256(content).hexdigest()
    if (stated := dataset["sha256"].get(place, found)) != found:
        raise UserError(f"{place}: its sha256 is {found}, and the configuration states {stated}; has the file changed?")
    return read_bytes(content, PurePosixPath(urlparse(place).path), dataset)
