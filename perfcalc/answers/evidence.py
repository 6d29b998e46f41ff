"""Evidence packs: everything that a run rests on and everything that it gave, in one folder that can be replayed."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from shutil import copyfile, copyfileobj, rmtree
from tempfile import mkdtemp
from typing import Any, Final

import yaml

from perfcalc.answers.manifest import sha256_of, write_manifest
from perfcalc.answers.packfiles import law_json, readme, software
from perfcalc.answers.traces import HOW, TRACED_ITEMS, chosen_rows, write_traces
from perfcalc.errors import InputError
from perfcalc.files import whole_files
from perfcalc.line import Plan, parse_day, score_sheet
from perfcalc.metrics.readings import Readings
from perfcalc.plans import plan_for
from perfcalc.rulebook.book import Law
from perfcalc.rulebook.folders import digest_of, folder_in_use, rule_files
from perfcalc.rulebook.overlay import find
from perfcalc.sheets.mapping import load_mapping, mapping_text
from perfcalc.sheets.read import _files, is_parquet, open_sheet
from perfcalc.sheets.rejects import rejects_path, write_rejects
from perfcalc.summary import Summary

FORMAT: Final = 1
OPTIONS, MAPPING, RULES = "options.json", "mapping.yaml", "rulebook"
COLUMNS, SUMMARY, LAW, TRACES = "columns.yaml", "summary.json", "law.json", "traces.jsonl"
RESULTS: Final = ("result.csv", "result.parquet")
STANDARD_INPUT: Final = "standard-input"


@dataclass(frozen=True)
class Source:
    """A file that a run read: where it is in the pack, what it was called on the command line, and its SHA-256."""

    file: str
    given: str
    sha256: str


@dataclass(frozen=True)
class Options:
    """Everything that decides what a run gives; ``options.json``."""

    as_of: str
    jurisdictions: tuple[str, ...]
    inputs: tuple[Source, ...]
    result: str
    law: Law = "enforced"
    readings: str | dict[str, str] = field(default_factory=dict)
    destination: str | None = None
    end_user_hq: str | None = None
    origin: bool = False
    overlays: tuple[Source, ...] = ()
    mapping: str | None = None
    traces: int = TRACED_ITEMS
    rulebook: str = ""
    format: int = FORMAT


@dataclass
class Evidence:
    """A pack that was made. `digest` is the SHA-256 of its manifest: record it elsewhere."""

    folder: str
    digest: str
    files: int
    result: str
    summary: Summary

    def to_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return {"folder": self.folder, "digest": self.digest, "files": self.files, "result": self.result}


def evidence(
    sheets: str | Path | Sequence[str | Path],
    directory: str | Path,
    *,
    output: str | Path | None = None,
    as_of: str | date | None = None,
    jurisdictions: Sequence[str] = ("us",),
    readings: str | Mapping[str, str] = "",
    destination: str | None = None,
    end_user_hq: str | None = None,
    law: Law = "enforced",
    rules: Sequence[str | Path] = (),
    mapping: Mapping[str, Any] | str | Path | None = None,
    origin: bool = False,
    traces: int = TRACED_ITEMS,
    threads: int | None = None,
    command: Sequence[str] = (),
    progress: Callable[[int], None] = lambda _rows: None,
) -> Evidence:
    """Score sheets and write an evidence pack, which `replay` scores again.

    Parameters
    ----------
    sheets
        Files, folders or patterns, as `perfcalc.read` takes them.
    directory
        A folder that does not exist, or is empty. It appears whole or not at all.
    output
        Also write the result here; its ending says whether the pack holds CSV or Parquet.
    traces
        Of how many items the pack explains every paragraph; of more items, those of distinct outcomes go first.
    command
        The command line, to be kept in the pack.

    Raises
    ------
    InputError
        An option or a sheet cannot be used, or the folder is not empty.
    """
    out = None if output is None else Path(output)
    if out is not None and not out.parent.is_dir():
        raise InputError(f"{out.parent}: no such folder", "make it, or choose another place")
    given = [sheets] if isinstance(sheets, str | Path) else list(sheets)
    overlays = [rules] if isinstance(rules, str | Path) else list(rules)
    source = load_mapping(mapping) if isinstance(mapping, str | Path) else dict(mapping or {})
    if source and "columns" not in source:
        source = load_mapping(None, [f"{heading}={name}" for heading, name in source.items()])
    with whole_folder(Path(directory)) as root:
        options = Options(
            as_of=parse_day(as_of).isoformat(),
            jurisdictions=tuple(jurisdictions),
            inputs=tuple(_copied(root, "input", [file for each in given for file in _files(Path(each))])),
            result=RESULTS[1] if out is not None and is_parquet(out) else RESULTS[0],
            law=law,
            readings=dict(readings) if isinstance(readings, Mapping) else readings,
            destination=destination,
            end_user_hq=end_user_hq,
            origin=origin,
            overlays=tuple(_copied(root, "overlays", [find(each) for each in overlays])),
            mapping=MAPPING if source else None,
            traces=traces,
            rulebook=digest_of(folder_in_use()),
        )
        if source:
            (root / MAPPING).write_text(yaml.safe_dump(source, allow_unicode=True, sort_keys=False), "utf-8")
        for path in rule_files(folder_in_use()):
            copy = root / RULES / path.relative_to(folder_in_use())
            copy.parent.mkdir(parents=True, exist_ok=True)
            copyfile(path, copy)
        summary, options = produce(root, root, options, threads, progress)
        _write_json(root / OPTIONS, asdict(options))
        _write_json(root / "run.json", {"command": list(command), "software": software()})
        _write_json(root / "made.json", {"made": datetime.now(UTC).isoformat(timespec="seconds")})
        (root / "README.md").write_text(readme(options, summary), "utf-8", newline="\n")
        digest = write_manifest(root)
        files = sum(path.is_file() for path in root.rglob("*"))
        if out is not None:
            _copy_out(root / options.result, out)
    return Evidence(str(directory), digest, files, options.result, summary)


def produce(
    root: Path,
    out: Path,
    options: Options,
    threads: int | None = None,
    progress: Callable[[int], None] = lambda _rows: None,
) -> tuple[Summary, Options]:
    """Score the inputs of a pack and write everything that follows from them; the same for a pack and its replay.

    The options come back with every choice written out.
    """
    named = {str(root / each.file): each.given for each in (*options.inputs, *options.overlays)}
    try:
        source = load_mapping(root / options.mapping) if options.mapping else {}
        sheet = open_sheet([root / each.file for each in options.inputs], source.get("columns", ()))
        plan = plan_for(
            sheet.schema.names,
            "the sheet",
            options.as_of,
            options.jurisdictions,
            options.readings,
            destination=options.destination,
            end_user_hq=options.end_user_hq,
            law=options.law,
            rules=[root / each.file for each in options.overlays],
            mapping=source,
        )
        plan = replace(plan, origin=options.origin)
        summary, _ = score_sheet(sheet, plan, out / options.result, threads, progress)
        options = replace(options, jurisdictions=summary.jurisdictions, readings=_choices(plan))
        summary.rejects = [replace(each, file=_as_given(each.file, named)) for each in summary.rejects]
        if summary.rejects:
            write_rejects(summary.rejects, rejects_path(out / options.result))
        rows = chosen_rows(out / options.result, summary.rows, summary.jurisdictions, options.traces)
        write_traces(sheet, plan, rows, out / TRACES)
    except InputError as error:
        raise InputError(_as_given(error.what, named), error.remedy) from error
    (out / COLUMNS).write_text(mapping_text(plan.columns.bindings), "utf-8", newline="\n")  # type: ignore[attr-defined] # recognise gives Columns
    # The digest of the rule book stands in the options only: another book that says the same gives the same files.
    said = {key: value for key, value in summary.to_dict().items() if key != "rulebook"}
    traced = {"items": summary.rows, "traced": len(rows), "limit": options.traces, "which": HOW}
    _write_json(out / SUMMARY, {**said, "notes": sheet.notes, "traces": traced})
    _write_json(out / LAW, law_json(plan, options.overlays, [root / each.file for each in options.overlays]))
    return summary, options


def produced(result: str) -> tuple[str, ...]:
    """The files that `produce` writes; the rejects only if there are any."""
    return result, rejects_path(Path(result)).name, SUMMARY, LAW, COLUMNS, TRACES


def _choices(plan: Plan) -> str | dict[str, str]:
    return "all" if plan.widen else asdict(plan.readings)


def _as_given(text: str, named: Mapping[str, str]) -> str:
    for path, given in named.items():
        text = text.replace(path, given)
    return text


def _copied(root: Path, folder: str, paths: Sequence[Path]) -> Iterator[Source]:
    """Copy files into a pack, each into a folder of its own: their names stay, for they say what kind of file it is."""
    for number, path in enumerate(paths, start=1):
        name = STANDARD_INPUT if str(path) == "-" else path.name
        if not name.isprintable() or "\\" in name:
            raise InputError(f"{str(path)!r}: a name that a manifest cannot hold", "rename it")
        copy = root / folder / f"{number:02d}" / name
        copy.parent.mkdir(parents=True)
        try:
            if str(path) == "-":
                with copy.open("wb") as file:
                    copyfileobj(sys.stdin.buffer, file)
            else:
                copyfile(path, copy)
        except OSError as error:
            raise InputError(f"{path}: {error.strerror or error}", "check the path") from error
        yield Source(copy.relative_to(root).as_posix(), str(path), sha256_of(copy))


def _copy_out(result: Path, out: Path) -> None:
    """The result of the pack as the file that the user asked for, with its rejects."""
    with whole_files(out, rejects_path(out)) as (draft, rejects):
        copyfile(result, draft)
        if rejects_path(result).exists():
            copyfile(rejects_path(result), rejects)


def _write_json(path: Path, value: Any) -> None:
    path.write_text(f"{json.dumps(value, indent=2, ensure_ascii=False)}\n", "utf-8", newline="\n")


@contextmanager
def whole_folder(target: Path) -> Iterator[Path]:
    """A temporary folder beside `target`, which it becomes at the end; after an error there is nothing.

    Raises
    ------
    InputError
        Something is there already.
    """
    taken = InputError(f"{target}: there is something already", "name a folder that does not exist, or is empty")
    if target.is_symlink() or (target.exists() and not (target.is_dir() and not any(target.iterdir()))):
        raise taken
    if not target.absolute().parent.is_dir():
        raise InputError(f"{target.parent}: no such folder", "make it, or choose another place")
    beside = Path(mkdtemp(prefix=".perfcalc-", dir=target.absolute().parent))
    try:
        draft = beside / "pack"
        draft.mkdir()
        yield draft
        if target.exists():
            target.rmdir()
        draft.rename(target)
    except OSError as error:
        raise InputError(f"{target}: cannot be written: {error.strerror or error}", "look at the folder") from error
    finally:
        rmtree(beside, ignore_errors=True)


def read_options(path: Path) -> Options:
    """The options of a pack.

    Raises
    ------
    InputError
        They are not of their form.
    """
    try:
        said = json.loads(path.read_text("utf-8"))
        sources = {
            name: tuple(Source(**{key: str(value) for key, value in one.items()}) for one in said.pop(name))
            for name in ("inputs", "overlays")
        }
        options = Options(**{**said, **sources, "jurisdictions": tuple(said["jurisdictions"])})
        if isinstance(options.readings, dict):
            Readings(**options.readings)
        known = options.result in RESULTS and options.mapping in (None, MAPPING) and options.inputs
        limit = int(options.traces)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise InputError(f"{path}: not the options of a pack: {error}", "make the pack anew") from error
    if options.format != FORMAT or not known or limit < 0:
        raise InputError(f"{path}: not the options of a pack of format {FORMAT}", "use the perfcalc that made the pack")
    return options
