"""Replay an evidence pack: nothing in it was changed, and the same bytes come out of its input again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, field
from filecmp import cmp
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory
from typing import Any, Final, Literal
from zipfile import BadZipFile, ZipFile, is_zipfile
from zlib import error as zlib_error

import pyarrow as pa
import pyarrow.parquet as pq

from perfcalc.answers.evidence import OPTIONS, RULES, TRACES, Options, produce, produced, read_options
from perfcalc.answers.manifest import MANIFEST, Finding, sha256_of, verify
from perfcalc.answers.packfiles import software
from perfcalc.answers.traces import result_batches
from perfcalc.errors import InputError
from perfcalc.rulebook.folders import FOLDER, digest_of, law_from, rule_files
from perfcalc.sheets.files import LARGEST_BYTES

RuleBookOf = Literal["installed", "pack"]
RULEBOOKS: Final[tuple[RuleBookOf, ...]] = ("installed", "pack")

SAME, SAME_CELLS, DIFFERS, MISSING, NOT_EXPECTED = "same", "same_cells", "differs", "missing", "not_expected"

#: Differences that are listed; more are counted.
SHOWN: Final = 10


@dataclass
class Replay:
    """What a replay found.

    Attributes
    ----------
    findings
        Files that are not as the manifest says, and what is wrong with the pack as a whole.
    outcomes
        Of each file that scoring writes: ``same``, ``same_cells`` (a Parquet file whose cells are all equal in other
        bytes), ``differs``, ``missing`` or ``not_expected``. Empty where the input or the options were changed, for
        then there is nothing to score again.
    differences
        The first cells, or items, that differ.
    software
        Versions that are not the pack's: ``{name: (of the pack, here)}``.
    rules
        Rule files that differ between the pack and this installation.
    """

    folder: str
    digest: str
    rulebook: RuleBookOf
    findings: list[Finding] = field(default_factory=list)
    outcomes: dict[str, str] = field(default_factory=dict)
    differences: list[str] = field(default_factory=list)
    software: dict[str, tuple[str, str]] = field(default_factory=dict)
    rules: list[str] = field(default_factory=list)
    rows: int = 0

    @property
    def same(self) -> bool:
        """Nothing was changed, and the same comes out again."""
        return not self.findings and bool(self.outcomes) and all(map(self.agrees, self.outcomes))

    def agrees(self, file: str) -> bool:
        """Whether one file came out the same: to the byte, unless another version of pyarrow writes Parquet."""
        outcome = self.outcomes[file]
        return outcome == SAME or (outcome == SAME_CELLS and "pyarrow" in self.software)

    def to_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return {"same": self.same, **asdict(self)}


@contextmanager
def unfolded(place: Path) -> Iterator[Path]:
    """The folder of a pack: the place itself, or what a ZIP archive holds, in a temporary folder.

    Raises
    ------
    InputError
        The archive is damaged, locked or too large.
    """
    if not (place.is_file() and is_zipfile(place)):
        yield place
        return
    with TemporaryDirectory(prefix="perfcalc-") as temporary:
        try:
            with ZipFile(place) as archive:
                if sum(each.file_size for each in archive.infolist()) > LARGEST_BYTES:
                    raise InputError(f"{place}: unfolds to more than {LARGEST_BYTES >> 30} GiB", "unzip it yourself")
                archive.extractall(temporary)  # writes below the folder only, whatever the names say
        except (BadZipFile, NotImplementedError, RuntimeError, OSError, zlib_error) as error:
            raise InputError(f"{place}: cannot be unzipped: {error}", "ask for the archive again") from error
        # Most archives hold the folder, some what is in it.
        found = sorted(Path(temporary).rglob(MANIFEST), key=lambda path: len(path.parts))
        yield found[0].parent if found else Path(temporary)


def replay(
    directory: str | Path, *, digest: str | None = None, rulebook: RuleBookOf = "installed", threads: int | None = None
) -> Replay:
    """Verify an evidence pack, and score its input again.

    Parameters
    ----------
    directory
        The pack, or a ZIP archive of it.
    digest
        The digest that was recorded when the pack was made. Without it, a pack of which every file was made anew by
        somebody, input, result and manifest together, looks as good as the first.
    rulebook
        Judge by the ``installed`` rule book, or by the one in the ``pack``.

    Raises
    ------
    InputError
        The folder is not an evidence pack.
    """
    if rulebook not in RULEBOOKS:
        raise InputError(f"{rulebook!r} is not a rule book", f"choose from {', '.join(RULEBOOKS)}")
    with unfolded(Path(directory)) as root:
        return _replay(str(directory), root, digest, rulebook, threads)


def _replay(folder: str, root: Path, digest: str | None, rulebook: RuleBookOf, threads: int | None) -> Replay:
    found, listed, findings = verify(root)
    if OPTIONS not in listed and not (root / OPTIONS).is_file():
        raise InputError(f"{root}: not an evidence pack: no {OPTIONS}", f"give the folder that holds {MANIFEST}")
    answer = Replay(folder, found, rulebook, findings)
    if digest is not None and digest.strip().casefold() != found:
        findings.append(Finding(MANIFEST, f"digest {found}, not {digest.strip()}: another pack, or a changed one"))
    damaged = {finding.file for finding in findings if finding.file != MANIFEST}
    answer.software = _other_software(root)
    answer.rules = _other_rules(root / RULES)
    if OPTIONS in damaged:
        return answer
    options = read_options(root / OPTIONS)
    sources = {OPTIONS, *(each.file for each in (*options.inputs, *options.overlays)), options.mapping} - {None}
    for name in sorted(map(str, sources - listed.keys())):
        findings.append(Finding(name, f"{OPTIONS} names it, and the manifest does not list it"))
    for each in (*options.inputs, *options.overlays):
        if each.file in listed and listed[each.file] != each.sha256:
            findings.append(Finding(each.file, f"not the file that {OPTIONS} names: another SHA-256"))
    if digest_of(root / RULES) != options.rulebook:
        findings.append(Finding(RULES, f"not the rule book that {OPTIONS} names: another SHA-256"))
    blocked = {finding.file for finding in findings if finding.file != MANIFEST}
    by_pack = rulebook == "pack"
    if sources & blocked or sources - listed.keys() or (by_pack and any(each.startswith(RULES) for each in blocked)):
        return answer
    with TemporaryDirectory(prefix="perfcalc-") as temporary:
        out = Path(temporary) / "out"
        out.mkdir()
        # A copy, because a rule book is read once a folder and process.
        own = Path(temporary) / RULES
        if by_pack:
            copytree(root / RULES, own)
        try:
            with law_from(own) if by_pack else nullcontext():
                answer.rows = produce(root, out, options, 1 if by_pack else threads)[0].rows
        except InputError as error:
            findings.append(Finding(OPTIONS, f"the pack cannot be scored again: {error.what}"))
            return answer
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            if not by_pack:
                raise
            findings.append(Finding(RULES, f"the pack's rule book cannot be used: {error}; it cannot be scored again"))
            return answer
        _compare(root, out, options, answer)
    return answer


def _compare(root: Path, out: Path, options: Options, answer: Replay) -> None:
    for name in produced(options.result):
        of_pack, again = root / name, out / name
        if not again.exists() or not of_pack.exists():
            if again.exists() or of_pack.exists():
                answer.outcomes[name] = MISSING if again.exists() else NOT_EXPECTED
        elif cmp(of_pack, again, shallow=False):
            answer.outcomes[name] = SAME
        else:
            answer.outcomes[name] = SAME_CELLS if _same_cells(of_pack, again) else DIFFERS
    if answer.outcomes.get(options.result) == DIFFERS:
        try:
            answer.differences += _first(_cells(root / options.result, out / options.result))
        except (pa.ArrowException, OSError, ValueError) as error:
            answer.differences.append(f"{options.result} of the pack cannot be read: {error}")
    if answer.outcomes.get(TRACES) == DIFFERS:
        answer.differences += _first(_traces(root / TRACES, out / TRACES))


def _same_cells(of_pack: Path, again: Path) -> bool:
    """Whether two Parquet files hold the same table; another version of the writer gives other bytes."""
    if of_pack.suffix != ".parquet":
        return False
    try:
        tables = [pq.read_table(path) for path in (of_pack, again)]
    except (pa.ArrowException, OSError, ValueError):
        return False
    return bool(tables[0].equals(tables[1], check_metadata=True))


def _rows(result: Path) -> Iterator[dict[str, Any]]:
    for batch in result_batches(result):
        yield from batch.to_pylist()


def _cells(of_pack: Path, again: Path) -> Iterator[str]:
    there, here = _rows(of_pack), _rows(again)
    number = 0
    while True:
        number += 1
        one, other = next(there, None), next(here, None)
        if one is None or other is None:
            if one is not other:
                yield f"row {number}: only {'in the pack' if other is None else 'when scored again'}"
            return
        for column in dict.fromkeys((*other, *one)):
            pair = one.get(column), other.get(column)
            # Two that are not a number are not equal, and still the same.
            if pair[0] != pair[1] and not (pair[0] != pair[0] and pair[1] != pair[1]):
                yield f"row {number} ({other.get('name')}): {column} is {pair[0]!r} in the pack, {pair[1]!r} when scored again"


def _traces(of_pack: Path, again: Path) -> Iterator[str]:
    there = of_pack.read_text("utf-8", "replace").splitlines()
    here = again.read_text("utf-8").splitlines()
    known = set(there)
    for line in here:
        if line not in known:
            trace = json.loads(line)
            yield f"{TRACES}: row {trace['row']} ({trace['item']}) is explained otherwise"
    if len(there) != len(here):
        yield f"{TRACES}: {len(there):,} items in the pack, {len(here):,} when scored again"


def _first(found: Iterator[str]) -> list[str]:
    shown = [text for text, _ in zip(found, range(SHOWN), strict=False)]
    more = sum(1 for _ in found)
    return [*shown, f"and {more:,} more"] if more else shown


def _other_software(root: Path) -> dict[str, tuple[str, str]]:
    try:
        said = json.loads((root / "run.json").read_text("utf-8"))["software"]
        pairs = {name: (str(said.get(name, "not said")), here) for name, here in software().items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {name: ("cannot be read", here) for name, here in software().items()}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def _other_rules(folder: Path) -> list[str]:
    there, here = (
        {path.relative_to(root).as_posix(): sha256_of(path) for path in rule_files(root)} for root in (folder, FOLDER)
    )
    return sorted(name for name in there.keys() | here.keys() if there.get(name) != here.get(name))


def replay_lines(answer: Replay) -> Iterator[str]:
    """What the command line prints."""
    if not answer.findings:
        yield "every file is as the manifest says"
    for finding in answer.findings:
        yield f"CHANGED  {finding.file}: {finding.what}"
    if answer.rules:
        listed = ", ".join(answer.rules[:SHOWN]) + (", ..." if len(answer.rules) > SHOWN else "")
        yield f"the rule book installed here is not the pack's: {len(answer.rules)} files differ ({listed})"
        used = "the pack's" if answer.rulebook == "pack" else "the installed one; --rulebook pack judges by the pack's"
        yield f"judged by {used}"
    for name, (of_pack, here) in answer.software.items():
        yield f"{name} was {of_pack} when the pack was made, and is {here} here"
    if not answer.outcomes:
        yield "not scored again: what a score rests on was changed"
    for name, outcome in answer.outcomes.items():
        words = {
            SAME: "the same bytes",
            SAME_CELLS: "the same cells in other bytes",
            DIFFERS: "DIFFERS from what comes out",
            MISSING: "MISSING: it comes out, and the pack has none",
            NOT_EXPECTED: "NOT EXPECTED: the pack has one, and none comes out",
        }[outcome]
        yield f"{name}: {words}"
    yield from answer.differences
    rows = f"{answer.rows:,} rows scored again" if answer.outcomes else "nothing scored again"
    yield f"{'SAME' if answer.same else 'DIFFERS'}: {rows}; digest {answer.digest}"
