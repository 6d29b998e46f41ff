"""The shape of the house: imports run down only, and no wing knows another."""

import ast
from pathlib import Path

import perfcalc

ROOT = Path(perfcalc.__file__).parent
GROUND = {"errors", "fields", "facts", "kernel", "nulls"}
WINGS = {"sheets", "metrics", "rulebook", "origin"}
MAY_IMPORT = {
    **dict.fromkeys(GROUND, GROUND),
    **{wing: GROUND | {wing} for wing in WINGS},
    "verdicts": GROUND | WINGS | {"verdicts"},
    "files": GROUND | {"sheets", "stream"},
    "frames": GROUND | {"sheets"},
    "recheck": GROUND | WINGS | {"verdicts"},
    "stream": set(),
    "summary": GROUND | WINGS | {"verdicts"},
    "line": GROUND | WINGS | {"verdicts", "files", "recheck", "stream", "summary"},
    "origin_line": GROUND | WINGS | {"files"},
    "dask_engine": GROUND | WINGS | {"line", "summary"},
    "folders": GROUND | WINGS | {"line", "summary"},
    "answers": GROUND | WINGS | {"verdicts", "line", "plans", "files", "summary", "answers"},
    "plans": GROUND | WINGS | {"line"},
    "questions": GROUND | WINGS | {"line", "frames", "plans", "answers"},
    "api": GROUND | WINGS | {"verdicts", "line", "origin_line", "frames", "plans", "questions", "answers"},
    "web": GROUND | WINGS | {"verdicts", "line", "files", "summary", "plans", "answers", "api", "web"},
    "cli": GROUND
    | WINGS
    | {
        "verdicts",
        "line",
        "origin_line",
        "dask_engine",
        "folders",
        "files",
        "summary",
        "answers",
        "api",
        "web",
        "cli",
        "perfcalc",
    },
    "__init__": {"api", "errors"},
    "testing": {"errors", "answers"},
}


def imported(path):
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "perfcalc":
            parts = node.module.split(".")
            yield from ([parts[1]] if len(parts) > 1 else (alias.name for alias in node.names))
        elif isinstance(node, ast.Import):
            yield from (alias.name.split(".")[1] for alias in node.names if alias.name.startswith("perfcalc."))


def test_imports_run_down_only():
    for path in ROOT.rglob("*.py"):
        room = path.relative_to(ROOT).parts[0].removesuffix(".py")
        above = set(imported(path)) - MAY_IMPORT[room] - {"__version__"}
        assert not above, f"{path.relative_to(ROOT)} imports {above}"


def test_files_are_short_enough_to_read():
    for path in ROOT.rglob("*.py"):
        assert len(path.read_text("utf-8").splitlines()) <= 400, path


BANNED = ("pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "requests", "urllib.request", "urllib3")
BANNED += (
    "http.client",
    "http.server",
    "httpx",
    "aiohttp",
    "ftplib",
    "smtplib",
    "telnetlib",
    "xmlrpc",
    "socket",
    "ssl",
)


def test_no_pickle_no_eval_no_network():
    for path in ROOT.rglob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module:
                names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        calls = {
            node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        assert not [name for name in names if any(f"{name}.".startswith(f"{each}.") for each in BANNED)], path
        assert not calls & {"eval", "exec"}, path


def test_only_the_page_listens_and_starts_processes_and_nothing_calls_out():
    """A server must listen, and it starts children of its own; no room may be a client of anything."""
    clients = {"httpx", "httpx2", "aiohttp", "urllib3", "websockets", "smtplib", "ftplib", "telnetlib", "ssl"}
    servers = {"fastapi", "starlette", "uvicorn", "asyncio", "subprocess", "multiprocessing", "http", "socketserver"}
    for path in ROOT.rglob("*.py"):
        room = path.relative_to(ROOT).parts[0]
        tree = ast.parse(path.read_text("utf-8"))
        names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        names |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
        roots = {name.split(".")[0] for name in names}
        assert not roots & clients, path
        allowed = servers if room == "web" else {"fastapi", "uvicorn"} if path.name == "serve.py" else set()
        assert not (roots & servers) - allowed, path
        if room == "web":
            assert not {name for name in names if name.split(".")[0] == "http"} - {"http.cookies"}, path
        calls = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        assert not calls & {"open_connection", "create_connection", "urlopen"}, path
