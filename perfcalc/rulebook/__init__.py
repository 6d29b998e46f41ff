"""The law as data: dated, cited YAML. This wing never computes; `perfcalc.verdicts` judges by it."""
