"""Tables behind http(s) addresses, in any format that files may have."""

import hashlib
from base64 import b64encode
from netrc import NetrcParseError, netrc
from pathlib import PurePosixPath
from urllib.error import URLError
from urllib.parse import urlparse
from urllib.request import Request, urlopen

from stillhouse.dataset import without_password
from stillhouse.errors import UserError
from stillhouse.loaders.file import read_bytes


def read(place, dataset):
    """Return the table behind an address; its path's suffixes tell the format. A password is taken from ``~/.netrc``.

    Raises ``UserError`` where nothing can be fetched, or where ``sha256`` of the dataset states another content.
    """
    name = without_password(place)
    try:
        with urlopen(with_password(place), timeout=60) as answer:
            content = answer.read()
    except (URLError, TimeoutError) as error:
        raise UserError(f"{name}: cannot be fetched: {getattr(error, 'reason', error)}") from error
    found = hashlib.sha256(content).hexdigest()
    stated = {without_password(address): digest for address, digest in dataset["sha256"].items()}.get(name, found)
    if stated != found:
        raise UserError(f"{name}: its sha256 is {found}, and the configuration states {stated}; has the file changed?")
    return read_bytes(content, PurePosixPath(urlparse(place).path), dataset)


def with_password(place):
    """Return the request for an address, with the name and password that ``~/.netrc`` has for its host."""
    request = Request(place)
    try:
        found = netrc().authenticators(urlparse(place).hostname)
    except FileNotFoundError:
        found = None
    except NetrcParseError as error:
        raise UserError(f"~/.netrc cannot be read: {error.msg}") from error
    if found:
        name, _, password = found
        # Not sent on to another host that an answer may point to.
        request.add_unredirected_header("Authorization", f"Basic {b64encode(f'{name}:{password}'.encode()).decode()}")
    return request
