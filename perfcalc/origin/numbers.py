"""The scores of ``CARD.md`` as data and as text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from perfcalc.origin.certain import certain_rules
from perfcalc.origin.evaluate import (
    GIVEN,
    METHODS,
    Score,
    by_designer,
    by_family,
    by_time,
    chosen,
    dropped,
    predict,
    reliability,
    risk_coverage,
    score_method,
    scored,
    shuffled,
    wilson,
)
from perfcalc.origin.model import answer
from perfcalc.origin.train import Cases, read_cases

BEGIN: Final = "<!-- numbers: begin (written by `perfcalc origin evaluate --card`) -->"
END: Final = "<!-- numbers: end -->"
HUAWEI: Final = "huawei"
#: The pair that the model was made for, and cases that a timing rule gets wrong.
HARD: Final = ("C017", "C029", "C028", "C046", "C019", "C109", "C026", "C095", "C034", "C130")


def _only_huawei(cases: Cases) -> Iterator[tuple[list[int], list[int]]]:
    rows = scored(cases)
    inside = [row for row in rows if cases.designer[row] == HUAWEI]
    yield [row for row in rows if row not in inside], inside


def evaluation(path: Path | None = None) -> dict[str, Any]:
    """Every score, from the cases in `path`."""
    cases = read_cases(path)
    rows = scored(cases)
    found: dict[str, Any] = {
        "cases": len(cases.label),
        "scored": len(rows),
        "families": len({cases.family[row] for row in rows}),
        "domestic": int(sum(cases.label[row] == 1 for row in rows)),
        "of_huawei": sum(cases.designer[row] == HUAWEI for row in rows),
        "tiers": dict(sorted(Counter(cases.table["evidence_tier"].iloc[row] for row in rows).items())),
    }
    splits = {"family": by_family, "designer": by_designer, "huawei": _only_huawei, "time": by_time}
    for name, split in splits.items():
        found[name] = []
        for method, predicted in ((name_, predict(cases, method_, split(cases))) for name_, method_ in METHODS.items()):
            found[name].append(asdict(score_method(cases, method, predicted)))
            if name == "family":
                given = score_method(cases, method, predicted, GIVEN)
                found.setdefault("given", []).append(asdict(given))
    left_out = predict(cases, chosen, by_family(cases))
    curve = risk_coverage(cases, left_out)
    found["curve"] = [point for point in curve if point[2] % 4 == 0 or point[2] == len(curve)]
    found["reliability"] = reliability(cases, left_out)
    found["shuffled"] = shuffled(cases)
    found["dropped"] = dropped(cases)
    shipped = answer(cases.signals)
    names = list(cases.table["case_id"])
    found["table"] = {
        label: dict(
            sorted(
                Counter(
                    word for word, of in zip(shipped.words(), cases.table["label"], strict=True) if of == label
                ).items()
            )
        )
        for label in sorted(set(cases.table["label"]))
    }
    found["hard"] = []
    for case in HARD:
        row = names.index(case)
        rule = certain_rules()[shipped.rule[row]].name if shipped.rule[row] >= 0 else ""
        p = left_out[row][0] if row in left_out and not rule else None
        found["hard"].append(
            (case, cases.table["name"].iloc[row], cases.table["label"].iloc[row], shipped.words()[row], rule, p)
        )
    return found


def _table(rows: list[dict[str, Any]]) -> list[str]:
    lines = [
        "| method | right, of answered | 95 % Wilson | coverage | Brier | log loss | wrong |",
        "|---|---|---|---|---|---|---|",
    ]
    return [*lines, *(Score(**row).row() for row in rows)]


def numbers_text(found: dict[str, Any]) -> str:
    """The scores as Markdown."""
    tiers = ", ".join(f"{tier} {count}" for tier, count in found["tiers"].items())
    lines = [
        (
            f"{found['cases']} real cases; {found['scored']} of them are logic found after the cut-off with a gold or "
            f"silver label of stockpiled or domestic ({found['domestic']} domestic), of {found['families']} die "
            f"families; {found['of_huawei']} are Huawei's. Evidence tiers: {tiers}."
        ),
        "",
        "### One die family left out at a time",
        "",
        *_table(found["family"]),
        "",
        f"The same, counted on the cases of the first collection only ({found['given'][0]['total']}):",
        "",
        *_table(found["given"]),
        "",
        "### One designer left out at a time",
        "",
        *_table(found["designer"]),
        "",
        "### Huawei held out: trained on what remains and on simulated parts",
        "",
        *_table(found["huawei"]),
        "",
        "### Trained on products of up to 2022, tested from 2023",
        "",
        *_table(found["time"]),
        "",
        "### Risk and coverage of what ships (die family left out, most confident first)",
        "",
        "| coverage | wrong | of |",
        "|---|---|---|",
        *(f"| {100 * share:.0f} % | {wrong} | {count} |" for share, wrong, count in found["curve"]),
        "",
        "### Reliability of P(domestic) (die family left out)",
        "",
        "| P(domestic) | cases | domestic | mean P | 95 % Wilson of the share |",
        "|---|---|---|---|---|",
    ]
    for name, count, domestic, mean in found["reliability"]:
        low, high = wilson(domestic, count)
        shown = f"{mean:.2f} | {low:.2f} to {high:.2f}" if count else "– | –"
        lines.append(f"| {name} | {count} | {domestic} | {shown} |")
    middle, low, high = found["shuffled"]
    lines += [
        "",
        "### Shuffled labels",
        "",
        (
            f"Balanced accuracy by die family with labels shuffled among the families: {100 * middle:.0f} % on "
            f"average (5 to 95 % of the rounds: {100 * low:.0f} to {100 * high:.0f} %)."
        ),
        "",
        "### Each signal made unknown in turn (all cases)",
        "",
        "| signal | answers turned round | answers lost | of |",
        "|---|---|---|---|",
        *(f"| {name} | {turned} | {lost} | {of} |" for name, turned, lost, of in found["dropped"]),
        "",
        "### What ships says of every case, by label",
        "",
        "| label | answers |",
        "|---|---|",
        *(
            f"| {label} | {', '.join(f'{word} {n}' for word, n in words.items())} |"
            for label, words in found["table"].items()
        ),
        "",
        "### Cases to look at",
        "",
        "| case | chip | label | answer | rule, or P(domestic) with its die family left out |",
        "|---|---|---|---|---|",
        *(
            f"| {case} | {chip} | {label} | {word} | {rule or ('–' if p is None else f'{p:.3f}')} |"
            for case, chip, label, word, rule, p in found["hard"]
        ),
        "",
    ]
    return "\n".join(lines)
