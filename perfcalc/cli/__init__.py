"""The command line. It reads options, calls the API and prints; it holds no logic of its own."""

from perfcalc.cli import answers, ask, chart, evidence, origin, quantum, read, rules, score, serve
from perfcalc.cli.app import main

__all__ = ["answers", "ask", "chart", "evidence", "main", "origin", "quantum", "read", "rules", "score", "serve"]
