"""Hostile bytes on a real connection: what a client library would never send."""

import asyncio
import socket
import threading
import time

import pytest
import uvicorn

from perfcalc.web import patience
from perfcalc.web.app import create_app
from perfcalc.web.settings import Settings
from web.hostile import INSIDE
from web.live import Live, answer_of, free_port, live

HOST = b"Host: localhost\r\n"
END = b"Connection: close\r\n\r\n"
FORM = b"Content-Type: multipart/form-data; boundary=x\r\n"
PART = b'--x\r\ncontent-disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with live(tmp_path_factory.mktemp("wire") / "data", "--max-upload", "1", "--workers", "1") as server:
        yield server


#: What is sent, and the statuses with which it may be answered (0: the connection is closed without a word).
LINES = {
    "no Host": (b"GET /api/health HTTP/1.1\r\n" + END, {400}),
    "no Host, as HTTP/1.0 may": (b"GET /api/health HTTP/1.0\r\n\r\n", {421}),
    "two Hosts": (b"GET /api/health HTTP/1.1\r\n" + HOST + b"Host: evil.example\r\n" + END, {400, 421}),
    "an empty Host": (b"GET /api/health HTTP/1.1\r\nHost:\r\n" + END, {421}),
    "a rebound name": (b"GET /api/health HTTP/1.1\r\nHost: evil.example:8000\r\n" + END, {421}),
    "an absolute address of elsewhere": (b"GET http://evil.example/api/health HTTP/1.1\r\n" + HOST + END, {404}),
    "an absolute address, and a strange Host": (b"GET http://localhost/api/health HTTP/1.1\r\nHost: evil.example\r\n" + END, {421}),
    "a tunnel": (b"CONNECT evil.example:443 HTTP/1.1\r\n" + HOST + END, {400, 404, 405}),
    "everything": (b"OPTIONS * HTTP/1.1\r\n" + HOST + END, {404, 405}),
    "two slashes": (b"GET //evil.example/ HTTP/1.1\r\n" + HOST + END, {404}),
    "TRACE": (b"TRACE / HTTP/1.1\r\nCookie: perfcalc=secret\r\n" + HOST + END, {405}),
    "no HTTP": (b"HELO there\r\n\r\n", {400}),
    "a greeting of TLS": (b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03" + b"\xaa" * 40 + b"\r\n\r\n", {400}),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {400, 404, 405, 421}),
    "an upgrade to a websocket": (
        b"GET / HTTP/1.1\r\n" + HOST + b"Connection: Upgrade, close\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", {200},
    ),
    "a blank before the colon": (b"GET / HTTP/1.1\r\nHost : localhost\r\n" + END, {400}),
    "a NUL byte in a header": (b"GET / HTTP/1.1\r\n" + HOST + b"X: a\0b\r\n" + END, {400}),
    "a line break in a header": (b"GET / HTTP/1.1\r\n" + HOST + b"X: a\rSet-Cookie: b\r\n" + END, {400}),
    "a line break in the address": (b"GET /language?code=en&back=/%0d%0aSet-Cookie:%20x=y HTTP/1.1\r\n" + HOST + END, {303}),
    "very many headers": (b"GET / HTTP/1.1\r\n" + HOST + b"".join(b"X-%d: y\r\n" % n for n in range(200)) + END, {431}),
    "a very long header": (b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"y" * 20_000 + b"\r\n" + END, {431}),
    "a header without end": (b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"y" * 200_000, {400}),
    "a very long address": (b"GET /?" + b"y" * 12_000 + b" HTTP/1.1\r\n" + HOST + END, {414}),
    "an address without end": (b"GET /?" + b"y" * 200_000, {400}),
    "a length below zero": (b"POST /api/jobs HTTP/1.1\r\nContent-Length: -5\r\n" + HOST + END, {400}),
    "two lengths": (b"POST /api/jobs HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n" + HOST + END, {400}),
    "a length and chunks": (
        b"POST /api/jobs HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n" + HOST + END + b"0\r\n\r\nGET /evil HTTP/1.1\r\n\r\n",
        {400, 422},
    ),
    "an unknown encoding of the body": (b"POST /api/jobs HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n" + HOST + END, {400, 501}),
    "a chunk that lies": (b"POST /api/jobs HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" + HOST + FORM + END + b"zz\r\nname\r\n", {400}),
    "a length beyond the limit": (b"POST /api/jobs HTTP/1.1\r\nContent-Length: 99999999999\r\n" + HOST + FORM + END, {413}),
    "chunks beyond the limit": (
        b"POST /api/jobs HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" + HOST + FORM + END
        + b"%x\r\n" % len(PART) + PART + b"\r\n" + (b"10000\r\n" + b"n" * 65536 + b"\r\n") * 40, {413},
    ),
    "less than it said": (b"POST /api/jobs HTTP/1.1\r\nContent-Length: 500\r\n" + HOST + FORM + END + PART, None),
}  # fmt: skip


@pytest.mark.parametrize("what", [what for what, (_, statuses) in LINES.items() if statuses])
def test_bytes_that_are_no_request(server, what):
    data, statuses = LINES[what]
    got = server.talk(data, wait=20)
    status, headers, body = answer_of(got)
    assert status in statuses, got[:300]
    assert got.count(b"HTTP/1.1 ") == 1  # and nothing smuggled behind it
    assert not [word for word in INSIDE if word.encode() in body]
    assert "set-cookie" not in headers or headers["set-cookie"].startswith("language=en")
    assert b"secret" not in body
    assert "server" not in headers
    assert server.get("/api/health")[0] == 200


def test_an_upload_that_breaks_off_leaves_nothing(server):
    data, _ = LINES["less than it said"]
    with socket.create_connection(("127.0.0.1", server.port)) as line:
        line.sendall(data)
    assert server.get("/api/health")[0] == 200
    assert server.upload("a.csv", b"name\nA\n")[0] == 201


def test_whoever_goes_away_before_the_answer_leaves_nothing(server):
    def jobs():
        return len(list((server.folder / "jobs").iterdir()))

    before = jobs()
    body = PART + b"name,fp16_tflops\nA,300\n\r\n--x--\r\n"
    head = b"POST /api/score HTTP/1.1\r\nContent-Length: %d\r\n" % len(body)
    with socket.create_connection(("127.0.0.1", server.port)) as line:
        line.sendall(head + HOST + FORM + END + body)
        end = time.monotonic() + 30
        while jobs() == before and time.monotonic() < end:
            time.sleep(0.01)
    assert jobs() == before + 1
    while jobs() > before and time.monotonic() < end:
        time.sleep(0.05)
    assert jobs() == before


def test_a_connection_that_goes_silent_is_closed(monkeypatch, tmp_path):
    """Before a head, in the middle of one, and between two requests."""
    monkeypatch.setattr(patience, "HEAD_SECONDS", 0.4)
    port = free_port()
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(Settings(tmp_path, ready=False)),
            port=port,
            http=patience.Protocol,
            timeout_keep_alive=1,
            log_level="error",
            ws="none",
        )
    )
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()))
    thread.start()
    try:
        while not server.started:
            time.sleep(0.02)
        one = Live.__new__(Live)
        one.port = port
        whole = b"GET /api/health HTTP/1.1\r\n" + HOST + b"\r\n"
        assert one.talk(wait=20) == b""
        assert one.talk(b"GET /api/hea", wait=20) == b""
        assert one.talk(whole, b"GET /api/hea", pause=0.2, wait=20).count(b"200 OK") == 1
        assert one.talk(*(b"X" for _ in range(8)), pause=0.2, wait=20) == b""
        assert one.talk(whole, whole, whole, pause=0.3, wait=20).count(b"200 OK") == 3
    finally:
        server.should_exit = True
        thread.join()
