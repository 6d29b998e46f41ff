"""The recipe for Spark gives what one machine gives. It needs pyspark and Java, which most machines lack."""

import os
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import perfcalc
from perfcalc import files, line

ROOT = Path(__file__).parents[1]
DAY = date(2026, 11, 23)


@pytest.mark.skipif(shutil.which("java") is None, reason="Spark needs Java")
def test_the_recipe_gives_what_one_machine_gives(tmp_path):
    pytest.importorskip("pyspark", reason="pyspark is not installed")
    frame = perfcalc.read(ROOT / "specs" / "chips.csv").drop(columns=["unit", "part_of"], errors="ignore")
    table = pa.Table.from_pandas(frame).replace_schema_metadata(None)
    pq.write_table(table, tmp_path / "sheet.parquet")
    command = [ROOT / "docs" / "examples" / "score_on_spark.py", tmp_path / "sheet.parquet", tmp_path / "out", str(DAY)]
    environment = {
        **os.environ,
        "PYSPARK_PYTHON": sys.executable,
        "PYTHONPATH": str(ROOT),
        "SPARK_LOCAL_IP": "127.0.0.1",
    }
    subprocess.run([sys.executable, *command], check=True, env=environment, capture_output=True)
    plan = line.make_plan(table.schema.names, "sheet", DAY)
    here = pa.Table.from_batches(line.run(table.to_batches(), plan, 1))
    there = pq.read_table(tmp_path / "out").select(here.column_names).cast(here.schema)
    for name, scored in (("here", here), ("there", there)):
        files.write(iter(scored.to_batches()), tmp_path / name, Path("out.parquet"))
    assert (tmp_path / "here").read_bytes() == (tmp_path / "there").read_bytes()
