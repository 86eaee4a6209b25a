"""The rules of Tenure as pure functions and frozen values: no I/O, clock, chance or logging."""
