"""``perfcalc rules``: the rule book itself."""

from __future__ import annotations

import json
import sys

import click

from perfcalc.cli.app import DONE, DONE_BUT, console, json_option, main, rules_option, split


@main.group()
def rules() -> None:
    """The rule book: list it, show an entry, check it."""


@rules.command("list")
@click.option("--as-of", metavar="DATE", help="Only what is in force on this day.")
@click.option("--jurisdiction", help="One or more, joined by commas.")
@rules_option
@json_option
def rules_list(as_of: str | None, jurisdiction: str | None, overlays: tuple[str, ...], as_json: bool) -> None:
    """List every version of every paragraph."""
    from perfcalc.answers.rules import list_rules, rules_table

    found = list_rules(as_of, split(jurisdiction) if jurisdiction else None, overlays)
    if as_json:
        click.echo(json.dumps(found, indent=2))
    else:
        console().print(rules_table(found))


@rules.command("show")
@click.argument("entry")
@click.option("--as-of", metavar="DATE", help="Only the version in force on this day.")
@json_option
def rules_show(entry: str, as_of: str | None, as_json: bool) -> None:
    """Show an entry or paragraph in every version, with its citations."""
    from perfcalc.answers.rules import rule_text, show_rules

    found = show_rules(entry, as_of)
    click.echo(json.dumps(found, indent=2) if as_json else "\n\n".join(rule_text(rule) for rule in found))


@rules.command("lint")
@click.argument("overlay", required=False)
@click.option("--as-of", metavar="DATE", help="Report texts that were last checked long before this day.")
@json_option
def rules_lint(overlay: str | None, as_of: str | None, as_json: bool) -> None:
    """Check the rule book, or an OVERLAY: citations, dates, overlaps, holes, names, staleness."""
    from perfcalc.answers.lint import lint_all

    findings, versions = lint_all(overlay, as_of)
    if as_json:
        click.echo(json.dumps([vars(finding) for finding in findings], indent=2))
    else:
        for finding in findings:
            click.echo(f"{finding.level}: {finding.where}: {finding.what}")
        click.echo(f"{versions} versions checked, {sum(each.level == 'error' for each in findings)} errors")
    sys.exit(DONE_BUT if any(finding.level == "error" for finding in findings) else DONE)


@rules.command("coverage")
@click.option(
    "--as-of", metavar="DATE", help="The law of this day. Default: the day on which the book was last checked."
)
@click.option("--markdown", is_flag=True, help="As the page docs/coverage.md.")
@json_option
def rules_coverage(as_of: str | None, markdown: bool, as_json: bool) -> None:
    """How far the rule book goes: modelled, flagged only, or not modelled."""
    from perfcalc.answers import ledgers

    answer = ledgers.rules_coverage(as_of)
    if as_json:
        click.echo(json.dumps(answer, indent=2))
    elif markdown:
        click.echo(ledgers.coverage_page(answer))
    else:
        console().print(ledgers.coverage_table(answer))
        for line in ledgers.topics_text(answer):
            console().print(line, markup=False)


@rules.command("ambiguities")
@click.option("--markdown", is_flag=True, help="As the page docs/ambiguities.md.")
@json_option
def rules_ambiguities(markdown: bool, as_json: bool) -> None:
    """Every open legal reading: who reads it how, what perfcalc does, which option changes it."""
    from perfcalc.answers import ledgers

    if as_json:
        click.echo(json.dumps(ledgers.ledger(), indent=2))
    else:
        click.echo(ledgers.ledger_page() if markdown else ledgers.ledger_text(ledgers.ledger()))
