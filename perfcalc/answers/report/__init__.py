"""A report of a scored sheet: one HTML file that opens anywhere, asks no network and prints (extra ``charts``)."""

from perfcalc.answers.report.build import KeptSheet, keep, write_report

__all__ = ["KeptSheet", "keep", "write_report"]
