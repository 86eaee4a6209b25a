"""How fast Tenure is, as ratios within one run; `python -m benchmarks --help`."""
