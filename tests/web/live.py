"""A server of its own process on a port of this machine, as `perfcalc serve` starts it; to be talked to byte by byte."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import perfcalc

ROOT = Path(perfcalc.__file__).parent.parent
LONGEST_START = 60


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


class Live:
    """The process, and requests to it."""

    def __init__(self, folder, *options):
        self.folder, self.port = folder, free_port()
        self.log = (folder.parent / f"{folder.name}.log").open("ab")
        told = ["serve", "--port", str(self.port), "--data", str(folder), *options]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "perfcalc.cli", *told],
            stdout=self.log,
            stderr=self.log,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
        )
        end = time.monotonic() + LONGEST_START
        while self.process.poll() is None and time.monotonic() < end:
            try:
                if self.get("/api/health")[0] == 200:
                    return
            except OSError:
                time.sleep(0.05)
        self.kill()
        raise RuntimeError("the server does not start: " + Path(self.log.name).read_text("utf-8"))

    def kill(self):
        """As a machine does that runs out of memory: without a word."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.log.close()

    def talk(self, *parts, pause=0.0, wait=60.0):
        """Send bytes as they are, and read until the server closes; that it does not is an error."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=wait) as line:
            try:
                for part in parts:
                    line.sendall(part)
                    time.sleep(pause)
            except (BrokenPipeError, ConnectionResetError):
                pass  # it has said enough before the end
            got = b""
            try:
                while block := line.recv(1 << 16):
                    got += block
            except ConnectionResetError:
                pass
            return got

    def ask(self, method, path, body=b"", kind="application/json"):
        """Status, headers and body of one request."""
        head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        if body:
            head += f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
        return answer_of(self.talk(f"{head}\r\n".encode(), body, wait=600))

    def get(self, path):
        return self.ask("GET", path)

    def json(self, method, path, body=None):
        status, _, got = self.ask(method, path, b"" if body is None else json.dumps(body).encode())
        assert status < 400, (status, got[:300])
        return json.loads(got)

    def upload(self, name, data, path="/api/jobs"):
        head = f'--x\r\ncontent-disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode()
        return self.ask("POST", path, head + data + b"\r\n--x--\r\n", "multipart/form-data; boundary=x")

    def score(self, name, data, **asked):
        """Upload and start scoring: the address of the run."""
        status, _, got = self.upload(name, data)
        assert status == 201, (status, got[:300])
        job = json.loads(got)["id"]
        run = self.json("POST", f"/api/jobs/{job}/runs", {"as_of": "2026-11-23"} | asked)["id"]
        return f"/api/jobs/{job}/runs/{run}"

    def ended(self, run):
        """Its last word."""
        self.get(f"{run}/events")
        return self.json("GET", run)


def answer_of(got):
    """Status, headers and body of an answer; chunks are joined."""
    if not got:
        return 0, {}, b""
    head, _, body = got.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    if headers.get("transfer-encoding") == "chunked":
        rest, body = body, b""
        while rest:
            size, _, rest = rest.partition(b"\r\n")
            body, rest = body + rest[: int(size or b"0", 16)], rest[int(size or b"0", 16) + 2 :]
    return int(first.split()[1]), headers, body


@contextmanager
def live(folder, *options):
    server = Live(folder, *options)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.process.terminate()
            try:
                server.process.wait(20)
            except subprocess.TimeoutExpired:
                server.process.kill()
                server.process.wait()
        server.log.close()
