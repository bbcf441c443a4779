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


def read(place, dataset):
    """Return the table behind an address; its path's suffixes tell the format, and ``~/.netrc`` a password if one is asked for.

    Raises ``UserError`` where nothing can be fetched, or where ``sha256`` of the dataset states another content.
    """
    name = without_password(place)
    try:
        content = fetched(place)
    except (HTTPException, ValueError) as error:
        # What these say has the whole address in it.
        raise UserError(f"{name}: cannot be fetched ({type(error).__name__}); is the address right?") from None
    except OSError as error:
        raise UserError(f"{name}: cannot be fetched: {getattr(error, 'reason', error)}") from error
    found = hashlib.sha256(content).hexdigest()
    if (stated := dataset["sha256"].get(place, found)) != found:
        raise UserError(f"{name}: its sha256 is {found}, and the configuration states {stated}; has the file changed?")
    return read_bytes(content, PurePosixPath(urlparse(place).path), dataset)


def fetched(place):
    """Return what is behind an address; where it cannot be had without a password, whoever refused it is asked with one."""
    try:
        return answer(Request(place))
    except HTTPError as error:
        if error.code not in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN) or not (request := with_password(error.url)):
            raise
    return answer(request)


def answer(request):
    """Return the content that a request is answered with."""
    with urlopen(request, timeout=60) as content:
        return content.read()


def with_password(place):
    """Return the request for an address with the name and password of its host in ``~/.netrc``, None where there are none."""
    try:
        found = netrc().authenticators(urlparse(place).hostname)
    except FileNotFoundError:
        return None
    except (NetrcParseError, OSError) as error:
        # What is said of a line may have the password in it.
        advice = "is each entry `machine host login name password word`, and may only you read it?"
        raise UserError(f"{without_password(place)} asks for a password, and ~/.netrc cannot be read; {advice}") from error
    if not found:
        return None
    name, _, password = found
    request = Request(place)
    # Not sent on to another host that an answer may point to.
    request.add_unredirected_header("Authorization", f"Basic {b64encode(f'{name}:{password}'.encode()).decode()}")
    return request
