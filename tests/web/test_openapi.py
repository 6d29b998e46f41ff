"""What the OpenAPI allows, and what it does not, sent to the API: never a server error, and only what is described.

``PERFCALC_FUZZ=500`` gives each address and method so many examples, and lets the children work on them; without it
there are a few, drawn alike each time, and whatever would start a child says that it failed.
"""

import os
import time

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from perfcalc.web import runner
from perfcalc.web.app import create_app
from perfcalc.web.settings import Settings
from web.hostile import INSIDE, SHEET

EXAMPLES = int(os.environ.get("PERFCALC_FUZZ", "0"))
HERE = "http://localhost"
BOUNDS = settings(
    max_examples=EXAMPLES or 12,
    deadline=None,
    database=None,
    derandomize=not EXAMPLES,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def api(tmp_path):
    """The described operations, and the ids of a job that is scored."""
    import schemathesis
    from schemathesis.python import asgi

    app = create_app(Settings(tmp_path, workers=2, ready=False))
    described = schemathesis.openapi.from_asgi("/api/openapi.json", app, headers={"host": "localhost"})
    with asgi.get_client(app) as client:
        job = client.post(f"{HERE}/api/jobs", files={"file": ("a.csv", SHEET)}).json()["id"]
        run = client.post(f"{HERE}/api/jobs/{job}/runs", json={"as_of": "2026-11-23"}).json()["id"]
        while client.get(f"{HERE}/api/jobs/{job}/runs/{run}").json()["state"] in {"queued", "running"}:
            time.sleep(0.02)
    yield app, [found.ok() for found in described.get_all_operations()], {"job": job, "run": run}
    asgi.shutdown_lifespans()


def test_the_api_keeps_to_its_description(api, monkeypatch):
    from schemathesis.generation import GenerationMode
    from schemathesis.specs.openapi.checks import content_type_conformance, status_code_conformance

    app, operations, known = api
    if not EXAMPLES:

        async def failed(*_):
            return "failed", "no child works here", "set PERFCALC_FUZZ"

        monkeypatch.setattr(runner.Runner, "_outcome", failed)
    seen = {}

    def check(operation, case, real):
        if real:
            ids = known | ({"job": app.state.house.store.add("gone.csv").id} if operation.method == "delete" else {})
            case.path_parameters = (case.path_parameters or {}) | {
                name: ids[name] for name in case.path_parameters or {} if name in ids
            }
        response = case.call(base_url=HERE, timeout=600)
        seen.setdefault(operation.label, set()).add(response.status_code)
        assert response.status_code < 500 or (response.status_code == 503 and "retry-after" in response.headers), (
            response.content
        )
        asked = f"{response.request.url}{case.body}"
        told = response.content.decode("utf-8", "replace")
        assert not [word for word in INSIDE if word in told and word not in asked]
        assert response.headers["x-content-type-options"]
        if response.status_code not in {404, 405}:  # an id with a slash in it is another address
            case.validate_response(response, checks=[status_code_conformance, content_type_conformance])

    def checking(operation):
        def examples(case, real):
            check(operation, case, real)

        return examples

    for operation in operations:
        cases = st.one_of(operation.as_strategy(mode) for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE))
        BOUNDS(given(case=cases, real=st.booleans())(checking(operation)))()
    assert len(seen) == len(operations) > 15
    if EXAMPLES:
        print(f"\n{seen}")  # noqa: T201 - it is run for this
