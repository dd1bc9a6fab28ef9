from __future__ import annotations

import copy
import math
import pickle
from typing import Any

import pytest

from seqino._core.config import API_KEY, BASE_URL, CLIENT_ID, Config, Secret, check_key, resolve
from seqino.errors import ConfigurationError, InvalidInput
from seqino.options import SERVERS, CallOptions

CANARY = "canary-3f9a"


def resolved(**changes: Any) -> Config:
    settings: dict[str, Any] = {"environ": {}, **changes}
    return resolve(**settings)


# Options of a call


@pytest.mark.parametrize("timeout", [0.001, 1, 60.0, math.inf])
def test_a_timeout_is_a_number_of_seconds(timeout: float) -> None:
    assert CallOptions(timeout=timeout).timeout == timeout
    assert resolved(timeout=timeout).timeout == timeout


@pytest.mark.parametrize("timeout", [0, -1, math.nan, -math.inf, True, "60", [1]])
def test_what_is_no_number_of_seconds_is_refused(timeout: Any) -> None:
    for give in (lambda: CallOptions(timeout=timeout), lambda: resolved(timeout=timeout)):
        with pytest.raises(InvalidInput, match="timeout must be a number of seconds above 0"):
            give()


@pytest.mark.parametrize("retries", [-1, 1.0, True, "3", math.inf])
def test_what_is_no_number_of_retries_is_refused(retries: Any) -> None:
    for give in (lambda: CallOptions(max_retries=retries), lambda: resolved(max_retries=retries)):
        with pytest.raises(InvalidInput, match="max_retries must be a whole number, 0 or more"):
            give()


def test_at_least_one_connection_is_needed() -> None:
    assert resolved(max_connections=1).max_connections == 1
    with pytest.raises(InvalidInput, match="max_connections must be a whole number, 1 or more"):
        resolved(max_connections=0)


@pytest.mark.parametrize(
    "name", ["Authorization", "authorization", "X-Pdp-Client-ID", "Content-Length", "Expect"]
)
def test_extra_headers_cannot_replace_what_is_the_sdks_own(name: str) -> None:
    with pytest.raises(InvalidInput, match=f"extra_headers cannot set {name}"):
        CallOptions(extra_headers={name: "x"})
    with pytest.raises(InvalidInput, match=f"extra_headers cannot set {name}"):
        resolved(extra_headers={name: "x"})


@pytest.mark.parametrize("value", ["a\r\nX: y", "a\nb", "a\0b", " a", "a ", "é", "€", "\x7f", 1, None])
def test_a_header_that_could_break_the_message_is_refused(value: Any) -> None:
    with pytest.raises(InvalidInput, match=r"extra_headers\['X-Tag'\] must be text of visible ASCII"):
        CallOptions(extra_headers={"X-Tag": value})


@pytest.mark.parametrize("name", ["", "X Tag", "X:Tag", "X\r\nY", "é", 7])
def test_a_name_that_is_no_headers_is_refused(name: Any) -> None:
    with pytest.raises(InvalidInput, match="is not the name of a header"):
        CallOptions(extra_headers={name: "x"})


def test_options_left_out_keep_the_clients() -> None:
    config = resolved(timeout=7, max_retries=2, extra_headers={"X-A": "1"})
    assert config.with_options(CallOptions()) == config
    changed = config.with_options(
        CallOptions(timeout=9, max_retries=0, extra_headers={"X-A": "2", "X-B": "a\tb", "X-C": ""})
    )
    assert (changed.timeout, changed.max_retries) == (9, 0)
    assert changed.extra_headers == {"X-A": "2", "X-B": "a\tb", "X-C": ""}


# Arguments over environment over defaults


def test_the_defaults_reach_the_public_server_without_a_key() -> None:
    config = resolved()
    assert (config.api_key, config.client_id, config.base_url) == (None, None, "https://pdp.seqino.dev/api")
    assert (config.timeout, config.max_retries) == (60.0, 3)


def test_the_environment_outranks_the_defaults_and_arguments_outrank_it() -> None:
    environ = {API_KEY: "from-env", CLIENT_ID: "env-client", BASE_URL: "https://env.example/api/"}
    config = resolve(environ=environ)
    assert (config.api_key, config.client_id, config.base_url) == (
        Secret("from-env"),
        "env-client",
        "https://env.example/api",
    )
    config = resolve(api_key="given", client_id="me", base_url="https://arg.example", environ=environ)
    assert (config.api_key, config.client_id, config.base_url) == (
        Secret("given"),
        "me",
        "https://arg.example",
    )


def test_the_process_environment_is_read_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CLIENT_ID, "from-process")
    assert resolve().client_id == "from-process"


def test_empty_variables_count_as_absent() -> None:
    config = resolve(environ={API_KEY: "", CLIENT_ID: "", BASE_URL: ""})
    assert (config.api_key, config.client_id, config.base_url) == (None, None, SERVERS["dev"])


def test_servers_go_by_name_or_url() -> None:
    assert resolved(server="local").base_url == "http://localhost:8052"
    assert resolved(server="https://pdp.example/api").base_url == "https://pdp.example/api"
    assert resolve(environ={BASE_URL: "local"}).base_url == "http://localhost:8052"


def test_a_server_named_twice_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="give one of them"):
        resolved(server="dev", base_url="https://pdp.example")


BAD_URLS = {
    "": "is empty",
    "pdp.seqino.dev/api": "does not begin with http:// or https://",
    "production": "does not begin with http:// or https://",
    "ftp://pdp.example": "does not begin with http:// or https://",
    "https://": "names no host",
    "https://pdp .example": "holds blanks",
    "https://pdp.example/api\n": "holds blanks",
    "https://pdp.example/é": "holds blanks or characters that no URL has",
    "https://me:secret@pdp.example": "holds a user name or password",
    "https://pdp.example/api?x=1": "holds a query",
    "https://pdp.example/api?": "holds a query",
    "https://pdp.example/api#top": "holds a query or a fragment",
    "https://pdp.example:99999": "is no URL that can be read",
    "https://[::1": "is no URL that can be read",
    "https://pdp.example:0": "names port 0",
    "https://pdp.example/a/../b": r"holds a segment \. or \.\.",
    "https://pdp.example\\api": "holds a backslash",
}


@pytest.mark.parametrize(("url", "fault"), BAD_URLS.items())
def test_a_url_that_cannot_be_used_is_refused_with_its_source(url: str, fault: str) -> None:
    with pytest.raises(
        ConfigurationError, match=f"^base_url {fault}.*https://pdp.seqino.dev/api.*dev, local"
    ) as info:
        resolved(base_url=url)
    assert "secret" not in str(info.value)
    with pytest.raises(ConfigurationError, match=f"^server {fault}"):
        resolved(server=url)
    if url:
        with pytest.raises(ConfigurationError, match=f"^{BASE_URL} {fault}"):
            resolve(environ={BASE_URL: url})


def test_a_url_must_be_text() -> None:
    with pytest.raises(ConfigurationError, match="base_url must be a URL or the name of a server, not 7"):
        resolved(base_url=7)


@pytest.mark.parametrize("url", ["http://pdp.example/api", "http://10.0.0.7", "http://localhost.example"])
def test_a_key_does_not_travel_in_clear_text(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"would travel to .* unencrypted"):
        resolved(base_url=url, api_key="key")
    assert resolved(base_url=url).base_url == url
    assert resolved(base_url=url, api_key="key", allow_insecure_http=True).base_url == url


@pytest.mark.parametrize(
    "url", ["http://localhost:8052", "http://127.0.0.9:1", "http://[::1]:80", "http://pdp.localhost"]
)
def test_this_machine_needs_no_encryption(url: str) -> None:
    assert resolved(base_url=url, api_key="key").base_url == url


@pytest.mark.parametrize("client_id", ["", " x", "a\nb", "é", 5])
def test_a_client_id_that_no_header_carries_is_refused_with_its_source(client_id: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"^client_id "):
        resolved(client_id=client_id)
    if isinstance(client_id, str) and client_id:
        with pytest.raises(ConfigurationError, match=f"^{CLIENT_ID} must be text"):
            resolve(environ={CLIENT_ID: client_id})


# Secrets


@pytest.mark.parametrize("key", ["", f"{CANARY}\n", f" {CANARY}", f"{CANARY}é", 5])
def test_a_key_that_no_header_carries_is_refused_without_showing_it(key: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"^api_key (holds|is not)") as info:
        resolved(api_key=key)
    assert CANARY not in repr(info.value)
    assert info.value.__cause__ is None


def test_a_key_from_the_environment_is_named_by_its_variable() -> None:
    with pytest.raises(ConfigurationError, match=f"^{API_KEY} holds a line break"):
        resolve(environ={API_KEY: f"{CANARY}\n"})


def test_a_key_may_be_fetched() -> None:
    async def fetch() -> str:
        return CANARY

    assert resolved(api_key=fetch).api_key is fetch


def test_a_secret_shows_nowhere() -> None:
    config = resolved(api_key=CANARY)
    key = config.api_key
    assert isinstance(key, Secret)
    assert key.reveal() == CANARY
    for shown in (repr(config), str(config), f"{key} {key!r}", str(vars(type(key)))):
        assert CANARY not in shown
    assert "api_key=<secret>" in repr(config)
    assert "api_key=None" in repr(resolved())
    for value in (key, config):
        with pytest.raises(TypeError, match="a secret is not pickled"):
            pickle.dumps(value)


def test_a_secret_survives_copies_and_compares() -> None:
    key = Secret(CANARY)
    assert copy.copy(key) is key
    assert copy.deepcopy(key) is key
    assert key == Secret(CANARY)
    assert key != Secret("other")
    assert key != CANARY
    assert len({key, Secret(CANARY)}) == 1


def test_a_fetched_key_is_checked_too() -> None:
    key = Secret("abc")
    assert check_key(key, source="what api_key() returned") is key
    nothing: Any = None
    with pytest.raises(ConfigurationError, match=r"what api_key\(\) returned is not a text"):
        check_key(Secret(nothing), source="what api_key() returned")
