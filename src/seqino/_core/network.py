"""The way to the platform: through which proxy, trusting which certificates."""

from __future__ import annotations

import ssl
import urllib.request
from urllib.parse import SplitResult, unquote, urlsplit

import attrs

from seqino._core.config import URL_CHARACTERS, Secret, is_this_machine
from seqino.errors import ConfigurationError

__all__ = ["Network", "resolve_network"]


@attrs.frozen(kw_only=True)
class Network:
    """How connections are made; of a session that is given, its own settings count instead.

    Args:
        proxy: URL of a proxy; it may hold a password.
        tls: Which certificates are trusted and shown; ``None`` for those that the system trusts.
    """

    proxy: Secret | None = None
    tls: ssl.SSLContext | None = attrs.field(default=None, repr=False)


def resolve_network(
    *,
    base_url: str,
    proxy: str | Secret | None = None,
    trust_env: bool = False,
    tls: ssl.SSLContext | None = None,
    session_is_given: bool = False,
    has_key: bool = True,
    allow_insecure_http: bool = False,
) -> Network:
    """Check how a server is to be reached, and find its proxy.

    Args:
        base_url: Where the paths of the API hang.
        proxy: URL of a proxy, ``http://`` or ``https://``, with user name and password where it wants them.
        trust_env: Take the proxy of the environment (``HTTPS_PROXY``, ``NO_PROXY``) where ``proxy`` is
            left out.
        tls: Which certificates are trusted and shown.
        session_is_given: Whether connections are made by another's session.
        has_key: Whether calls carry a key.
        allow_insecure_http: Whether the key may travel unencrypted.

    Raises:
        ConfigurationError: If something of it cannot be used; no message shows a proxy's password.
    """
    if session_is_given:
        if proxy is not None or trust_env or tls is not None:
            raise ConfigurationError(
                "a session brings its own connections: set proxy, trust_env and ssl where it is made, "
                "aiohttp.ClientSession(proxy=…, connector=aiohttp.TCPConnector(ssl=…))"
            )
        return Network()
    # Passed on, anything but a context would switch the check of certificates off, or fail only in a call.
    if tls is not None and not isinstance(tls, ssl.SSLContext):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ConfigurationError(
            "ssl must be an ssl.SSLContext, such as ssl.create_default_context(cafile=…): certificates are "
            "always checked"
        )
    server = urlsplit(base_url)
    found = None
    if proxy is not None:
        found = _checked(proxy if isinstance(proxy, Secret) else Secret(proxy), source="proxy")
    if found is None and trust_env:
        found = _of_environment(server)
    if found is not None and server.scheme == "http" and has_key and not allow_insecure_http:
        raise ConfigurationError(
            "the API key would travel to the proxy unencrypted, as the base URL is http://: use https://, "
            "or allow_insecure_http=True where nobody can listen"
        )
    return Network(proxy=found, tls=tls)


def _of_environment(server: SplitResult) -> Secret | None:
    """The proxy that the environment, or on some systems the desktop's settings, names for a server."""
    # A proxy elsewhere cannot reach this machine: what it calls localhost is itself.
    if is_this_machine(server) or urllib.request.proxy_bypass(server.netloc):
        return None
    found = Secret(_proxy_for(server.scheme))
    if not found.reveal():
        return None
    return _checked(found, source=f"the environment's proxy for {server.scheme}")


def _proxy_for(scheme: str) -> str:
    proxies = urllib.request.getproxies()
    found = proxies.get(scheme) or proxies.get("all") or ""
    # A name alone is what curl and others accept.
    return f"http://{found}" if found and "://" not in found else found


def _checked(url: Secret, *, source: str) -> Secret:
    """Return a proxy's URL if it can be used; its text is never shown, as it may hold a password."""
    fault = _fault(url.reveal())
    if fault is not None:
        raise ConfigurationError(f"{source} {fault}: give a URL like http://user:password@proxy.example:3128")
    return url


def _fault(url: object) -> str | None:
    if not isinstance(url, str):
        return "is not a text"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "is no URL that can be read"
    faults: dict[str, bool] = {
        "holds characters that no URL has": URL_CHARACTERS.fullmatch(url) is None or "\\" in url,
        "does not begin with http:// or https:// (SOCKS is not supported)": (
            parts.scheme not in {"http", "https"}
        ),
        "names no host": not parts.hostname,
        "names port 0": port == 0,
        "holds a user name or password that HTTP's basic authentication cannot carry": not _is_basic(parts),
        "holds a path, a query or a fragment": parts.path not in {"", "/"} or "?" in url or "#" in url,
    }
    return next((text for text, found in faults.items() if found), None)


def _is_basic(parts: SplitResult) -> bool:
    """Whether credentials fit RFC 7617, in the encoding that aiohttp sends them in."""
    name, password = unquote(parts.username or ""), unquote(parts.password or "")
    try:
        f"{name}:{password}".encode("latin-1")
    except UnicodeEncodeError:
        return False
    return ":" not in name
