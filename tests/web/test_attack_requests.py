"""Hostile requests, each with its clean answer. What only a real connection shows is in test_attack_wire."""

import json
import re

import pytest

from perfcalc.errors import InputError
from perfcalc.sheets.mapping import load_mapping
from web.conftest import scored, upload
from web.hostile import INSIDE, SHEET, assert_clean


@pytest.fixture(scope="module")
def job(client):
    return upload(client, "a.csv", SHEET)


@pytest.fixture(scope="module")
def run(client, job):
    return scored(client, job)["id"]


JSON = {"content-type": "application/json"}
OWN = "http://127.0.0.1:8000"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "[::1].evil.example"}, 421),
        ({"host": "[::1"}, 421),
        ({"host": "127.0.0.1:8000:80"}, 421),
        ({"host": "localhost\uff0eevil".encode()}, 421),
        ({"host": "localhost."}, 421),
        ({"host": "0.0.0.0:8000"}, 421),
        ({"host": "2130706433"}, 421),
        ({"host": "rebound.evil.example:8000"}, 421),
        ({"x-forwarded-host": "evil.example", "forwarded": "host=evil.example"}, 200),
    ],
)
def test_names_under_which_no_server_answers(client, headers, status):
    answer = client.get("/api/health", headers=headers)
    assert answer.status_code == status
    assert "evil" not in answer.text


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://[evil"},
        {"origin": "http://127.0.0.1:8000.evil.example"},
        {"origin": "http://127.0.0.1:8000@evil.example"},
        {"origin": "file://"},
        {"origin": ""},
        {"referer": "https://evil.example/form"},
        {"referer": "http://[evil"},
        {"sec-fetch-site": "cross-site", "origin": OWN},
        {"sec-fetch-site": "nonsense"},
    ],
)
def test_what_another_site_sends_changes_nothing(client, job, headers):
    for method, path in (("POST", "/upload"), ("DELETE", f"/api/jobs/{job}"), ("POST", f"/jobs/{job}/delete")):
        assert_clean(client.request(method, path, headers=headers), 403)
    assert client.get(f"/api/jobs/{job}").status_code == 200


def test_no_other_site_is_told_that_it_may_ask(client):
    asked = {"origin": "https://evil.example", "access-control-request-method": "POST"}
    for headers in (asked, asked | {"sec-fetch-site": "cross-site", "sec-fetch-mode": "cors"}):
        answer = client.options("/api/score", headers=headers)
        assert answer.status_code in {403, 405}
        assert not [name for name in answer.headers if name.startswith("access-control")]
    assert "access-control-allow-origin" not in client.get("/api/book", headers=asked).headers


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/score"), ("DELETE", "/api/score"), ("PUT", "/api/jobs"), ("TRACE", "/"), ("OPTIONS", "/"),
        ("PATCH", "/api/health"), ("EVIL", "/api/health"), ("POST", "/api/health"), ("CONNECT", "/"),
        ("POST", "/static/page.css"), ("HEAD", "/api/book"),
    ],
)  # fmt: skip
def test_methods_that_are_none(client, method, path):
    answer = client.request(method, path)
    assert answer.status_code == 405
    assert "cookie" not in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2f..%2fcli%2fserve.py", "/static//etc/passwd",
        "/static/%00", "/jobs/../../etc/passwd", "/jobs/..%2F..%2Fetc%2Fpasswd", "/api/jobs/%2e%2e%2findex.sqlite3",
        "/jobs/%F0%9F%92%A9", "/jobs/%ff%fe", "/api/jobs/%27%20or%201=1--", "/.git/config", "/index.sqlite3",
        "/api/jobs/" + "A" * 22, "/docs", "/redoc",
    ],
)  # fmt: skip
def test_addresses_that_lead_nowhere(client, path):
    answer = client.get(path)
    assert_clean(answer, 404)
    assert "root:" not in answer.text


@pytest.mark.parametrize(
    "ending", ["../csv", "..%2fresult.parquet", "%2e%2e%2f%2e%2e%2fsheet%2fa.csv", "csv%00", "exe", "sheet/a.csv"]
)
def test_download_names_are_no_paths(client, job, run, ending):
    for path in (f"/api/jobs/{job}/runs/{run}/files/{ending}", f"/jobs/{job}/files/{ending}"):
        answer = client.get(path)
        assert answer.status_code in {404, 422}
        assert b"First" not in answer.content


NOT_UNDERSTOOD = [
    "page=-1", "page=0", "page=1e18", "page=99999999999999999999", "page=NaN", "size=0", "size=501", "size=1000000000000",
    "order=sideways", "sort=%22%3B%20drop%20table%20jobs%3B--", "sort=" + "x" * 501, "sort=us_verdict%00",
    "verdict=guilty", "verdict=controlled'%20or%20'1'%3D'1", "search=" + "a" * 201, "problems=perhaps",
]  # fmt: skip


@pytest.mark.parametrize("query", NOT_UNDERSTOOD)
def test_questions_to_a_result_that_make_no_sense(client, job, run, query):
    assert_clean(client.get(f"/api/jobs/{job}/runs/{run}/rows?{query}"), 422)


@pytest.mark.parametrize(
    "query",
    [
        "search=(a%2B)%2B%24",
        "search=%27%20or%201%3D1%20--",
        "search=%5Cp%7BL%7D%7B99999%7D",
        "search=%ff",
        "page=1073741824",
        "column=none",
    ],
)
def test_a_search_is_text_and_nothing_more(client, job, run, query):
    found = client.get(f"/api/jobs/{job}/runs/{run}/rows?{query}").json()
    assert found["matched"] == (0 if query.startswith("search") else 2)


@pytest.mark.parametrize(
    "options",
    [
        {"as_of": "NaN"}, {"as_of": "2024-02-30"}, {"as_of": "0000-00-00"}, {"as_of": "10000-01-01"}, {"as_of": "\uff12\uff10\uff12\uff14-01-01"},
        {"as_of": "2024-01-01\n"}, {"as_of": 20240101}, {"jurisdiction": ",".join(f"x{n}" for n in range(10_000))},
        {"jurisdiction": "atlantis"}, {"jurisdiction": "../us"}, {"jurisdiction": "\ud800"}, {"destination": "XXX"}, {"destination": "1="},
        {"rules": "../../../../etc/passwd"}, {"rules": "/etc/passwd"}, {"rules": "data:text/yaml,!!python/object/apply:os.system"},
        {"readings": "units=" + "9" * 350}, {"readings": "__class__=1"}, {"law": "jungle"}, {"origin": "maybe"}, {"extra": 1},
    ],
)  # fmt: skip
def test_options_that_nobody_has(client, job, options):
    answer = client.post(f"/api/jobs/{job}/runs", content=json.dumps(options), headers=JSON)
    if answer.status_code == 202:  # what only the line knows is said by the run
        said = client.get(f"/api/jobs/{job}/runs/{answer.json()['id']}/events").text
        assert '"state": "failed"' in said
        assert not [word for word in INSIDE if word in said]
        return
    assert_clean(answer, 422)


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_the_first_and_the_last_day_there_is(client, job, day):
    for path in ("", "/items/1", f"/changes?from_day={day}"):
        page = client.get(f"/jobs/{job}{path}{'&' if '?' in path else '?'}as_of={day}")
        assert page.status_code == 200, path


@pytest.mark.parametrize(
    "data",
    [
        b"not json", b"[]", b'"x"', b"1", b"null", b"{" * 50_000, b"[" * 200_000, b'{"as_of": 1e999}', b"\xff\xfe", b'{"as_of": "\\ud800"}', b"",
        b'{"__proto__": {}}', b"9" * 5000,
    ],
)  # fmt: skip
def test_bodies_that_are_no_options(client, job, data):
    answer = client.post(f"/api/jobs/{job}/runs", content=data, headers=JSON)
    assert answer.status_code in {400, 422}
    assert_clean(answer, answer.status_code)


@pytest.mark.parametrize(
    "kind",
    [
        "text/xml",
        "application/x-yaml",
        "text/plain",
        "multipart/form-data",
        "application/json; charset=utf-7",
        "\u00ff",
    ],
)
def test_bodies_that_say_to_be_something_else(client, kind):
    for path in ("/api/score", "/api/jobs", "/upload"):
        answer = client.post(
            path, content=b"!!python/object:os.system", headers={"content-type": kind.encode("latin-1")}
        )
        assert answer.status_code in {400, 422}
        assert_clean(answer, answer.status_code)


@pytest.mark.parametrize(
    "mapping",
    [
        {"name": "no_such_field"}, {"name": "__class__"}, {"name": "fp16_tflops (furlongs)"}, {"name": "(" * 100}, {"": "name"},
        {"x" * 501: "name"}, {"name": "x" * 121}, {f"h{n}": "name" for n in range(2001)}, ["name"], {"name": {"field": "name"}},
        {"name": "!!python/object/apply:os.system ['true']"}, {"name": " " * 119 + "!"},
    ],
)  # fmt: skip
def test_columns_cannot_be_mapped_to_nonsense(client, mapping):
    other = upload(client, "a.csv", SHEET)
    assert_clean(client.put(f"/api/jobs/{other}/mapping", json=mapping), 422)
    assert client.get(f"/api/jobs/{other}").json()["mapping"] == []
    client.delete(f"/api/jobs/{other}")


def test_a_mapping_of_blanks_keeps_nobody_waiting(client, job):
    """A pattern that tried every way to share out the blanks would be at it for days."""
    for field in (" " * 100_000 + "!", "(" * 100_000):
        assert_clean(client.post(f"/jobs/{job}/columns", data={"heading.1": "x", "field.1": field}), 422)
    with pytest.raises(InputError, match="names no field"):
        load_mapping(None, ["a=" + " " * 100_000 + "!"])


def test_aliases_and_tags_of_yaml_reach_no_loader(client):
    """Overlays are named, never sent: a bomb of aliases has no way in; as a sheet it is text."""
    bomb = b"a: &a [x,x]\n" + b"".join(b"%c: &%c [*%c,*%c]\n" % (n + 1, n + 1, n, n) for n in range(97, 120))
    assert_clean(client.post("/api/score", files={"file": ("rules.yaml", bomb)}), 422)
    assert_clean(client.post("/api/score?rules=x", files={"rules": ("rules.yaml", bomb)}), 422)


def sent_as(client, path, name, data=SHEET):
    """An upload whose name goes out as it stands: a client library would escape it."""
    body = b'--x\r\ncontent-disposition: form-data; name="file"; filename="%s"\r\n\r\n%s\r\n--x--\r\n' % (name, data)
    return client.post(path, content=body, headers={"content-type": "multipart/form-data; boundary=x"})


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        (b"../../etc/passwd", "passwd"), (b"con.csv", "con.csv"), (rb'a\"; filename=\"evil.exe', "a__ filename__evil.exe"),
        ("\u202egnp.csv".encode(), "_gnp.csv"), (b"-rf.csv", "rf.csv"), (b"%2e%2e%2fx.csv", "_2e_2e_2fx.csv"), ("칩.csv".encode(), "칩.csv"),
        (b"sheet/../../index.sqlite3", "index.sqlite3"), (b"=cmd|' /C calc'!A0.csv", "C calc__A0.csv"), (b"<svg onload=x>.csv", "_svg onload_x_.csv"),
        (b"a\0b.csv", "a_b.csv"), (b"\xff\xfe.csv", None), (b"a\nb.csv", None), (b"a\r\nset-cookie: x=y.csv", None), (b"a\r\n\r\nb", None),
    ],
)  # fmt: skip
def test_names_of_uploads_are_harmless(client, name, kept):
    answer = sent_as(client, "/api/jobs", name)
    assert "set-cookie" not in answer.headers
    if answer.status_code != 201:
        assert kept is None
        assert_clean(answer, answer.status_code)
        assert answer.status_code in {400, 422}
        return
    job = answer.json()
    assert job["name"] == (kept or job["name"])
    assert job["name"].isprintable()
    folder = client.app.state.house.store.place(job["id"])
    assert [path.name for path in (folder / "sheet").iterdir()] == [job["name"]]
    client.delete(f"/api/jobs/{job['id']}")


@pytest.mark.parametrize("name", [rb"a\"; filename=\"evil.exe", "칩\u202e.csv".encode()])
def test_names_of_downloads_are_one_quoted_word(client, name):
    sent = sent_as(client, "/api/score", name).headers["content-disposition"]
    assert re.fullmatch(r"attachment; filename(=\"[\w .;=-]+\"|\*=utf-8\'\'[\w.%-]+)", sent, re.ASCII)


def test_very_many_parts_and_very_long_ones(client):
    many = [("then", (None, "x"))] * 1500
    assert_clean(client.post("/upload", files=many), 400)
    assert_clean(client.post("/api/score", files=[("file", (f"{n}.csv", b"name\n")) for n in range(1500)]), 400)
    long = (
        b'--x\r\ncontent-disposition: form-data; name="file"; filename="'
        + b"a" * 500_000
        + b'"\r\n\r\nname\nA\n\r\n--x--\r\n'
    )
    answer = client.post("/api/jobs", content=long, headers={"content-type": "multipart/form-data; boundary=x"})
    assert answer.status_code in {201, 400}
    big = client.post("/upload", files={"then": (None, "x" * 2_000_000)})
    assert_clean(big, 400)
    for boundary in ("", "x" * 5000, "\u00ff"):
        kind = f"multipart/form-data; boundary={boundary}".encode("latin-1")
        answer = client.post("/api/jobs", content=b"--x\r\n\r\n--x--", headers={"content-type": kind})
        assert_clean(answer, answer.status_code)
        assert answer.status_code in {400, 422}


def test_twice_is_once(client):
    other = upload(client, "a.csv", SHEET)
    runs = [client.post(f"/api/jobs/{other}/runs", json={"as_of": "2025-05-05"}).json()["id"] for _ in range(5)]
    assert len(set(runs)) == 1
    assert client.delete(f"/api/jobs/{other}").status_code == 200
    for _ in range(3):
        assert_clean(client.delete(f"/api/jobs/{other}"), 404)
        assert_clean(client.post(f"/jobs/{other}/delete"), 404)
    assert_clean(client.post(f"/api/jobs/{other}/runs", json={}), 404)
