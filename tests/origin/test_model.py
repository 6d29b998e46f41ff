"""The kernel against its formula, its direction, and its honesty about what is not known."""

from math import exp, inf, log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perfcalc.origin.certain import ORIGINS
from perfcalc.origin.model import FEATURES, ROWS_BEFORE_COMPILING, answer, prior_log_odds, shipped, weights
from perfcalc.origin.signals import INDEX, SIGNALS, Signals

MODEL = shipped()


def signals(rows):
    """Items after the cut-off of a designer at home, from ``{signal: number or (low, high)}``."""
    low, high = np.full((len(rows), len(SIGNALS)), -inf), np.full((len(rows), len(SIGNALS)), inf)
    fixed = dict.fromkeys(("made_abroad", "own_fab_home", "domestic_process_name", "die_bank", "low_volume"), 0)
    for row, given_ in enumerate(rows):
        for name, value in {"modelled": 1, "cut_off": 1, **fixed, **given_}.items():
            low[row, INDEX[name]], high[row, INDEX[name]] = value if isinstance(value, tuple) else (value, value)
    return Signals(low, high, [{} for _ in rows])


def by_hand(item):
    """P(domestic) of an item with point signals, straight from the formula in the model card."""
    quarters, prior = 4 * item["launch"], MODEL.prior
    fast = prior.fast_low_volume if item.get("low_volume") else prior.fast_mass
    stock = fast * 0.5 ** (quarters / prior.fast_half_life_quarters)
    stock += (1 - fast) * 0.5 ** (quarters / prior.slow_half_life_quarters)
    stock = min(max(stock, prior.floor), 1 - prior.floor)
    results = []
    for fit in MODEL.coefficients:
        odds = log((1 - stock) / stock) + item.get("geometry", 0) + fit[0]
        for weight, centre, (name, (least, most, _)) in zip(fit[1:], MODEL.centre, FEATURES.items(), strict=True):
            if name in item:
                odds += weight * (min(max(item[name], least), most) - centre)
        results.append(MODEL.doubt + (1 - 2 * MODEL.doubt) / (1 + exp(-odds)))
    return min(results), results[0], max(results)


points = st.fixed_dictionaries(
    {"launch": st.floats(0.3, 8), "seen": st.floats(-4, 6)},
    optional={
        "newest": st.floats(-4, 4),
        "node_gap": st.floats(-2, 3),
        "moved_home": st.just(0),
        "geometry": st.floats(-6, 6),
        "low_volume": st.integers(0, 1),
    },
)


@given(st.lists(points, min_size=1, max_size=4))
@settings(max_examples=200, deadline=None)
def test_the_kernel_is_the_formula(items):
    answers = answer(signals(items))
    assert (answers.rule == -1).all()
    np.testing.assert_allclose(answers.domestic, [by_hand(item) for item in items], rtol=1e-12)


@given(points, st.sampled_from(list(FEATURES)), st.floats(0.01, 3))
@settings(max_examples=200, deadline=None)
def test_each_signal_pulls_the_way_of_physics(item, name, more):
    if name == "moved_home":
        item, moved = {**item, name: 0.0}, {**item, name: 0.9}
    else:
        item = {"newest": 0.0, "node_gap": 0.0, **item}
        moved = {**item, name: item[name] + more}
    before, after = answer(signals([item, moved])).domestic[:, 1]
    assert (after - before) * FEATURES[name][2] >= -1e-15


def test_the_coefficients_that_ship_point_the_way_of_physics():
    directions = np.array([direction for *_, direction in FEATURES.values()])
    assert (MODEL.coefficients[:, 1:] * directions >= 0).all()


@given(points, st.floats(0, 2), st.floats(0, 2))
@settings(max_examples=200, deadline=None)
def test_knowing_less_never_adds_or_changes_an_answer(item, less, more):
    """A wider interval contains the narrow one; it may lose the answer, never turn it."""
    wide = {**item, "seen": (item["seen"] - less, item["seen"] + more)}
    answers = answer(signals([item, wide]))
    (low, _, high), (wide_low, _, wide_high) = answers.domestic
    assert wide_low <= low + 1e-12
    assert wide_high >= high - 1e-12
    sure, unsure = answers.words()
    assert unsure in (sure, "cannot_tell")


def test_compiled_and_plain_agree():
    random = np.random.default_rng(3)
    items = [{"launch": a, "seen": (b, b + c)} for a, b, c in random.uniform(0, 3, (ROWS_BEFORE_COMPILING + 10, 3))]
    compiled, plain = answer(signals(items)), answer(signals(items[:500]))
    assert (compiled.origin[:500] == plain.origin).all()
    np.testing.assert_allclose(compiled.domestic[:500], plain.domestic, rtol=1e-12)


def test_an_answer_needs_the_threshold_in_the_whole_interval():
    answers = answer(signals([{"launch": 4, "seen": seen} for seen in np.linspace(-1, 2, 400)]))
    for word, (low, _, high) in zip(answers.words(), answers.domestic, strict=True):
        assert (word == "domestic") == (low >= MODEL.threshold)
        assert (word == "stockpiled") == (high <= 1 - MODEL.threshold)
    assert {"domestic", "cannot_tell"} <= set(answers.words())


def test_what_no_foundry_at_home_had_is_not_domestic_and_what_is_new_is_not_stock():
    sure = {"launch": 5, "seen": 4}
    assert answer(signals([sure, {**sure, "node_gap": 0.49}, {**sure, "node_gap": 0.5}])).words() == [
        "domestic",
        "domestic",
        "cannot_tell",
    ]
    stock = {"launch": 0.3, "seen": -1, "node_gap": 1.5}
    assert answer(signals([stock, {**stock, "newest": 0.25}, {**stock, "newest": 0.26}])).words() == [
        "stockpiled",
        "stockpiled",
        "cannot_tell",
    ]


def test_known_diverted_dies_and_foreign_makers_stop_the_answer_domestic():
    sure = {"launch": 4, "seen": 3}
    doubted = [sure, {**sure, "die_bank": 1}, {**sure, "made_abroad": (0, 1)}]
    assert answer(signals(doubted)).words() == ["domestic", "cannot_tell", "cannot_tell"]


def test_the_prior_runs_down_and_a_slow_tail_stays():
    times = np.linspace(0, 6, 50)
    mass, low_volume = ([prior_log_odds(t, kind, MODEL.settings) for t in times] for kind in (True, False))
    assert (np.diff(mass) >= 0).all()
    assert (np.diff(low_volume) >= 0).all()
    assert mass[20] > low_volume[20]
    # Half of the fast part is gone after 1.5 quarters.
    stock = 1 / (1 + exp(prior_log_odds(1.5 / 4, True, MODEL.settings)))
    assert stock == pytest.approx(0.9 / 2 + 0.1 * 0.5 ** (1.5 / 12))


@given(points)
@settings(max_examples=100, deadline=None)
def test_the_weights_add_up_to_the_log_odds(item):
    given_ = signals([item])
    total = sum(weights(given_, 0, MODEL).values()) + MODEL.coefficients[0, 0]
    p = MODEL.doubt + (1 - 2 * MODEL.doubt) / (1 + exp(-total))
    assert p == pytest.approx(answer(given_).domestic[0, 1], rel=1e-9)


def test_nothing_known_is_cannot_tell():
    unknown = Signals(np.full((1, len(SIGNALS)), -inf), np.full((1, len(SIGNALS)), inf), [{}])
    assert ORIGINS[answer(unknown).origin[0]] == "cannot_tell"
