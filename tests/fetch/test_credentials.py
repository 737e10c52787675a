"""Credentials go to their own host and to no other, and stand in no message, log or file."""

import base64
import logging

import pytest

from helpers.fetch_server import Answer, basic, quick_web, service
from slipmap.errors import InputError
from slipmap.fetch import credentials
from slipmap.fetch.credentials import COPERNICUS, EARTHDATA, Realm, hide, shown
from slipmap.fetch.download import RemoteFile, fetch
from slipmap.fetch.web import TransferError

USER, PASSWORD, TOKEN = "maria", "pa55word", "t0ken"
DATA = b"real data" * 1000


@pytest.fixture
def hosts():
    """A data host, a login host and a bucket, on three host names of the loopback."""
    with service("127.0.0.1") as data, service("localhost") as login, service("127.0.0.2") as bucket:
        yield data, login, bucket


@pytest.fixture
def realm(hosts):
    _, login, _ = hosts
    url = f"{login.url}/api/users/find_or_create_token"
    return Realm(
        "Test Earthdata", "TEST_TOKEN", ("127.0.0.1",), "localhost", url, "basic", "https://example.org/register"
    )


@pytest.fixture(autouse=True)
def own_netrc(tmp_path, monkeypatch):
    path = tmp_path / "netrc"
    monkeypatch.setenv("NETRC", str(path))
    for name in ("TEST_TOKEN", "EARTHDATA_TOKEN", "CDSE_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    return path


@pytest.fixture(autouse=True)
def other_loopback(monkeypatch):
    """127.0.0.2 is as safe from listeners as 127.0.0.1: what keeps credentials from it must be its name."""
    monkeypatch.setattr(credentials, "_LOOPBACK", {"localhost", "127.0.0.1", "127.0.0.2"})


def headers_of(server):
    return [asked.headers.get("Authorization") for asked in server.asked]


def earthdata(data, login, bucket):
    """Earthdata's way: data → login (basic) → data with a code, which sets a cookie → data → signed bucket URL."""

    def give(asked):
        if "session=open" in asked.headers.get("Cookie", ""):
            return Answer(b"", 302, {"Location": f"{bucket.url}/obj/a.bin?X-Amz-Signature=signed"})
        return Answer(b"", 302, {"Location": f"{login.url}/oauth/authorize?client_id=x&state=/data/a.bin"})

    def authorise(asked):
        if asked.headers.get("Authorization") != basic(USER, PASSWORD):
            return Answer(b"", 401, {"WWW-Authenticate": "Basic"})
        return Answer(b"", 302, {"Location": f"{data.url}/login?code=abc"})

    data.route("/data/a.bin", give)
    data.route("/login", Answer(b"", 307, {"Set-Cookie": "session=open; Path=/", "Location": f"{data.url}/data/a.bin"}))
    login.route("/oauth/authorize", authorise)
    bucket.file("/obj/a.bin", DATA)


def test_the_password_goes_to_the_login_host_only(hosts, realm, own_netrc, tmp_path):
    data, login, bucket = hosts
    earthdata(data, login, bucket)
    own_netrc.write_text(f"machine localhost login {USER} password {PASSWORD}\n")
    path = fetch(RemoteFile("a.bin", f"{data.url}/data/a.bin", len(DATA)), tmp_path / "d", quick_web((realm,))[0])
    assert path.read_bytes() == DATA
    assert headers_of(login) == [basic(USER, PASSWORD)]
    assert set(headers_of(data)) == {None}
    assert headers_of(bucket) == [None]


def test_without_an_account_the_user_is_told_how_to_give_one(hosts, realm, tmp_path):
    data, login, bucket = hosts
    earthdata(data, login, bucket)
    with pytest.raises(
        TransferError, match=r"needs a Test Earthdata account; put 'machine localhost login NAME password"
    ):
        fetch(RemoteFile("a.bin", f"{data.url}/data/a.bin", len(DATA)), tmp_path, quick_web((realm,))[0])
    assert headers_of(login) == [None]


def test_a_token_of_the_environment_goes_to_the_data_host_and_is_not_handed_on(hosts, realm, tmp_path, monkeypatch):
    data, _, bucket = hosts
    monkeypatch.setenv("TEST_TOKEN", TOKEN)
    data.route("/data/a.bin", Answer(b"", 303, {"Location": f"{bucket.url}/obj/a.bin?X-Amz-Signature=signed"}))
    bucket.file("/obj/a.bin", DATA)
    fetch(RemoteFile("a.bin", f"{data.url}/data/a.bin"), tmp_path, quick_web((realm,))[0])
    assert headers_of(data) == [f"Bearer {TOKEN}"]
    assert headers_of(bucket) == [None]


def test_a_default_entry_and_entries_of_other_hosts_are_sent_nowhere(hosts, realm, own_netrc, tmp_path):
    data, _, bucket = hosts
    own_netrc.write_text(
        f"machine 127.0.0.2 login {USER} password {PASSWORD}\ndefault login {USER} password {PASSWORD}\n"
    )
    data.route("/a.bin", Answer(b"", 302, {"Location": f"{bucket.url}/a.bin"}))
    bucket.file("/a.bin", DATA)
    fetch(RemoteFile("a.bin", f"{data.url}/a.bin"), tmp_path / "d", quick_web((realm,))[0])
    assert headers_of(data) == [None]
    assert headers_of(bucket) == [None]


def test_a_default_entry_is_nobodys_password(own_netrc):
    own_netrc.write_text(f"default login {USER} password {PASSWORD}\n")
    assert EARTHDATA.password() is None
    own_netrc.write_text(f"machine urs.earthdata.nasa.gov login {USER} password {PASSWORD}\n")
    assert EARTHDATA.password() == (USER, PASSWORD)


def test_name_and_password_are_exchanged_for_a_token_when_one_is_wanted(hosts, realm, own_netrc, tmp_path):
    data, login, _ = hosts
    own_netrc.write_text(f"machine localhost login {USER} password {PASSWORD}\n")
    login.json("/api/users/find_or_create_token", {"access_token": TOKEN, "token_type": "Bearer"})
    data.route(
        "/a.bin",
        lambda asked: Answer(DATA) if asked.headers.get("Authorization") == f"Bearer {TOKEN}" else Answer(b"", 401),
    )
    fetch(RemoteFile("a.bin", f"{data.url}/a.bin"), tmp_path / "d", quick_web((realm,))[0])
    assert headers_of(login) == [basic(USER, PASSWORD)]
    assert headers_of(data) == [None, f"Bearer {TOKEN}"]


def test_an_expired_token_is_renewed(hosts, realm, own_netrc, tmp_path):
    data, login, _ = hosts
    realm = Realm(
        "CDSE", "TEST_TOKEN", ("127.0.0.1",), "localhost", f"{login.url}/token", "form", "https://example.org"
    )
    own_netrc.write_text(f"machine localhost login {USER} password {PASSWORD}\n")
    tokens = iter(["first", "second"])
    login.route("/token", lambda asked: Answer(f'{{"access_token": "{next(tokens)}"}}'.encode()))
    valid = {"Bearer first"}
    data.route("/.*", lambda asked: Answer(DATA) if asked.headers.get("Authorization") in valid else Answer(b"", 401))
    web, _ = quick_web((realm,))
    fetch(RemoteFile("a.bin", f"{data.url}/a.bin"), tmp_path / "d", web)
    valid.clear()
    valid.add("Bearer second")  # ten minutes later
    fetch(RemoteFile("b.bin", f"{data.url}/b.bin"), tmp_path / "d", web)
    assert [asked.body for asked in login.asked] == [
        f"client_id=cdse-public&grant_type=password&username={USER}&password={PASSWORD}".encode()
    ] * 2


def test_a_refused_account_is_said_to_be_refused_and_nothing_leaks(hosts, realm, own_netrc, tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    data, login, _ = hosts
    own_netrc.write_text(f"machine localhost login {USER} password {PASSWORD}\n")
    login.route("/.*", Answer(b"", 401))
    data.route("/a.bin", Answer(b"", 401))
    with pytest.raises(TransferError, match="refuses your Test Earthdata account") as error:
        fetch(RemoteFile("a.bin", f"{data.url}/a.bin"), tmp_path / "d", quick_web((realm,))[0])
    assert PASSWORD not in f"{error.value}{caplog.text}"
    assert basic(USER, PASSWORD)[6:] not in caplog.text


def test_a_broken_netrc_is_named_without_its_contents(own_netrc):
    own_netrc.write_text(f"machine localhost login {USER} password {PASSWORD} pasword {PASSWORD}\n")
    with pytest.raises(InputError, match=r"netrc line 1 is not in netrc format") as error:
        EARTHDATA.password()
    assert PASSWORD not in str(error.value)
    assert error.value.__cause__ is None


def test_a_netrc_that_is_not_utf8_is_named_without_its_contents(own_netrc):
    own_netrc.write_bytes(f"machine localhost login {USER} password {PASSWORD}".encode() + b"\xe9\n")
    with pytest.raises(InputError, match=r"netrc is not UTF-8 text") as error:
        EARTHDATA.password()
    assert PASSWORD not in str(error.value)


@pytest.mark.parametrize("token", ["t0ken\nt0ken", "t0 ken", "t0k€n"])
def test_what_cannot_be_a_token_is_refused_and_not_shown(hosts, realm, tmp_path, monkeypatch, caplog, token):
    data, _, _ = hosts
    data.file("/a.bin", DATA)
    monkeypatch.setenv("TEST_TOKEN", token)
    with pytest.raises(InputError, match=r"environment variable TEST_TOKEN holds a space, a line break") as error:
        fetch(RemoteFile("a.bin", f"{data.url}/a.bin"), tmp_path / "d", quick_web((realm,))[0])
    assert "t0k" not in f"{error.value}{caplog.text}" and error.value.__cause__ is None


def test_a_password_may_have_any_letters(hosts, realm, own_netrc, tmp_path):
    data, login, bucket = hosts
    earthdata(data, login, bucket)
    own_netrc.write_text(f"machine localhost login {USER} password żółw€\n")
    with pytest.raises(TransferError, match="refuses your"):  # it is another one than maria's
        fetch(RemoteFile("a.bin", f"{data.url}/data/a.bin"), tmp_path / "d", quick_web((realm,))[0])
    assert f"Basic {base64.b64encode(f'{USER}:żółw€'.encode()).decode()}" in headers_of(login)


@pytest.mark.parametrize(
    "url, token, password",
    [
        ("https://cumulus.asf.alaska.edu/x.h5", True, False),
        ("https://cumulus.asf.earthdatacloud.nasa.gov/x.h5", True, False),
        ("https://urs.earthdata.nasa.gov/oauth/authorize", True, True),
        ("http://urs.earthdata.nasa.gov/oauth/authorize", False, False),  # in the clear
        ("https://asf.alaska.edu.example.org/x.h5", False, False),
        ("https://notasf.alaska.edu.evil/x", False, False),
        ("https://evilasf.alaska.edu/x", False, False),
        ("https://bucket.s3.us-west-2.amazonaws.com/x", False, False),
        ("https://urs.earthdata.nasa.gov@evil.example/x", False, False),
    ],
)
def test_who_may_be_told(url, token, password):
    assert EARTHDATA.takes_token(url) is token
    assert EARTHDATA.takes_password(url) is password
    assert not COPERNICUS.takes_token(url)


def test_shown_addresses_hold_no_secret():
    assert shown("https://u:p@h.org:81/a/b.h5?X-Amz-Signature=s#f") == "https://h.org:81/a/b.h5"
    text = "GET https://u:p@h.org/a?token=s failed (url: /a?token=s)"
    assert hide(text) == "GET https://h.org/a failed (url: /a)"


# --- exchanges and refusals ----------------------------------------------------------------------------------------


@pytest.fixture
def closed(hosts):
    """The same hosts; the data host gives nothing without an account."""
    hosts[0].route(".*", Answer(b"", 401))
    return hosts


def realm_of(token_url: str, exchange: str = "basic") -> Realm:
    sign_up = "https://example.org/register"
    return Realm("Test Earthdata", "TEST_TOKEN", ("127.0.0.1",), "localhost", token_url, exchange, sign_up)


def give_password(own_netrc):
    own_netrc.write_text(f"machine localhost login {USER} password {PASSWORD}\n")


@pytest.mark.parametrize("exchange", ["basic", "form"])
@pytest.mark.parametrize("status", [302, 307])
def test_a_password_is_not_carried_along_a_redirect(closed, own_netrc, exchange, status):
    data, login, stranger = closed
    give_password(own_netrc)
    login.route("/token", Answer(b"", status, {"Location": f"{stranger.url}/token"}))
    stranger.json("/token", {"access_token": TOKEN})
    with pytest.raises(TransferError, match="refuses your Test Earthdata account"):
        quick_web((realm_of(f"{login.url}/token", exchange),))[0].get(f"{data.url}/a")
    assert len(login.asked) == 1
    assert stranger.asked == []


@pytest.mark.parametrize("exchange", ["basic", "form"])
def test_a_password_is_exchanged_on_the_login_host_only(closed, own_netrc, exchange):
    data, _, stranger = closed
    give_password(own_netrc)
    stranger.json("/token", {"access_token": TOKEN})
    with pytest.raises(TransferError, match="refuses your Test Earthdata account"):
        quick_web((realm_of(f"{stranger.url}/token", exchange),))[0].get(f"{data.url}/a")
    assert stranger.asked == []


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_without_an_account_says_how_to_log_in(closed, status):
    data, login, _ = closed
    data.route(".*", Answer(b"", status))
    with pytest.raises(TransferError) as error:
        quick_web((realm_of(f"{login.url}/token"),))[0].get(f"{data.url}/a")
    assert "/a needs a Test Earthdata account; put 'machine localhost login NAME password PASSWORD' into" in str(
        error.value
    )
    assert "or a token into the environment variable TEST_TOKEN" in str(error.value)
    assert "https://example.org/register" in str(error.value)


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("given", ["token", "password"])
def test_a_refusal_names_the_terms_of_use_and_no_secret(closed, own_netrc, monkeypatch, caplog, status, given):
    caplog.set_level(logging.DEBUG)
    data, login, _ = closed
    data.route(".*", Answer(b"", status))
    if given == "token":
        monkeypatch.setenv("TEST_TOKEN", TOKEN)
    else:
        give_password(own_netrc)
    with pytest.raises(TransferError) as error:
        quick_web((realm_of(f"{login.url}/token"),))[0].get(f"{data.url}/a")
    assert f"/a refuses your Test Earthdata account (answer {status})" in str(error.value)
    assert "accept the data's terms of use on example.org" in str(error.value)
    said = f"{error.value}{caplog.text}"
    assert not [secret for secret in (TOKEN, PASSWORD, basic(USER, PASSWORD)[6:]) if secret in said]


def test_a_token_from_an_exchange_is_in_no_message(closed, own_netrc, caplog):
    caplog.set_level(logging.DEBUG)
    data, login, _ = closed
    give_password(own_netrc)
    login.json("/token", {"access_token": TOKEN})
    with pytest.raises(TransferError) as error:
        quick_web((realm_of(f"{login.url}/token"),))[0].get(f"{data.url}/a")
    assert data.asked[-1].headers["Authorization"] == f"Bearer {TOKEN}"
    assert TOKEN not in f"{error.value}{caplog.text}"


@pytest.mark.parametrize(
    "start", ["ftp://maria:pa55word@", "https://maria:pa55word@[", "https://u:pa55word@x@[", "maria:"]
)
def test_an_address_that_is_none_is_named_without_its_secrets(start):
    with pytest.raises(TransferError, match=r"h\.example/jobs' is no address of a web service") as error:
        quick_web()[0].get(f"{start}h.example/jobs?token={TOKEN}")
    assert not [secret for secret in (TOKEN, PASSWORD) if secret in str(error.value)]
