"""Who may be told a user's password: credentials from the environment or netrc, for a service's own hosts only."""

import netrc
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from slipmap.errors import InputError

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


@dataclass(frozen=True)
class Realm:
    """A login that several hosts share.

    Parameters
    ----------
    name : for messages.
    token_variable : environment variable that may hold a bearer token.
    token_hosts : hosts, or ends of host names, to which a token may be sent.
    login_host : the one host to which user name and password may be sent; the `machine` of the netrc entry.
    token_url : where user name and password are exchanged for a token.
    exchange : "basic" (POST with basic authentication, as Earthdata Login) or "form" (OpenID password grant, as CDSE).
    """

    name: str
    token_variable: str
    token_hosts: tuple[str, ...]
    login_host: str
    token_url: str
    exchange: str
    sign_up: str
    _tokens: list[str] = field(default_factory=list, compare=False, repr=False)

    def takes_token(self, url: str) -> bool:
        """Whether a token may be sent to the host of `url`: one of the realm's own, and never in the clear."""
        return _is_safe(url) and any(_is_within(host_of(url), suffix) for suffix in self.token_hosts)

    def takes_password(self, url: str) -> bool:
        """Whether user name and password may be sent to the host of `url`."""
        return _is_safe(url) and host_of(url) == self.login_host

    def password(self) -> tuple[str, str] | None:
        """User name and password of the realm's login host in the user's netrc file; None if there are none.

        A `default` entry counts for no host: it would hand one service's password to every other.

        Raises
        ------
        InputError : the netrc file cannot be read.
        """
        path = netrc_path()
        if not path.is_file():
            return None
        try:
            found = netrc.netrc(str(path)).hosts.get(self.login_host)
        except UnicodeDecodeError:
            raise InputError(f"{path} is not UTF-8 text; save it as UTF-8.") from None
        except netrc.NetrcParseError as error:
            # only the line number: the message may quote a password
            raise InputError(f"{path} line {error.lineno} is not in netrc format; correct that line.") from None
        except OSError as error:
            raise InputError(f"{path} cannot be read ({error.strerror}); correct its permissions.") from None
        return (found[0], found[2] or "") if found else None

    def token(self) -> str | None:
        """The token of the environment, or the one that `remember` was given.

        Raises
        ------
        InputError : the environment's cannot be a token; the message does not hold it.
        """
        given = os.environ.get(self.token_variable, "").strip()
        if given and not re.fullmatch(r"[\x21-\x7e]+", given):
            raise InputError(
                f"The environment variable {self.token_variable} holds a space, a line break or a character that no "
                "token has; set it again, in one piece."
            )
        return given or (self._tokens[-1] if self._tokens else None)

    def remember(self, token: str) -> None:
        """Keep a token for this process; it is written nowhere."""
        self._tokens.append(token)

    def forget(self) -> None:
        """Drop the remembered token (it has expired)."""
        self._tokens.clear()

    def advice(self) -> str:
        """How a user gives the credentials, for messages."""
        return (
            f"put 'machine {self.login_host} login NAME password PASSWORD' into {netrc_path()}, or a token into the "
            f"environment variable {self.token_variable} (an account is free: {self.sign_up})"
        )


EARTHDATA = Realm(
    name="NASA Earthdata",
    token_variable="EARTHDATA_TOKEN",
    token_hosts=("asf.alaska.edu", "earthdata.nasa.gov", "earthdatacloud.nasa.gov"),
    login_host="urs.earthdata.nasa.gov",
    token_url="https://urs.earthdata.nasa.gov/api/users/find_or_create_token",
    exchange="basic",
    sign_up="https://urs.earthdata.nasa.gov/users/new",
)
COPERNICUS = Realm(
    name="Copernicus Data Space",
    token_variable="CDSE_TOKEN",
    token_hosts=("dataspace.copernicus.eu",),
    login_host="identity.dataspace.copernicus.eu",
    token_url="https://identity.dataspace.copernicus.eu/auth/realms/CDSE/protocol/openid-connect/token",
    exchange="form",
    sign_up="https://dataspace.copernicus.eu",
)
REALMS = (EARTHDATA, COPERNICUS)


def netrc_path() -> Path:
    """The user's netrc file: $NETRC, else ~/.netrc."""
    return Path(os.environ.get("NETRC") or Path.home() / ".netrc")


def host_of(url: str) -> str:
    """Host name of `url`, lower case, without port; "" if there is none."""
    return (urlsplit(url).hostname or "").lower()


def shown(url: str) -> str:
    """`url` for a message or a log: without user name, password, query and fragment, which may hold secrets."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{host}{port}{parts.path}" if parts.scheme else parts.path


def hide(text: str) -> str:
    """`text` with what follows a "?" in every URL taken out, and what stands before an "@" in it."""
    text = re.sub(r"(https?://)[^/\s@]+@", r"\1", text)
    return re.sub(r"(https?://[^\s?'\"]+)\?[^\s'\"]*", r"\1", re.sub(r"(url: /[^\s?)]*)\?[^\s)]*", r"\1", text))


def _is_within(host: str, suffix: str) -> bool:
    return host == suffix or host.endswith(f".{suffix}")


def _is_safe(url: str) -> bool:
    return urlsplit(url).scheme == "https" or host_of(url) in _LOOPBACK
