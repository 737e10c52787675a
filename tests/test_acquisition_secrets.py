"""Where a password or token must not go, and what a refusal says without saying it."""

import logging

import pytest

from acquisition_server import Answer, basic, quick_web, service
from slipmap.acquisition import credentials
from slipmap.acquisition.credentials import Realm
from slipmap.acquisition.web import TransferError

USER, PASSWORD, TOKEN = "maria", "pa55word", "t0ken"


@pytest.fixture
def hosts(monkeypatch):
    """A data host, a login host and a stranger, on three host names of the loopback."""
    monkeypatch.setattr(credentials, "_LOOPBACK", {"localhost", "127.0.0.1", "127.0.0.2"})
    with service("127.0.0.1") as data, service("localhost") as login, service("127.0.0.2") as stranger:
        data.route(".*", Answer(b"", 401))
        yield data, login, stranger


@pytest.fixture(autouse=True)
def own_netrc(tmp_path, monkeypatch):
    path = tmp_path / "netrc"
    monkeypatch.setenv("NETRC", str(path))
    monkeypatch.delenv("TEST_TOKEN", raising=False)
    return path


def realm(token_url: str, exchange: str = "basic") -> Realm:
    sign_up = "https://example.org/register"
    return Realm("Test Earthdata", "TEST_TOKEN", ("127.0.0.1",), "localhost", token_url, exchange, sign_up)


def give_password(own_netrc):
    own_netrc.write_text(f"machine localhost login {USER} password {PASSWORD}\n")


@pytest.mark.parametrize("exchange", ["basic", "form"])
@pytest.mark.parametrize("status", [302, 307])
def test_a_password_is_not_carried_along_a_redirect(hosts, own_netrc, exchange, status):
    data, login, stranger = hosts
    give_password(own_netrc)
    login.route("/token", Answer(b"", status, {"Location": f"{stranger.url}/token"}))
    stranger.json("/token", {"access_token": TOKEN})
    with pytest.raises(TransferError, match="refuses your Test Earthdata account"):
        quick_web((realm(f"{login.url}/token", exchange),))[0].get(f"{data.url}/a")
    assert len(login.asked) == 1
    assert stranger.asked == []


@pytest.mark.parametrize("exchange", ["basic", "form"])
def test_a_password_is_exchanged_on_the_login_host_only(hosts, own_netrc, exchange):
    data, _, stranger = hosts
    give_password(own_netrc)
    stranger.json("/token", {"access_token": TOKEN})
    with pytest.raises(TransferError, match="refuses your Test Earthdata account"):
        quick_web((realm(f"{stranger.url}/token", exchange),))[0].get(f"{data.url}/a")
    assert stranger.asked == []


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_without_an_account_says_how_to_log_in(hosts, status):
    data, login, _ = hosts
    data.route(".*", Answer(b"", status))
    with pytest.raises(TransferError) as error:
        quick_web((realm(f"{login.url}/token"),))[0].get(f"{data.url}/a")
    assert "/a needs a Test Earthdata account; put 'machine localhost login NAME password PASSWORD' into" in str(
        error.value
    )
    assert "or a token into the environment variable TEST_TOKEN" in str(error.value)
    assert "https://example.org/register" in str(error.value)


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("given", ["token", "password"])
def test_a_refusal_names_the_terms_of_use_and_no_secret(hosts, own_netrc, monkeypatch, caplog, status, given):
    caplog.set_level(logging.DEBUG)
    data, login, _ = hosts
    data.route(".*", Answer(b"", status))
    if given == "token":
        monkeypatch.setenv("TEST_TOKEN", TOKEN)
    else:
        give_password(own_netrc)
    with pytest.raises(TransferError) as error:
        quick_web((realm(f"{login.url}/token"),))[0].get(f"{data.url}/a")
    assert f"/a refuses your Test Earthdata account (answer {status})" in str(error.value)
    assert "accept the data's terms of use on example.org" in str(error.value)
    said = f"{error.value}{caplog.text}"
    assert not [secret for secret in (TOKEN, PASSWORD, basic(USER, PASSWORD)[6:]) if secret in said]


def test_a_token_from_an_exchange_is_in_no_message(hosts, own_netrc, caplog):
    caplog.set_level(logging.DEBUG)
    data, login, _ = hosts
    give_password(own_netrc)
    login.json("/token", {"access_token": TOKEN})
    with pytest.raises(TransferError) as error:
        quick_web((realm(f"{login.url}/token"),))[0].get(f"{data.url}/a")
    assert data.asked[-1].headers["Authorization"] == f"Bearer {TOKEN}"
    assert TOKEN not in f"{error.value}{caplog.text}"


@pytest.mark.parametrize(
    "start", ["ftp://maria:pa55word@", "https://maria:pa55word@[", "https://u:pa55word@x@[", "maria:"]
)
def test_an_address_that_is_none_is_named_without_its_secrets(start):
    with pytest.raises(TransferError, match=r"h\.example/jobs' is no address of a web service") as error:
        quick_web()[0].get(f"{start}h.example/jobs?token={TOKEN}")
    assert not [secret for secret in (TOKEN, PASSWORD) if secret in str(error.value)]
