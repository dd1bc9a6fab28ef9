"""Which proxy and which certificates a client uses; a proxy's password shows nowhere."""

from __future__ import annotations

import ssl
from typing import Any

import pytest

from seqino._core.config import Secret
from seqino._core.network import Network, resolve_network
from seqino.errors import ConfigurationError

BASE = "https://pdp.example/api"
VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "REQUEST_METHOD")


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def resolved(**arguments: Any) -> str | None:
    arguments.setdefault("base_url", BASE)
    proxy = resolve_network(**arguments).proxy
    return None if proxy is None else proxy.reveal()


def test_by_default_there_is_no_proxy_and_the_systems_certificates_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    assert resolve_network(base_url=BASE) == Network(proxy=None, tls=None)


@pytest.mark.parametrize(
    "proxy",
    [
        "http://proxy.example:3128",
        "http://proxy.example",
        "http://proxy.example/",
        "https://proxy.example:443",
        "http://user:pass%40word@[::1]:3128",
        "http://user@proxy.example",
        "http://Zo%C3%AB:a:b@proxy.example",
    ],
)
def test_a_proxy_may_be_named(proxy: str) -> None:
    assert resolved(proxy=proxy) == proxy


@pytest.mark.parametrize(
    ("proxy", "reason"),
    [
        (7, "is not a text"),
        ("", "characters that no URL has"),
        ("http://us er:hunter2@proxy.example", "characters that no URL has"),
        ("http://user:hünter2@proxy.example", "characters that no URL has"),
        ("http://user:hunter2\\@proxy.example", "characters that no URL has"),
        ("http://user:hunter2/@proxy.example:31", "can be read"),
        ("http://user:hunter2@proxy.example:99999", "can be read"),
        ("http://user:hunter2@[proxy.example", "can be read"),
        ("socks5://user:hunter2@proxy.example", "SOCKS is not supported"),
        ("proxy.example:3128", "does not begin with http"),
        ("http://user:hunter2@", "names no host"),
        ("http://user:hunter2@proxy.example:0", "names port 0"),
        ("http://us%3Aer:hunter2@proxy.example", "basic authentication cannot carry"),
        ("http://user:hunter2%E2%82%AC@proxy.example", "basic authentication cannot carry"),
        ("http://user:hunter2@proxy.example/path", "path, a query or a fragment"),
        ("http://user:hunter2@proxy.example?q", "path, a query or a fragment"),
        ("http://user:hunter2@proxy.example#f", "path, a query or a fragment"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_refused_without_being_shown(proxy: Any, reason: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^proxy .*({reason})") as caught:
        resolved(proxy=proxy)
    assert "hunter2" not in str(caught.value)


def test_the_proxy_is_a_secret() -> None:
    network = resolve_network(base_url=BASE, proxy="http://user:hunter2@proxy.example")
    assert isinstance(network.proxy, Secret)
    assert "hunter2" not in repr(network)


# The environment's proxy


@pytest.mark.parametrize(
    ("variables", "base_url", "found"),
    [
        ({"HTTPS_PROXY": "http://a:1"}, BASE, "http://a:1"),
        ({"https_proxy": "http://a:1", "HTTPS_PROXY": "http://b:1"}, BASE, "http://a:1"),
        ({"HTTP_PROXY": "http://a:1"}, BASE, None),
        ({"HTTP_PROXY": "http://a:1"}, "http://pdp.example/api", "http://a:1"),
        ({"ALL_PROXY": "http://a:1"}, BASE, "http://a:1"),
        ({"ALL_PROXY": "http://a:1", "HTTPS_PROXY": "http://b:1"}, BASE, "http://b:1"),
        ({"HTTPS_PROXY": "a:1"}, BASE, "http://a:1"),
        ({"HTTPS_PROXY": ""}, BASE, None),
        ({}, BASE, None),
        ({"HTTPS_PROXY": "http://a:1", "NO_PROXY": "pdp.example"}, BASE, None),
        ({"HTTPS_PROXY": "http://a:1", "NO_PROXY": ".example"}, BASE, None),
        ({"HTTPS_PROXY": "http://a:1", "NO_PROXY": "pdp.example:8443"}, BASE, "http://a:1"),
        ({"HTTPS_PROXY": "http://a:1", "NO_PROXY": "pdp.example:8443"}, "https://pdp.example:8443/api", None),
        ({"HTTPS_PROXY": "http://a:1", "NO_PROXY": "*"}, BASE, None),
        ({"HTTPS_PROXY": "http://a:1", "NO_PROXY": "other.example"}, BASE, "http://a:1"),
        ({"HTTPS_PROXY": "http://a:1"}, "https://localhost/api", None),
        ({"HTTP_PROXY": "http://a:1"}, "http://127.0.0.1:8052/api", None),
    ],
)
def test_the_environments_proxy_is_taken_on_request(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], base_url: str, found: str | None
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert resolved(base_url=base_url, trust_env=True, has_key=False) == found


def test_an_argument_outranks_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "socks5://nowhere")
    assert resolved(proxy="http://a:1", trust_env=True) == "http://a:1"


def test_what_the_environment_names_is_checked_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "socks5://user:hunter2@proxy.example")
    with pytest.raises(ConfigurationError, match=r"the environment's proxy for https .*SOCKS") as caught:
        resolved(trust_env=True)
    assert "hunter2" not in str(caught.value)


# The key, certificates, sessions of others


def test_the_key_does_not_travel_to_a_proxy_in_the_clear() -> None:
    plain: dict[str, Any] = {"base_url": "http://127.0.0.1:8052", "proxy": "http://proxy.example:3128"}
    with pytest.raises(ConfigurationError, match="the API key would travel to the proxy unencrypted"):
        resolved(**plain)
    assert resolved(**plain, allow_insecure_http=True) == plain["proxy"]
    assert resolved(**plain, has_key=False) == plain["proxy"]


def test_certificates_of_ones_own_are_a_context() -> None:
    context = ssl.create_default_context()
    assert resolve_network(base_url=BASE, tls=context).tls is context


@pytest.mark.parametrize("given", [False, True, "ca.pem", ssl])
def test_certificates_are_always_checked(given: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"must be an ssl\.SSLContext"):
        resolve_network(base_url=BASE, tls=given)


@pytest.mark.parametrize(
    "setting", [{"proxy": "http://a:1"}, {"trust_env": True}, {"tls": ssl.create_default_context()}]
)
def test_a_session_of_the_caller_has_its_own_connections(setting: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="a session brings its own connections"):
        resolve_network(base_url=BASE, session_is_given=True, **setting)
    assert resolve_network(base_url=BASE, session_is_given=True) == Network()
