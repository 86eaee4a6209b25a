"""
When a key leaks: marks that revoke many keys, quarantine, and rotation with overlap.

Revision 0007. Code of the release before does not know marks, so it must not serve this store; all
it would write stays valid.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward; there is no way back (DESIGN: forward only)."""
    op.create_table(
        "revocations",
        sa.Column("mark_id", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=True),
        sa.Column("account_id", sa.Text(), nullable=True),
        sa.Column("issued_before_ms", sa.BigInteger(), nullable=False),
        sa.Column("made_at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.account_id"], name=op.f("fk_revocations_account_id")
        ),
        sa.PrimaryKeyConstraint("mark_id", name=op.f("pk_revocations")),
    )
    op.add_column("keys", sa.Column("quarantined_at_ms", sa.BigInteger(), nullable=True))
    op.add_column("keys", sa.Column("quarantine_cause", sa.Text(), nullable=True))
    op.add_column("keys", sa.Column("old_public_key", sa.Text(), nullable=True))
    op.add_column("keys", sa.Column("old_sealed_secret", sa.LargeBinary(), nullable=True))
    op.add_column("keys", sa.Column("old_until_ms", sa.BigInteger(), nullable=True))
    op.create_index("ix_keys_label", "keys", ["label"], unique=False)
    op.create_index(
        "ix_keys_overlap",
        "keys",
        ["old_until_ms"],
        unique=False,
        sqlite_where=sa.text("old_until_ms IS NOT NULL"),
        postgresql_where=sa.text("old_until_ms IS NOT NULL"),
    )
