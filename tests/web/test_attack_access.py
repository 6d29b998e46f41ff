"""Who would like to get in without the token, to be sent elsewhere, or to keep the server waiting."""

import asyncio

import pytest

from perfcalc.web import guard
from perfcalc.web.settings import Settings
from web.conftest import running
from web.hostile import SHEET, assert_clean

TOKEN = "a-token-of-some-length"


@pytest.fixture(scope="module")
def closed(tmp_path_factory):
    with running(tmp_path_factory.mktemp("closed"), token=TOKEN) as client:
        yield client


@pytest.mark.parametrize(
    ("headers", "path"),
    [
        ({}, "/api/book"), ({}, f"/api/book?token={TOKEN}"), ({"authorization": TOKEN}, "/api/book"),
        ({"authorization": f"Basic {TOKEN}"}, "/api/book"), ({"authorization": "Bearer"}, "/api/book"),
        ({"authorization": "Bearer " + "x" * 9000}, "/api/book"), ({"x-token": TOKEN}, "/api/book"),
        ({"cookie": f"perfcalc={TOKEN}"}, "/api/book"), ({"cookie": 'perfcalc="\\"'}, "/api/book"),
        ({"cookie": "=;;=,perfcalc"}, "/api/book"), ({}, "/api/health/../book"), ({}, "/static/page.css/../../api/book"),
        ({}, "/login/../api/book"), ({}, "/api/openapi.json"), ({}, "/API/book"),
    ],
)  # fmt: skip
def test_nothing_but_the_token_opens(closed, headers, path):
    answer = closed.get(path, headers=headers)
    assert answer.status_code == 401 or (answer.status_code, answer.headers.get("location")) == (303, "/login")
    assert TOKEN not in answer.text


def test_no_upload_is_read_before_the_token(closed):
    assert_clean(closed.post("/api/score", files={"file": ("a.csv", SHEET)}), 401)
    assert closed.app.state.house.store.used() == (0, 0)


@pytest.mark.parametrize(
    "back",
    [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "/x\r\nset-cookie: a=b",
        "\t//evil",
        "javascript:alert(1)",
    ],
)
def test_no_redirect_leaves_the_server_or_splits_its_answer(client, back):
    answer = client.get("/language", params={"code": "en", "back": back})
    assert answer.headers["location"] == "/"
    assert answer.headers["set-cookie"].startswith("language=en")
    client.cookies.clear()
    assert client.get("/template/x%0d%0aevil: 1.csv").headers.get("evil") is None
    assert client.get("/language?code=e%0a&back=/").status_code == 422


def told(messages, pauses, path="/api/jobs"):
    """What the guard answers to a body that arrives in these parts, with these pauses."""
    sent = []

    async def app(_scope, receive, send):
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def receive():
        await asyncio.sleep(pauses.pop(0) if pauses else 0)
        return {"type": "http.request", "body": messages.pop(0), "more_body": bool(messages)}

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http", "method": "POST", "path": path, "raw_path": path.encode(), "query_string": b"",
        "headers": [(b"host", b"localhost")],
    }  # fmt: skip
    asyncio.run(guard.Guard(app, Settings(None))(scope, receive, send))
    return sent[0]["status"]


def test_an_upload_must_go_on_arriving(monkeypatch):
    monkeypatch.setattr(guard, "SILENCE_SECONDS", 0.2)
    assert told([b"x", b"y"], [0, 30]) == 408
    assert told([b"x"] * 200, [0.01] * 200) == 408  # never silent, but a byte at a time
    assert told([b"x" * 4096] * 30, [0.01] * 30) == 200
