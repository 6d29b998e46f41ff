"""Stockpiled or made at home: certain answers first, then a small calibrated model, then "cannot tell"."""
