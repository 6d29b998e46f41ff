"""``python -m perfcalc.cli``."""

from perfcalc.cli.app import main

main()
