"""Tables behind http(s) addresses, in any format that files may have."""

import io
from pathlib import PurePosixPath
from urllib.error import URLError
from urllib.parse import urlparse
from urllib.request import urlopen

from stillhouse.errors import UserError
from stillhouse.loaders.file import read_stream


def read(place, dataset):
    """Return the table behind an address; its path's suffixes tell the format."""
    try:
        with urlopen(place, timeout=60) as answer:
            content = io.BytesIO(answer.read())
    except (URLError, TimeoutError) as error:
        raise UserError(f"{place}: cannot be fetched: {getattr(error, 'reason', error)}") from error
    return read_stream(content, PurePosixPath(urlparse(place).path), dataset)
