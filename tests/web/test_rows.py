"""Pages of a result against the same question asked of a plain list."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perfcalc.errors import InputError
from perfcalc.web.rows import Query, page_of

WORDS = ["controlled", "not_controlled", "cannot_tell"]
ROWS = [
    {
        "name": f"{'Alpha' if n % 3 else 'beta'} {n}",
        "tpp": None if n % 5 == 0 else float(n * 37 % 101),
        "tpp_high": float("inf") if n % 10 == 0 else 50.5 if n % 5 == 0 else None,
        "us_verdict": WORDS[n % 3],
        "us_entries": "3A090.a" if n % 4 == 0 else None,
        "us_needs": None,
        "problems": "odd" if n % 7 == 0 else None,
        "list": [n],
    }
    for n in range(83)
]


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    path = tmp_path_factory.mktemp("rows") / "result.parquet"
    table = pa.Table.from_pylist(ROWS)
    pq.write_table(table, path, row_group_size=20)
    return path


def naive(query):
    rows = [{"row": at, **row} for at, row in enumerate(ROWS, start=1)]
    if query.verdict:
        rows = [row for row in rows if row["us_verdict"] == query.verdict]
    if query.problems:
        rows = [row for row in rows if row["problems"]]
    if query.search:
        word = query.search.casefold()
        rows = [row for row in rows if word in row["name"].casefold() or word in (row["us_entries"] or "").casefold()]
    if query.sort == "tpp":

        def value(row):
            return row["tpp_high"] if row["tpp"] is None else row["tpp"]

        rows.sort(key=value, reverse=query.order == "down")
    elif query.sort == "name":
        rows.sort(key=lambda row: row["name"], reverse=query.order == "down")
    return rows


@settings(max_examples=60, deadline=None)
@given(
    query=st.builds(
        Query,
        search=st.sampled_from(["", "ALPHA", "beta 1", "3a090", "none such", ".*"]),
        verdict=st.sampled_from(["", *WORDS]),
        problems=st.booleans(),
        sort=st.sampled_from(["", "tpp", "name"]),
        order=st.sampled_from(["up", "down"]),
        page=st.integers(1, 12),
        size=st.integers(1, 40),
    )
)
def test_pages_are_what_a_list_gives(result, query):
    found = page_of(result, query, ["name", "tpp", "tpp_high", "us_verdict"], ["name"], ["us"])
    wanted = naive(query)
    assert (found.total, found.matched) == (len(ROWS), len(wanted))
    assert 1 <= found.page <= found.pages
    begin = (found.page - 1) * query.size
    expected = wanted[begin : begin + query.size]
    key = (
        (lambda row: row["tpp_high"] if row["tpp"] is None else row["tpp"])
        if query.sort == "tpp"
        else lambda row: row["row"]
    )
    if query.sort == "tpp":  # ties may come in any order
        ends = {float("inf"): None}
        assert [ends.get(key(row), key(row)) for row in expected] == [key(row) for row in found.rows]
    else:
        assert [row["row"] for row in found.rows] == [row["row"] for row in expected]


def test_infinity_is_null_and_a_list_can_be_sorted(result):
    found = page_of(result, Query(sort="list", size=5), [], ["name"], ["us"])
    assert found.rows[0]["tpp_high"] is None
    assert len(found.rows[0]) == len(ROWS[0]) + 1


@pytest.mark.parametrize("query", [Query(sort="no such column"), Query(verdict="guilty")])
def test_what_does_not_exist_is_said(result, query):
    with pytest.raises(InputError):
        page_of(result, query, [], ["name"], ["us"])
