"""
The queue of leak reports.

Revision 0004, after 0001.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward; there is no way back (DESIGN: forward only)."""
    op.create_table(
        "leak_reports",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("reporter", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("found_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("received_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("worked_at_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["key_id"], ["keys.key_id"], name=op.f("fk_leak_reports_key_id")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_leak_reports")),
    )
    with op.batch_alter_table("leak_reports", schema=None) as batch_op:
        batch_op.create_index(
            "ix_leak_reports_due",
            ["key_id"],
            unique=False,
            sqlite_where=sa.text("worked_at_ms IS NULL"),
            postgresql_where=sa.text("worked_at_ms IS NULL"),
        )
