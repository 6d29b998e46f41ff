"""Who is let in, and what every answer carries."""

import httpx2
import pytest
from click.testing import CliRunner
from starlette.testclient import TestClient

from perfcalc.cli import main
from perfcalc.errors import InputError
from perfcalc.web.app import create_app
from perfcalc.web.guard import session
from perfcalc.web.settings import Settings
from web.conftest import running

TOKEN = "a-token-of-some-length"


@pytest.fixture(scope="module")
def closed(tmp_path_factory):
    with running(
        tmp_path_factory.mktemp("closed"), host="10.1.2.3", token=TOKEN, names=("chips.example.org",)
    ) as client:
        yield client


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8000", 200),
        ("localhost", 200),
        ("[::1]:8000", 200),
        ("evil.example", 421),
        ("127.0.0.1.evil.example:8000", 421),
        ("localhost.evil.example", 421),
        ("localhost:8000@evil.example", 421),
        ("192.168.1.9:8000", 421),
        ("", 421),
        ("127.0.0.1:8000, evil.example", 421),
    ],
)
def test_host(client, host, status):
    answer = client.get("/api/health", headers={"host": host})
    assert answer.status_code == status
    assert status == 200 or answer.json()["remedy"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 422),
        ({"origin": "http://127.0.0.1:8000", "sec-fetch-site": "same-origin"}, 422),
        ({"origin": "http://127.0.0.1:9000"}, 403),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}, 403),
    ],
)
def test_another_site_changes_nothing(client, headers, status):
    assert client.post("/upload", headers=headers, data={"then": "score"}).status_code == status


def test_another_site_may_link_but_not_read(client):
    assert client.get("/", headers={"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}).status_code == 200
    assert (
        client.get("/api/book", headers={"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}).status_code
        == 403
    )


@pytest.mark.parametrize("path", ["/", "/api/book", "/jobs/nothing", "/static/page.css", "/api/score"])
def test_every_answer_carries_its_headers(client, path):
    headers = client.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "*" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"
    assert "server" not in headers


def test_refusals_carry_them_too(client):
    assert client.get("/", headers={"host": "evil.example"}).headers["x-content-type-options"] == "nosniff"


def test_token(closed):
    host = {"host": "chips.example.org"}
    assert closed.get("/api/book", headers=host).status_code == 401
    assert closed.get("/", headers=host).headers["location"] == "/login"
    assert closed.get("/login", headers=host).status_code == 200
    for given, status in ((TOKEN, 200), (TOKEN[:-1], 401), (f"{TOKEN}x", 401), ("", 401), ("ü", 401)):
        headers = [(b"host", b"10.1.2.3"), (b"authorization", f"Bearer {given}".encode())]
        assert closed.get("/api/book", headers=httpx2.Headers(headers)).status_code == status
    for given, status in ((session(TOKEN), 200), (TOKEN, 401), ("x", 401)):
        assert closed.get("/api/book", headers=host | {"cookie": f"perfcalc={given}"}).status_code == status
    assert closed.get("/", headers={"host": "other.example.org"}).status_code == 421


def test_signing_in(closed):
    host = {"host": "chips.example.org"}
    assert closed.post("/login", data={"token": "wrong"}, headers=host).status_code == 401
    answer = closed.post("/login", data={"token": TOKEN}, headers=host)
    cookie = answer.headers["set-cookie"]
    assert answer.status_code == 303
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert TOKEN not in cookie
    closed.cookies.clear()


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "example.org", "::"])
def test_no_other_host_without_a_token(tmp_path, host):
    with pytest.raises(InputError, match="token"):
        Settings(tmp_path, host)
    done = CliRunner().invoke(main, ["serve", "--host", host, "--data", str(tmp_path)])
    assert done.exit_code == 2
    assert "remedy" in done.output


def test_a_token_has_some_length(tmp_path):
    with pytest.raises(InputError, match="characters"):
        Settings(tmp_path, token="short")


@pytest.mark.parametrize(
    ("headers", "path", "status"),
    [
        ({f"x-{n}": "1" for n in range(80)}, "/", 431),
        ({"x-long": "a" * 20_000}, "/", 431),
        ({}, f"/?search={'a' * 9_000}", 414),
        ({"content-length": "-1"}, "/api/score", 400),
        ({"content-length": "9" * 30}, "/api/score", 400),
    ],
)
def test_sizes_of_requests(client, headers, path, status):
    answer = client.request("POST" if "score" in path else "GET", path, headers=headers)
    assert answer.status_code == status
    assert answer.text


def test_a_body_is_counted_not_believed(strict):
    """Chunks without a length are cut off at the limit, and a small request has a small body."""

    def chunks():
        yield b'--x\r\ncontent-disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
        for _ in range(40):
            yield b"name\n" * 2000

    answer = strict.post("/api/jobs", content=chunks(), headers={"content-type": "multipart/form-data; boundary=x"})
    assert answer.status_code == 413
    assert "larger than 0.1907 MiB" in answer.json()["error"]
    answer = strict.post("/api/jobs", files={"file": ("a.csv", b"name\n" * 100_000)})
    assert answer.status_code == 413
    assert strict.put("/api/jobs/x/mapping", content=b"{" + b" " * 2_000_000 + b"}").status_code == 413


def test_no_answer_tells_how_the_server_is_made(tmp_path, monkeypatch):
    app = create_app(Settings(tmp_path))

    @app.get("/api/broken")
    def broken():
        raise RuntimeError("the secret of /home/user")

    with TestClient(app, base_url="http://localhost", raise_server_exceptions=False) as client:
        answer = client.get("/api/broken")
    assert answer.status_code == 500
    assert set(answer.json()) == {"error", "remedy"}
    assert "secret" not in answer.text
