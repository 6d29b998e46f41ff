"""A cluster gives the same bytes as one machine, and a worker that dies loses nothing."""

import hashlib
import json
from datetime import date
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

import perfcalc
from perfcalc import dask_engine, line
from perfcalc.cli import main
from perfcalc.errors import InputError
from perfcalc.sheets.read import open_sheet

distributed = pytest.importorskip("distributed", reason="the extra perfcalc[dask] is not installed")

SPECS = Path(__file__).parents[1] / "specs"
DAY = date(2026, 11, 23)


@pytest.fixture(scope="module")
def sheet(tmp_path_factory):
    """Three files of several row groups; one of them has a column more."""
    folder = tmp_path_factory.mktemp("partitions")
    table = pa.Table.from_pandas(perfcalc.read(SPECS / "chips.csv").drop(columns=["unit", "part_of"], errors="ignore"))
    table = table.replace_schema_metadata(None)
    for at, part in enumerate((table.slice(0, 100), table.slice(100, 90), table.slice(190))):
        whole = part.append_column("note", pa.array(["x"] * part.num_rows)) if at == 1 else part
        pq.write_table(whole, folder / f"part-{at}.parquet", row_group_size=30)
    return folder


@pytest.fixture(scope="module")
def cluster():
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address="127.0.0.1:0", memory_limit=0
    ) as found:
        yield found


def score(sheet, out, engine=None, columns=None):
    opened = open_sheet(sheet)
    plan = line.make_plan(opened.schema.names, "sheet", DAY, ("us", "eu"))
    if columns:
        plan, opened = line.keep_columns(plan, opened, columns)
    summary, _ = line.score_sheet(opened, plan, out, 1, engine=engine)
    return hashlib.sha256(out.read_bytes()).hexdigest(), summary.to_dict()


def test_same_bytes_as_one_machine(sheet, cluster, tmp_path):
    engine = partial(dask_engine.run_on_dask, scheduler=cluster.scheduler_address)
    for out, columns in ((tmp_path / "o.parquet", None), (tmp_path / "o.csv", ["note", "us_verdict", "tpp", "name"])):
        here = score(sheet, out, columns=columns)
        assert score(sheet, out, engine, columns) == here


def test_a_worker_killed_in_the_middle_loses_nothing(sheet, cluster, tmp_path):
    here = score(sheet, tmp_path / "here.parquet")

    def engine(opened, plan):
        batches = dask_engine.run_on_dask(opened, plan, cluster.scheduler_address)
        yield next(batches)
        victim = next(iter(cluster.workers.values()))
        victim.process.process._process.kill()
        yield from batches

    assert score(sheet, tmp_path / "there.parquet", engine) == here


def test_workers_write_a_folder(sheet, cluster, tmp_path):
    run = CliRunner().invoke
    with_dask = ["--engine", "dask", "--scheduler", cluster.scheduler_address]
    here, there = tmp_path / "here", tmp_path / "there"
    said = [
        run(main, ["score", str(sheet), "-o", str(out), "--as-of", str(DAY), "--json", *engine]).stdout
        for out, engine in ((here, []), (there, with_dask))
    ]
    assert json.loads(said[0]) == json.loads(said[1])
    names = sorted(path.name for path in here.iterdir())
    assert (
        names == sorted(path.name for path in there.iterdir()) == ["part-0.parquet", "part-1.parquet", "part-2.parquet"]
    )
    for name in names:
        assert (here / name).read_bytes() == (there / name).read_bytes()


def test_on_the_command_line(sheet, cluster, tmp_path):
    out = tmp_path / "out.parquet"
    run = CliRunner().invoke
    with_dask = ["--engine", "dask", "--scheduler", cluster.scheduler_address]
    assert run(main, ["score", str(sheet), "-o", str(out), *with_dask]).exit_code == 0
    assert pq.read_metadata(out).num_rows == 252
    assert run(main, ["score", str(sheet), "-o", str(out), "--engine", "dask"]).exit_code == 2
    csv = run(main, ["score", str(SPECS / "chips.csv"), "-o", str(out), *with_dask])
    assert csv.exit_code == 2
    assert "Parquet" in csv.stderr


def test_rows_that_belong_together_stay_on_one_machine(tmp_path):
    path = tmp_path / "boards.parquet"
    pq.write_table(pa.table({"name": ["a"], "fp16_tflops": ["1"], "part_of": ["b"]}), path)
    opened = open_sheet(path)
    plan = line.make_plan(opened.schema.names, "sheet", DAY)
    with pytest.raises(InputError, match="part_of"):
        next(dask_engine.run_on_dask(opened, plan, "tcp://127.0.0.1:1"))
