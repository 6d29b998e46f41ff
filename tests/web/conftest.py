"""A server in this process, with its jobs in children as always, and a folder of its own."""

import re
from contextlib import contextmanager
from dataclasses import asdict, replace

import pytest
from starlette.testclient import TestClient

from perfcalc.web.app import create_app
from perfcalc.web.options import Options
from perfcalc.web.settings import Limits, Settings
from perfcalc.web.tasks import Task


@contextmanager
def running(folder, limits=None, **settings):
    app = create_app(Settings(folder, workers=2, limits=limits or Limits(), ready=False, **settings))
    with TestClient(app, base_url="http://127.0.0.1:8000", follow_redirects=False) as client:
        yield client


@pytest.fixture(scope="session")
def client(tmp_path_factory):
    with running(tmp_path_factory.mktemp("web")) as client:
        yield client


@pytest.fixture(scope="session")
def strict(tmp_path_factory):
    """A server with small limits."""
    limits = replace(Limits(), upload_bytes=200_000, rows=300, columns=40, cell_chars=500, compared_rows=5)
    with running(tmp_path_factory.mktemp("strict"), limits) as client:
        yield client


def task(place, kind, data, name="sheet.csv", mapping=(), **asked):
    """A task as a child is told it, done in this process by those who call `do`; `place` has its sheet and answer."""
    (place / name).write_bytes(data)
    options = Options().settled().model_dump() | {"as_of": "2026-11-23"} | asked
    limits = replace(Limits(), rows=300, columns=60, cell_chars=5_000, compared_rows=5)
    return Task(kind, name, place, place, mapping, options, asdict(limits))


def upload(client, name, data):
    answer = client.post("/api/jobs", files={"file": (name, data)})
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def ended(client, job, run):
    """A run when it is over, as its last event tells."""
    events = client.get(f"/api/jobs/{job}/runs/{run}/events").text
    assert "event: end" in events
    return client.get(f"/api/jobs/{job}/runs/{run}").json()


def settled(client, address):
    """A page of results when its run is over, however slow the machine is."""
    page = client.get(address)
    if events := re.search(r'data-events="([^"]+)"', page.text):
        assert "event: end" in client.get(events[1]).text
        page = client.get(address)
    assert page.status_code == 200, page.text
    return page.text


def scored(client, job, **options):
    run = client.post(f"/api/jobs/{job}/runs", json={"as_of": "2026-11-23"} | options)
    assert run.status_code == 202, run.text
    return ended(client, job, run.json()["id"])
