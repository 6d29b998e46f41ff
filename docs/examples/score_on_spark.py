"""Score Parquet files on a Spark cluster: python score_on_spark.py SHEETS RESULTS [DATE]."""

import sys
from collections.abc import Iterator

import pyarrow as pa
from pyspark.sql import SparkSession
from pyspark.sql.pandas.types import from_arrow_schema, to_arrow_schema

from perfcalc.line import score_batch
from perfcalc.plans import plan_for


def main(sheets: str, results: str, day: str | None = None) -> None:
    """Score what `sheets` names, into a new folder `results`."""
    spark = SparkSession.builder.getOrCreate()
    sheet = spark.read.parquet(sheets)
    plan = plan_for(sheet.columns, sheets, day, ("us",))

    def score(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            yield score_batch(batch, plan)

    # What comes back for no rows has every column and its type.
    nothing = pa.RecordBatch.from_pylist([], schema=to_arrow_schema(sheet.schema))
    schema = from_arrow_schema(score_batch(nothing, plan).schema)
    sheet.mapInArrow(score, schema).write.parquet(results)


if __name__ == "__main__":
    main(*sys.argv[1:])
