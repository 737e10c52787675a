"""Requests to services: redirects with credentials that stay at home, retries with backoff, errors as one sentence."""

import base64
import logging
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urljoin

import requests
import urllib3

from slipmap import __version__
from slipmap.errors import InputError
from slipmap.fetch.credentials import REALMS, Realm, hide, host_of, shown

log = logging.getLogger(__name__)
TRANSIENT = (408, 425, 429, 500, 502, 503, 504)
_REDIRECTS = (301, 302, 303, 307, 308)
_MOST_REDIRECTS = 10
_BROKEN = (
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
    urllib3.exceptions.HTTPError,  # while a body is read
)
_BEING_MADE = 15.0  # s between two looks at what a server is making
_LONGEST_WAIT = 300.0  # s, however long a server asks to wait


class TransferError(InputError):
    """A service could not be reached, or does not give what was asked for; trying again is of no use now."""


class Interrupted(Exception):
    """A transfer that failed in a way that may pass: try again.

    Parameters
    ----------
    wait : s that the server asked for. being_made : the server is at work on it, which is no failure.
    """

    def __init__(self, reason: str, wait: float | None = None, *, being_made: bool = False) -> None:
        super().__init__(reason)
        self.wait, self.being_made = wait, being_made


class Web:
    """Requests with retries, and with the user's credentials where, and only where, they belong.

    Parameters
    ----------
    tries : attempts without any progress before giving up.
    timeout : (connect, read), s; a server that sends nothing for the second is taken for stalled.
    realms : logins that may be used.
    sleep : how to wait, for tests.
    """

    def __init__(
        self,
        tries: int = 5,
        timeout: tuple[float, float] = (20.0, 60.0),
        realms: tuple[Realm, ...] = REALMS,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.tries, self.timeout, self.realms, self.sleep = tries, timeout, realms, sleep
        self._session = _Session()
        # A session without `auth` looks into netrc for every host, `default` entry included.
        self._session.auth = _no_credentials
        self._session.headers["User-Agent"] = f"slipmap/{__version__}"

    def wait(self, attempt: int, asked: float | None = None) -> None:
        """Wait before attempt number `attempt` (from 1): 1, 2, 4, ... s, or as long as the server asked."""
        self.sleep(min(asked, _LONGEST_WAIT) if asked is not None else min(2.0 ** (attempt - 1), 60.0))

    @contextmanager
    def open(
        self, url: str, *, method: str = "GET", headers: Mapping[str, str] | None = None, **options: Any
    ) -> Iterator[requests.Response]:
        """One attempt: the response to a request, its body unread, redirects followed.

        At each hop the credentials are decided again from that hop's host; nothing is handed on.

        Raises
        ------
        Interrupted : no connection, or an answer that may be another one soon (`TRANSIENT`).
        TransferError : 401 and 403 (with what to do), any other answer from 400 on.
        """
        response, renewed = None, False
        try:
            for _ in range(_MOST_REDIRECTS + 1):
                response = self._send(method, url, headers or {}, options)
                if response.status_code in _REDIRECTS and "Location" in response.headers:
                    if response.status_code in (301, 302, 303) and method == "POST":
                        method, options = "GET", {k: v for k, v in options.items() if k not in ("data", "json")}
                    url = urljoin(url, response.headers["Location"])
                    response.close()
                    continue
                if response.status_code == 401 and not renewed and self._renew(url):
                    renewed = True
                    response.close()
                    continue
                break
            else:
                raise TransferError(f"{shown(url)} redirects without end; try again later.")
            self._raise_for(response, url)
            yield response
        except _BROKEN as error:
            raise Interrupted(_reason(error, url)) from error
        finally:
            if response is not None:
                response.close()

    def get(self, url: str, **options: Any) -> requests.Response:
        """The whole response to a request, after retries; for answers of services, not for files."""
        reason = ""
        for attempt in range(1, self.tries + 1):
            try:
                with self.open(url, **options) as response:
                    response.content  # noqa: B018 (reads the body while the connection is watched)
                    return response
            except Interrupted as error:
                reason = str(error)
                log.warning("%s (attempt %d of %d)", reason, attempt, self.tries)
                if attempt < self.tries:
                    self.wait(attempt, error.wait)
        raise TransferError(f"{reason}, {self.tries} times; try again later, or give a local archive.")

    def json(self, url: str, **options: Any) -> Any:
        """The JSON answer of a service."""
        response = self.get(url, **options)
        try:
            return response.json()
        except ValueError as error:
            raise TransferError(
                f"{shown(url)} answers with {response.headers.get('Content-Type', 'something')} instead of JSON; the "
                f"service may be down or have moved: try again later."
            ) from error

    def _send(self, method: str, url: str, headers: Mapping[str, str], options: Mapping[str, Any]) -> requests.Response:
        try:
            return self._session.request(
                method, url, headers={**headers, **self._credentials(url)}, timeout=self.timeout,
                allow_redirects=False, stream=True, **options,
            )  # fmt: skip
        except ValueError as error:  # of requests' errors those of an address, not those of a connection
            plain = hide(url).partition("?")[0].rpartition("@")[2]  # `hide` knows secrets in addresses of the web only
            raise TransferError(
                f"'{plain[:120]}' is no address of a web service (https://…); correct it, or give a local archive."
            ) from error

    def _credentials(self, url: str) -> dict[str, str]:
        for realm in self.realms:
            if realm.takes_password(url) and (given := realm.password()):
                return {"Authorization": _basic(*given)}
            if realm.takes_token(url) and (token := realm.token()):
                return {"Authorization": f"Bearer {token}"}
        return {}

    def _renew(self, url: str) -> bool:
        """Exchange user name and password for a (new) token, if the host of `url` wants one and netrc has them."""
        for realm in self.realms:
            if realm.takes_token(url) and not realm.takes_password(url) and (given := realm.password()):
                realm.forget()
                if realm.token():  # the environment's token goes first, and it has just been refused
                    return False
                try:
                    token = self._exchange(realm, *given)
                except (requests.RequestException, ValueError, KeyError) as error:
                    log.warning("%s gave no token (%s)", realm.name, type(error).__name__)
                    return False
                realm.remember(token)
                return True
        return False

    def _exchange(self, realm: Realm, user: str, password: str) -> str:
        if not realm.takes_password(realm.token_url):
            raise ValueError("the token's address is not on the login host")
        headers, form = None, None
        if realm.exchange == "basic":
            headers = {"Authorization": _basic(user, password)}
        else:
            form = {"client_id": "cdse-public", "grant_type": "password", "username": user, "password": password}
        response = self._session.post(
            realm.token_url, headers=headers, data=form, timeout=self.timeout, allow_redirects=False
        )
        response.raise_for_status()
        return str(response.json()["access_token"])

    def _raise_for(self, response: requests.Response, url: str) -> None:
        status = response.status_code
        if status == 202:  # ASF cuts a burst out of its scene when it is first asked for
            wait = _retry_after(response) or _BEING_MADE
            raise Interrupted(f"{shown(url)} is still being made", wait, being_made=True)
        if status in TRANSIENT:
            raise Interrupted(f"{shown(url)} answers {status} {response.reason}", _retry_after(response))
        if status in (401, 403):
            raise TransferError(self._refused(url, status))
        if status in (404, 410):
            raise TransferError(f"{shown(url)} is not there (answer {status}); search again, or give a local archive.")
        if status >= 400 and status != 416:
            raise TransferError(
                f"{shown(url)} answers {status} {response.reason}; fetch the file by hand, or give a local archive."
            )

    def _refused(self, url: str, status: int) -> str:
        for realm in self.realms:
            if realm.takes_token(url) or realm.takes_password(url):
                if realm.token() or realm.password():
                    return (
                        f"{shown(url)} refuses your {realm.name} account (answer {status}); check name and password or "
                        f"token, and accept the data's terms of use on {host_of(realm.sign_up)}."
                    )
                return f"{shown(url)} needs a {realm.name} account; {realm.advice()}."
        return f"{shown(url)} refuses access (answer {status}); it may need an account, or have moved."


def pages(web: Web, url: str, following: Callable[[Any], str | None], **options: Any) -> Iterator[Any]:
    """Pages of a service's JSON answer, from the one at `url`; `following` finds the next page's URL in a page."""
    seen: set[str] = set()
    following_url: str | None = url
    while following_url and following_url not in seen:
        seen.add(following_url)
        page = web.json(following_url, **options)
        yield page
        following_url = following(page)
        options.pop("params", None)  # the next page's URL holds them


@contextmanager
def documented(service: str) -> Iterator[None]:
    """Read an answer of `service`; what one of another shape raises becomes a `TransferError`."""
    try:
        yield
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise TransferError(
            f"{shown(service)} does not answer as it is documented to ({type(error).__name__}: {str(error)[:60]}); it "
            f"may be down or have changed: try again later, or give a local archive."
        ) from error


class _Session(requests.Session):
    """A session that prepares no credentials of netrc for a redirect that it is not to follow."""

    def rebuild_auth(self, prepared_request: requests.PreparedRequest, response: requests.Response) -> None:
        pass


def _basic(user: str, password: str) -> str:
    """Basic authentication, in UTF-8 (RFC 7617)."""
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


def _no_credentials(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _retry_after(response: requests.Response) -> float | None:
    text = response.headers.get("Retry-After", "")
    if re.fullmatch("[0-9]+", text):
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except ValueError:
        return None


def _reason(error: Exception, url: str) -> str:
    if isinstance(error, requests.exceptions.SSLError):
        return f"{shown(url)}: its certificate is not trusted"
    if isinstance(error, requests.exceptions.ProxyError):
        return f"{shown(url)}: the proxy does not let it through"
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return f"{shown(url)} does not answer"
    if isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError):
        return f"{shown(url)} stalls"
    text = hide(str(error))
    if "resolve" in text or "Name or service" in text:
        return f"{host_of(url)} cannot be found (is there a network?)"
    if "refused" in text:
        return f"{shown(url)} refuses connections"
    return f"{shown(url)}: the connection broke"
