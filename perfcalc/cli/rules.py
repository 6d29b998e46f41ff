"""``perfcalc rules``: the rule book itself."""

from __future__ import annotations

import json
import sys

import click

from perfcalc.cli.app import DONE, DONE_BUT, console, json_option, main, split


@main.group()
def rules() -> None:
    """The rule book: list it, show an entry, check it."""


@rules.command("list")
@click.option("--as-of", metavar="DATE", help="Only what is in force on this day.")
@click.option("--jurisdiction", help="One or more, joined by commas.")
@json_option
def rules_list(as_of: str | None, jurisdiction: str | None, as_json: bool) -> None:
    """List every version of every paragraph."""
    from perfcalc.answers.rules import list_rules, rules_table

    found = list_rules(as_of, split(jurisdiction) if jurisdiction else None)
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
@click.option("--as-of", metavar="DATE", help="Report texts that were last checked long before this day.")
@json_option
def rules_lint(as_of: str | None, as_json: bool) -> None:
    """Check the rule book: citations, dates, overlaps, names, staleness."""
    from perfcalc.line import parse_day
    from perfcalc.rulebook.book import load
    from perfcalc.rulebook.lint import lint

    findings = lint(load(), parse_day(as_of))
    if as_json:
        click.echo(json.dumps([vars(finding) for finding in findings], indent=2))
    else:
        for finding in findings:
            click.echo(f"{finding.level}: {finding.where}: {finding.what}")
        versions = len(load().rules)
        click.echo(f"{versions} versions checked, {sum(each.level == 'error' for each in findings)} errors")
    sys.exit(DONE_BUT if any(finding.level == "error" for finding in findings) else DONE)
