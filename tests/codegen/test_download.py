from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from codegen import download
from codegen.problems import CodegenError

if TYPE_CHECKING:
    from pathlib import Path

VALID = b"# A comment that must survive.\nopenapi: 3.1.0\ninfo: {title: T, version: '1'}\npaths: {}\n"
NOW = datetime(2025, 6, 1, 23, 30, tzinfo=UTC)

Answers = dict[str, Callable[[BaseHTTPRequestHandler], None]]


@pytest.fixture
def server() -> Iterator[tuple[str, Answers]]:
    """A server on this machine, and what it answers by path."""
    answers: Answers = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answers[self.path](self)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as declared
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}", answers
        running.shutdown()
        thread.join()


def _answer(
    status: int, body: bytes = b"", *, length: int | None = None, **headers: str
) -> Callable[..., None]:
    def send(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(body) if length is None else length))
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    return send


def test_a_description_is_fetched_byte_for_byte(server: tuple[str, Answers]) -> None:
    url, answers = server
    answers["/openapi.yaml"] = _answer(200, VALID)
    answers["/old"] = _answer(302, Location="/openapi.yaml")
    assert download.from_url(f"{url}/openapi.yaml") == VALID
    assert download.from_url(f"{url}/old") == VALID


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/openapi.yaml",
        "file:///etc/passwd",
        "ftp://example.com/a",
        "openapi.yaml",
        "https://",
        "http://[::1",
    ],
)
def test_an_address_that_is_not_safe_is_refused(url: str) -> None:
    with pytest.raises(CodegenError, match=r"only https, or http on this machine|is no address"):
        download.from_url(url)


def test_a_redirect_to_an_address_that_is_not_safe_is_refused(server: tuple[str, Answers]) -> None:
    url, answers = server
    answers["/"] = _answer(302, Location="http://example.com/openapi.yaml")
    with pytest.raises(CodegenError, match=r"http://example.com/openapi.yaml is refused"):
        download.from_url(f"{url}/")


def test_a_failed_download_says_why(server: tuple[str, Answers]) -> None:
    url, answers = server
    answers["/404"] = _answer(404, b"no")
    answers["/short"] = _answer(200, VALID, length=len(VALID) + 5)

    def rubbish(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"rubbish\r\n\r\n")

    answers["/rubbish"] = rubbish
    with pytest.raises(CodegenError, match=r"cannot be downloaded: the server answers 404"):
        download.from_url(f"{url}/404")
    with pytest.raises(CodegenError, match=r"was cut off"):
        download.from_url(f"{url}/short")
    with pytest.raises(CodegenError, match=r"cannot be downloaded: BadStatusLine"):
        download.from_url(f"{url}/rubbish")
    with pytest.raises(CodegenError, match=r"cannot be downloaded"):
        download.from_url("http://127.0.0.1:9/")


def test_a_server_that_says_nothing_is_given_up(server: tuple[str, Answers]) -> None:
    url, answers = server
    done = threading.Event()

    def stay_silent(_handler: BaseHTTPRequestHandler) -> None:
        done.wait(120)

    answers["/"] = stay_silent
    with pytest.raises(CodegenError, match=r"cannot be downloaded: .*timed out"):
        download.from_url(f"{url}/", timeout=0.05)
    done.set()


def test_what_is_too_large_is_refused(server: tuple[str, Answers], monkeypatch: pytest.MonkeyPatch) -> None:
    url, answers = server
    answers["/"] = _answer(200, VALID)
    monkeypatch.setattr(download, "LIMIT", 10)
    with pytest.raises(CodegenError, match=r"is larger than"):
        download.from_url(f"{url}/")


def test_a_description_is_stored_with_where_it_came_from(tmp_path: Path) -> None:
    target = tmp_path / "openapi" / "seqino-pdp.yaml"
    digest = download.store(VALID, target, source={"url": "https://x.example/openapi.yaml"}, now=NOW)
    assert target.read_bytes() == VALID
    assert digest == hashlib.sha256(VALID).hexdigest()
    assert json.loads((tmp_path / "openapi" / "seqino-pdp.source.json").read_text()) == {
        "url": "https://x.example/openapi.yaml",
        "sha256": digest,
        "date": "2025-06-01",
    }


@pytest.mark.parametrize("data", [b"<html>Not found</html>", b"openapi: 3.1.0\n", b""])
def test_what_is_no_description_replaces_nothing(data: bytes, tmp_path: Path) -> None:
    target = tmp_path / "seqino-pdp.yaml"
    download.store(VALID, target, source={"file": "a"}, now=NOW)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(CodegenError, match=r"https://x.example"):
        download.store(data, target, source={"url": "https://x.example"}, now=NOW)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
