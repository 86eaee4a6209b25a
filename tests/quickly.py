"""Less work than it takes in earnest, for tests that are about something else."""

import pytest

from tenure.services.people import passwords


def hashes(patch: pytest.MonkeyPatch) -> None:
    """Let what is made from here on hash passwords with as little work as Argon2 allows."""
    patch.setattr(passwords, "MEMORY_KIB", 8)
    patch.setattr(passwords, "PASSES", 1)
