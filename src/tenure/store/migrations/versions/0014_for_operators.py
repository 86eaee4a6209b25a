"""
What operators search by, and house-wide acts that wait for a second person.

Revision 0014: indexes, an order of bytes on PostgreSQL (SQLite has no other), and a new table.
Older code passes over all of it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward; there is no way back (DESIGN: forward only)."""
    if op.get_bind().dialect.name == "postgresql":
        # The rows stay as they are; the two unique indexes are made anew.
        op.execute('ALTER TABLE keys ALTER COLUMN api_key TYPE TEXT COLLATE "C"')
        op.execute('ALTER TABLE accounts ALTER COLUMN email TYPE TEXT COLLATE "C"')
    op.create_index(op.f("ix_key_addresses_address"), "key_addresses", ["address"])
    op.create_table(
        "approvals",
        sa.Column("approval_id", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("proposed_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("expires_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("settled_at_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("approval_id", name=op.f("pk_approvals")),
    )
    op.create_index(
        "ix_approvals_waiting",
        "approvals",
        ["expires_at_ms"],
        sqlite_where=sa.text("settled_at_ms IS NULL"),
        postgresql_where=sa.text("settled_at_ms IS NULL"),
    )
