"""Hostile requests over real sockets: each is answered or dropped, and the sandbox stays up, quiet, clean."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import logging
import threading
import zlib
from typing import TYPE_CHECKING, Any, cast

import pytest

from seqino.sandbox.app import LARGEST_BODY
from seqino.sandbox.reading import InvoiceFile, NoInvoice, read_ahead
from seqino.sandbox.sockets import reset
from tests.sandbox.conftest import INVOICE
from tests.sandbox.wires import connections_of, no_task_is_left, port_of, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from seqino.sandbox import Sandbox

WHO = b"Host: localhost\r\nAuthorization: k\r\nX-PDP-Client-Id: sandbox-client-seqino\r\n"
JSON = b"Content-Type: application/json\r\n"
FORM = b"Content-Type: multipart/form-data; boundary=BB\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
FILE = b'Content-Disposition: form-data; name="file"; filename="a.xml"\r\n\r\n'
HEALTH = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture(autouse=True)
async def stays_up(sandbox: Sandbox, caplog: pytest.LogCaptureFixture) -> AsyncIterator[None]:
    """After whatever a test does: another caller is served, nothing is left under way, no error is logged."""
    yield
    assert await said(sandbox, HEALTH) == 200
    await no_task_is_left()
    assert [one for one in caplog.records if one.levelno >= logging.ERROR] == []


async def said(sandbox: Sandbox, data: bytes) -> int | None:
    """Send bytes; return the status of the first answer, or None where the connection just ends."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port_of(sandbox))
    try:
        writer.write(data)
        line = await asyncio.wait_for(reader.readline(), 120)
    except ConnectionError:
        return None
    finally:
        writer.close()
    return int(line.split()[1]) if line else None


def head(line: bytes, headers: bytes = b"", length: int | None = None) -> bytes:
    if length is not None:
        headers += b"Content-Length: %d\r\n" % length
    return line + b" HTTP/1.1\r\n" + WHO + headers + b"\r\n"


def post(body: bytes, headers: bytes = JSON) -> bytes:
    return head(b"POST /drafts", headers, len(body)) + body


def chunked(body: bytes) -> bytes:
    return head(b"POST /drafts", JSON + CHUNKED) + body


def upload(body: bytes, headers: bytes = FORM) -> bytes:
    return head(b"POST /invoicing/files/submit", headers, len(body)) + body


def form(*parts: bytes) -> bytes:
    return b"".join(b"--BB\r\n" + part + b"\r\n" for part in parts) + b"--BB--\r\n"


# Heads


HEADS: dict[str, tuple[bytes, set[int | None]]] = {
    "many headers": (head(b"GET /clients", b"".join(b"X-%d: a\r\n" % n for n in range(5000))), {400}),
    "a long header": (head(b"GET /clients", b"X: " + b"a" * 1_000_000 + b"\r\n"), {400, None}),
    "a long line": (b"GET /" + b"a" * 1_000_000 + b" HTTP/1.1\r\n\r\n", {400, None}),
    "no line": (b"G" * 1_000_000, {400, None}),
    "zeros": (b"\0" * 1000, {400}),
    "every byte": (bytes(range(256)) * 50, {400}),
    "another protocol": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0" * 100, {400}),
    "no version that exists": (b"GET /clients HTTP/9.9\r\n\r\n", {400}),
    "an upgrade": (head(b"GET /clients", b"Connection: upgrade\r\nUpgrade: h2c\r\n") + b"\xff" * 999, {200}),
    "no text in a header": (head(b"GET /clients", b"X-Sandbox-Fault: \xff\xfe; a=\xff\r\n"), {400}),
    "no text in a key": (b"GET /clients HTTP/1.1\r\nHost: x\r\nAuthorization: \xff\xfe\r\n\r\n", {200}),
    "cookies without end": (head(b"GET /clients", b"Cookie: " + b"=;" * 3000 + b"\xff\r\n"), {200}),
    "a type that is none": (post(b"{}", b"Content-Type: \xff;;;=;charset=\xff\r\n"), {422}),
    "a control character": (head(b"GET /clients", b"X: \x01\r\n"), {400}),
    "a fault without end": (head(b"GET /clients", b"X-Sandbox-Fault: " + b";" * 5000 + b"\r\n"), {400}),
    "a number without end": (
        head(b"GET /clients", b"X-Sandbox-Fault: huge; bytes=" + b"9" * 1500 + b"\r\n"), {400}),
    "pipelined garbage": (head(b"GET /clients") + b"garbage \0\xff\r\n\r\n" * 100, {200, 400}),
    "pipelined requests": (head(b"GET /clients") * 500, {200}),
    "a tunnel": (head(b"CONNECT x:443") + b"\x16\x03\x01", {502}),
    "a tunnel to nowhere": (head(b"CONNECT x:99999999"), {400}),
}  # fmt: skip


@pytest.mark.parametrize("what", HEADS)
async def test_a_hostile_head_is_refused(sandbox: Sandbox, what: str) -> None:
    data, statuses = HEADS[what]
    assert await said(sandbox, data) in statuses


PATHS = {
    b"/drafts/" + b"%25" * 2000: 404,
    b"/drafts/%zz%%%ff%fe%00": 404,
    b"/lifecycle-events?object_type=%ff%00%zz&object_id=%": 422,
    b"/lifecycle-events?" + b"&".join(b"a%d=" % number for number in range(500)): 200,
    b"/drafts/a\0b": 400,
    b"/drafts/\xff\xfe": 400,
    b"/../../etc/passwd": 404,
    b"/" * 5000: 404,
    b"//evil.example:port/clients": 404,
    b"http://evil.example:99999/clients": 400,
    b"http://[::1/clients": 400,
    b"*": 400,
    b"/_sandbox/%00/../world": 404,
}


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path[:30].decode("latin-1"))
async def test_a_hostile_path_is_refused(sandbox: Sandbox, path: bytes) -> None:
    assert await said(sandbox, head(b"GET " + path)) == PATHS[path]


# Bodies


BODIES = {
    "one GB promised": (head(b"POST /drafts", JSON, 2**30), 413),
    "more than can be": (head(b"POST /drafts", JSON + b"Content-Length: " + b"9" * 300 + b"\r\n"), 400),
    "less than nothing": (head(b"POST /drafts", JSON, -5), 400),
    "two lengths": (head(b"POST /drafts", JSON + b"Content-Length: 5\r\n", 6) + b"hello!", 400),
    "a length and chunks": (head(b"POST /drafts", JSON + CHUNKED, 6) + b"0\r\n\r\n", 400),
    "a chunk without a size": (chunked(b"zz\r\n{}\r\n"), 400),
    "chunks that lie": (chunked(b"5\r\n{}\r\n\r\n\r\n\0\xff" * 100), 400),
    "a chunk of all": (chunked(b"f" * 17 + b"\r\n{}"), 400),
    "a long chunk extension": (chunked(b"2;" + b"x" * 100_000 + b"\r\n{}\r\n0\r\n\r\n"), 422),
    "trailers without end": (chunked(b"2\r\n{}\r\n0\r\n" + b"A: b\r\n" * 5000 + b"\r\n"), 400),
    "a byte too many": (post(b" " * (LARGEST_BODY + 1)), 413),
    "a byte too many in chunks": (chunked(b"%x\r\n" % (LARGEST_BODY + 1) + b" " * (LARGEST_BODY + 1)), 413),
    "no gzip": (post(b"{}", JSON + b"Content-Encoding: gzip\r\n"), 400),
    "a gzip bomb": (post(gzip.compress(b" " * 200_000_000, 1), JSON + b"Content-Encoding: gzip\r\n"), 413),
    "deep JSON": (post(b'{"a":' * 10_000 + b"1" + b"}" * 10_000), 422),
    "deep lists": (post(b"[" * 10_000 + b"]" * 10_000), 422),
    "JSON deeper than any invoice": (post(b'{"x":' + b'{"a":' * 200 + b"1" + b"}" * 201), 422),
    "JSON too deep to judge": (post(b'{"x":' + b'{"a":' * 500 + b"1" + b"}" * 501), 422),
    "values without end": (post(b'{"lines":[' + b"{}," * 5_000_000 + b"{}]}"), 422),
    "many problems": (post(b'{"lines":[' + b"{}," * 100_000 + b"{}]}"), 422),
    "many equal keys": (post(b'{"a":1,' + b'"a":1,' * 100_000 + b'"b":2}'), 422),
    "a long number": (post(b'{"total_vat_amount":' + b"9" * 5000 + b"}"), 422),
    "a number without bounds": (post(b'{"total_vat_amount":1e999999999}'), 422),
    "no UTF-8": (post(b'{"note":"\xff\xfe"}'), 422),
    "half a character": (post(b'{"note":"\\ud800"}'), 422),
    "zeros in text": (post(b'{"note":"\\u0000", "\\u0000":1}'), 422),
    "deep JSON for the control API": (head(b"POST /_sandbox/clock", JSON, 20_000) + b"[" * 20_000, 422),
    "a long name": (
        head(b"POST /_sandbox/faults", JSON, 1_000_012) + b'{"fault":"' + b"a-" * 500_000 + b'"}', 400),
    "a long operation": (
        head(b"POST /_sandbox/faults", JSON, 1_000_040)
        + b'{"fault":"hang-before", "operation":"' + b"xy" * 500_000 + b'" }', 400),
}  # fmt: skip


@pytest.mark.parametrize("what", BODIES)
async def test_a_hostile_body_is_refused(sandbox: Sandbox, what: str) -> None:
    data, status = BODIES[what]
    assert await said(sandbox, data) == status
    assert sandbox.counters.drafts_created == 0


@pytest.mark.parametrize(
    "begun",
    [
        head(b"POST /drafts", JSON, 50) + b"{}",
        chunked(b"5\r\n{}"),
        head(b"POST /invoicing/files/submit", FORM, 500) + b"--BB\r\n" + FILE + b"<a/>",
    ],
    ids=["by length", "chunked", "multipart"],
)
async def test_whoever_ends_a_body_early_gets_no_answer_and_has_no_effect(
    sandbox: Sandbox, begun: bytes
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port_of(sandbox))
    writer.write(begun)
    writer.write_eof()
    assert await reader.read() == b""
    writer.close()
    await no_task_is_left()
    assert sandbox.counters.drafts_created == sandbox.counters.files_taken == 0


async def test_more_values_than_an_invoice_has_are_not_judged_and_more_problems_not_told(call: Any) -> None:
    headers = {"Content-Type": "application/json"}
    start = (
        json.dumps(INVOICE)
        .encode()
        .replace(b'"lines": [', b'"lines": [' + b'{"line_net_amount": []},' * 2000)
    )
    for body, told in ((b"[" + b"1," * 500_001 + b"1]", 1), (start, 1000)):
        reply = await call("POST", "/drafts", data=io.BytesIO(body), headers=headers)
        assert len(reply.body["detail"]) == told
        assert (reply.body["detail"][0]["type"] == "too_long") == (told == 1)


async def test_a_draft_can_be_as_deep_as_any_is(sandbox: Sandbox) -> None:
    deep = json.dumps(INVOICE).encode()[:-1] + b',"x":' + b'{"a":' * 190 + b"1" + b"}" * 191
    assert await said(sandbox, post(deep)) == 201
    (draft_id,) = sandbox.world.sponsors[0].clients["sandbox-client-seqino"].drafts
    for line in (b"GET /drafts/%s", b"POST /drafts/%s/validate", b"GET /drafts/%s"):
        assert await said(sandbox, head(line % draft_id.encode(), length=0)) == 200


# Forms


MIXED = b"Content-Type: multipart/mixed; boundary=C%d\r\n\r\n--C%d\r\n"

FORMS = {
    "a byte too many": (form(FILE + b"x" * (LARGEST_BODY + 1)), 413),
    "no end": (form(FILE + b"x")[:-8], 400),
    "half a head": (b'--BB\r\nContent-Disposition: form-data; name="fi', 400),
    "no boundary": (b"x" * 100_000, 400),
    "many parts": (form(*[b'Content-Disposition: form-data; name="a"\r\n\r\nv'] * 20_000), 400),
    "many files": (form(*[FILE + b"v"] * 5000), 400),
    "many headers": (form(b"".join(b"X-%d: a\r\n" % number for number in range(5000)) + FILE + b"v"), 400),
    "a long header": (form(b"X: " + b"a" * 1_000_000 + b"\r\n" + FILE + b"v"), 400),
    "a header that is none": (form(b"no colon\r\n" + FILE + b"v"), 400),
    "no base64": (form(b"Content-Transfer-Encoding: base64\r\n" + FILE + b"\xff\xfe!!"), 400),
    "an unknown encoding": (form(b"Content-Transfer-Encoding: weird\r\n" + FILE + b"v"), 400),
    "no length": (form(b"Content-Length: 99999999\r\n" + FILE + b"v"), 400),
    "a form in a form": (form(MIXED % (1, 1) + FILE + b"\r\n--C1--"), 422),
    "forms in forms": (form(b"".join(MIXED % (number, number) for number in range(3000))), 400),
    "a name that is no text": (form(FILE.replace(b"a.xml", b"\xff\xfe\0") + b"v"), 400),
    "a name in no encoding": (form(FILE.replace(b'="a.xml"', b"*=utf-99''%ff") + b"v"), 400),
    "a name that climbs": (form(FILE.replace(b"a.xml", b"../" * 2000) + b"v"), 400),
}  # fmt: skip


@pytest.mark.parametrize("what", FORMS)
async def test_a_hostile_form_is_refused(sandbox: Sandbox, what: str) -> None:
    data, status = FORMS[what]
    assert await said(sandbox, upload(data)) == status
    assert sandbox.counters.files_taken == 0


@pytest.mark.parametrize("boundary", [b"", b"; boundary=", b"; boundary=" + b"x" * 2000, b"; boundary=\xff"])
async def test_a_form_without_a_boundary_is_refused(sandbox: Sandbox, boundary: bytes) -> None:
    headers = b"Content-Type: multipart/form-data" + boundary + b"\r\n"
    assert await said(sandbox, upload(b"--BB\r\n\r\n", headers)) == 400


async def test_a_form_in_broken_chunks_is_refused(sandbox: Sandbox) -> None:
    assert await said(sandbox, head(b"POST /invoicing/files/submit", FORM + CHUNKED) + b"zz\r\n{}\r\n") == 400


async def test_a_large_file_in_chunks_is_refused(sandbox: Sandbox) -> None:
    data = form(FILE + b"x" * (LARGEST_BODY + 1))
    chunk = b"%x\r\n" % len(data) + data + b"\r\n0\r\n\r\n"
    assert await said(sandbox, head(b"POST /invoicing/files/submit", FORM + CHUNKED) + chunk) == 413


async def test_a_fault_of_ours_is_logged(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object, **__: object) -> str:
        raise ArithmeticError("this is a bug")

    with monkeypatch.context() as patch:
        patch.setattr("seqino.sandbox.app.authenticate", fail)
        assert await said(sandbox, head(b"GET /clients")) == 500
    assert "this is a bug" in caplog.text
    caplog.clear()


# Files


def pdf(stream: bytes, filters: bytes = b"/FlateDecode") -> bytes:
    """A PDF that carries a stream under the name of an invoice."""
    objects = (
        b"<</Type/Catalog/Pages 2 0 R/Names<</EmbeddedFiles<</Names[(factur-x.xml)3 0 R]>>>>>>",
        b"<</Type/Pages/Kids[]/Count 0>>",
        b"<</Type/Filespec/F(factur-x.xml)/UF(factur-x.xml)/EF<</F 4 0 R>>>>",
        b"<</Type/EmbeddedFile/Filter%s/Length %d>>stream\n%s\nendstream" % (filters, len(stream), stream),
    )
    data, places = io.BytesIO(b"%PDF-1.7\n"), list[int]()
    data.seek(0, io.SEEK_END)
    for number, one in enumerate(objects, 1):
        places.append(data.tell())
        data.write(b"%d 0 obj\n%s\nendobj\n" % (number, one))
    table = data.tell()
    data.write(
        b"xref\n0 5\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % place for place in places)
    )
    data.write(b"trailer<</Size 5/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % table)
    return data.getvalue()


def bomb(megabytes: int) -> bytes:
    """White space that is a thousand times smaller when it is packed."""
    packer = zlib.compressobj(9)
    return b"".join(packer.compress(b" " * 1_000_000) for _ in range(megabytes)) + packer.flush()


CYCLE = b"1 0 obj<</Type/Catalog/Names<</EmbeddedFiles 2 0 R>>>>endobj\n2 0 obj<</Kids[2 0 R 2 0 R]>>endobj\n"
FILES: dict[str, Callable[[], bytes]] = {
    "a PDF bomb": lambda: pdf(bomb(150)),
    "a PDF bomb in a PDF bomb": lambda: pdf(zlib.compress(bomb(150)), b"[/FlateDecode/FlateDecode]"),
    "half a PDF": lambda: pdf(bomb(150))[:100_000],
    "a PDF of nothing but beginnings": lambda: b"%PDF-1.7\n" + b"1 0 obj <<" * 100_000,
    "a PDF of brackets": lambda: b"%PDF-1.7\n" + b"[(" * 300_000,
    "a PDF that leads to itself": lambda: (
        b"%PDF-1.7\n" + CYCLE + b"trailer<</Root 1 0 R/Size 3>>\nstartxref\n0\n%%EOF"
    ),
    "a PDF of runs": lambda: pdf(b"\x81 " * 1_000_000 + b"\x80", b"/RunLengthDecode"),
    "entities that grow": lambda: (
        b'<!DOCTYPE a [<!ENTITY b "bbbbbbbbbb"><!ENTITY c "&b;&b;&b;&b;&b;&b;">]><a>&c;</a>'
    ),
    "an entity from a file": lambda: b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
    "elements without end": lambda: b"<a>" + b"<b/>" * 100_001 + b"</a>",
    "deep elements": lambda: b"<a>" * 100_000,
    "a long name": lambda: b"<" + b"a" * 5_000_000 + b"/>",
    "attributes without end": lambda: (
        b"<a " + b" ".join(b'b%d="1"' % number for number in range(100_000)) + b"/>"
    ),
    "zeros": lambda: b"\0" * 1_000_000,
    "no encoding": lambda: b'<?xml version="1.0" encoding="utf-99"?><a/>',
    "no text": lambda: b"<a>\xff\xfe</a>",
}


@pytest.mark.parametrize("what", FILES)
async def test_a_hostile_file_is_refused(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    monkeypatch.setattr("seqino.sandbox.reading._MOST_TAGS", 100_000)
    assert await said(sandbox, upload(form(FILE + FILES[what]()))) == 400
    assert sandbox.counters.files_taken == 0


@pytest.mark.parametrize("start", [b"%PDF-1.7", b" " * 300_000], ids=["PDF", "large"])
async def test_a_file_that_takes_long_to_read_holds_up_nobody(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, start: bytes
) -> None:
    may_end = threading.Event()

    def slow(data: bytes) -> InvoiceFile | NoInvoice:
        assert may_end.wait(120)
        return read_ahead(data)

    monkeypatch.setattr("seqino.sandbox.uploads.read_ahead", slow)
    reading = asyncio.create_task(said(sandbox, upload(form(FILE + start))))
    for _ in range(10):
        assert await said(sandbox, HEALTH) == 200
    assert not reading.done()
    may_end.set()
    assert await reading == 400


async def test_a_large_file_that_is_sound_is_taken_once(
    call: Any, sandbox: Sandbox, ubl: Callable[..., bytes]
) -> None:
    large = ubl() + b"<!--" + b"x" * 300_000 + b"-->"
    assert (await call.send_file(large)).body["file_size"] == len(large)
    assert (sandbox.counters.files_taken, sandbox.counters.invoices_created) == (1, 1)


# Many at once


async def test_callers_who_stall_hold_up_nobody(sandbox: Sandbox) -> None:
    beginnings = (
        b"G",
        b"GET /clients HTTP/1.1\r\nX: ",
        head(b"POST /drafts", JSON, 99) + b"{",
        upload(form(FILE))[:-9],
    )
    stalling = [await asyncio.open_connection("127.0.0.1", port_of(sandbox)) for _ in range(300)]
    for number, (_, writer) in enumerate(stalling):
        writer.write(beginnings[number % len(beginnings)])
    for _ in range(20):
        assert await said(sandbox, post(json.dumps(INVOICE).encode())) == 201
    assert sandbox.counters.drafts_created == 20
    for _, writer in stalling:
        writer.close()


async def test_many_callers_at_once_are_all_served(sandbox: Sandbox) -> None:
    body = post(json.dumps(INVOICE).encode())
    assert await asyncio.gather(*(said(sandbox, body) for _ in range(300))) == [201] * 300
    assert sandbox.counters.drafts_created == 300


async def test_callers_who_leave_at_once_are_forgotten(sandbox: Sandbox) -> None:
    body = post(json.dumps(INVOICE).encode())
    for number in range(200):
        _, writer = await asyncio.open_connection("127.0.0.1", port_of(sandbox))
        writer.write(body[: number * 10])
        if number % 3:
            reset(writer.transport)
        writer.close()
    assert sandbox.counters.drafts_created <= 200


async def test_who_never_reads_an_answer_does_not_stop_it_from_stopping(sandbox: Sandbox) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", port_of(sandbox))
    cast("asyncio.Transport", writer.transport).pause_reading()
    writer.write(head(b"GET /_sandbox/faults") * 3000)
    await until(lambda: any(one.wire.get_write_buffer_size() for one in connections_of(sandbox)))
    connections = connections_of(sandbox)
    await sandbox.stop()
    assert all(one.lost.done() for one in connections)
    await sandbox.start()
    writer.close()


LONG = "long-" * 200_000
REPEATED = {
    "a path": head(b"GET /clients/" + b"x" * 5000),
    "a name": post(b'{"lines": [{"' + LONG.encode() + b'": 1}], "' + LONG.encode() + b'": []}'),
    "a value": post(b'{"issue_date": "' + LONG.encode() + b'"}'),
    "a namespace": upload(form(FILE + b'<a xmlns="' + LONG.encode() + b'"/>')),
    "a file name": upload(form(FILE.replace(b"a.xml", LONG.encode()[:7000]) + b"<a/>")),
    "a name for the control API": head(b"POST /_sandbox/clock", JSON, len(LONG) + 6)
    + b'{"' + LONG.encode() + b'":1}',
}  # fmt: skip


@pytest.mark.parametrize("what", REPEATED)
async def test_an_error_repeats_no_more_than_the_beginning_of_what_was_sent(
    sandbox: Sandbox, what: str
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port_of(sandbox))
    writer.write(REPEATED[what].replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1))
    answer = await asyncio.wait_for(reader.read(), 120)
    writer.close()
    assert answer.startswith((b"HTTP/1.1 4", b"HTTP/1.1 201"))
    assert len(answer) < 6000


async def test_the_reason_of_a_rejection_is_no_longer_than_a_reason(
    call: Any, sandbox: Sandbox, ubl: Callable[..., bytes]
) -> None:
    sent = await call.send_file(ubl(total="1" * 100_000))
    sandbox.clock.advance(60)
    reply = await call("GET", f"/lifecycle-events?object_type=invoice&object_id={sent.body['invoice_id']}")
    assert 100 < len(reply.body[-1]["reason"]) <= 2000
