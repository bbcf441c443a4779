"""Tables behind http(s) addresses, in any format that files may have."""

import hashlib
from base64 import b64encode
from http import HTTPStatus
from http.client import HTTPException
from netrc import NetrcParseError, netrc
from pathlib import PurePosixPath
from urllib.error import HTTPError
from urllib.parse import urlparse
from urllib.request import Request, urlopen

from stillhouse.config.dataset import without_password
from stillhouse.errors import UserError
from stillhouse.intake.loaders.file import read_bytes


def read(location, dataset, notes):
    """Return the table at an address; the suffixes of its path give the format, ``~/.netrc`` a password if one is needed.

    Raises ``UserError`` where nothing can be fetched, or where the content has another digest than ``sha256`` states.
    """
    name = without_password(location)
    try:
        content = fetched(location)
    except (HTTPException, ValueError) as error:
        # The errors' own messages repeat the whole address, password included.
        raise UserError(f"{name}: cannot be fetched ({type(error).__name__}); is the address right?") from None
    except OSError as error:
        raise UserError(f"{name}: cannot be fetched: {getattr(error, 'reason', error)}") from error
    digest = hashlib.sha256(content).hexdigest()
    if (stated := dataset["sha256"].get(location, digest)) != digest:
        raise UserError(f"{name}: its sha256 is {digest}, and the configuration states {stated}; has the file changed?")
    return read_bytes(content, PurePosixPath(urlparse(location).path), dataset, notes)


def fetched(location):
    """Return the content at an address, fetched with a password where the host refuses it without one."""
    try:
        return answer(Request(location))
    except HTTPError as error:
        if error.code not in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN) or not (request := with_password(error.url)):
            raise
    return answer(request)


def answer(request):
    """Return the content of the response to a request."""
    with urlopen(request, timeout=60) as content:
        return content.read()


def with_password(location):
    """Return a request with the host's name and password from ``~/.netrc``, or None where it has none."""
    try:
        login = netrc().authenticators(urlparse(location).hostname)
    except FileNotFoundError:
        return None
    except (NetrcParseError, OSError) as error:
        # The error's own message may repeat a line with a password.
        advice = "is each entry `machine host login name password word`, and may only you read it?"
        raise UserError(f"{without_password(location)} asks for a password, and ~/.netrc cannot be read; {advice}") from error
    if not login:
        return None
    name, _, password = login
    request = Request(location)
    # Unredirected: a host that the response redirects to must not get the password.
    request.add_unredirected_header("Authorization", f"Basic {b64encode(f'{name}:{password}'.encode()).decode()}")
    return request
