"""The house rules: what ruff and mypy cannot know about this tree, as functions over it."""
