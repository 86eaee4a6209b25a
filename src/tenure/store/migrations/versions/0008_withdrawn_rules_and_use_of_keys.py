"""
Rules that were withdrawn, and when and where keys are used.

Revision 0008: one new column without a value, and two new tables; older code passes over both.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward; there is no way back (DESIGN: forward only)."""
    with op.batch_alter_table("rules", schema=None) as batch_op:
        batch_op.add_column(sa.Column("withdrawn_at_ms", sa.BigInteger(), nullable=True))

    op.create_table(
        "key_usage",
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("first_used_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("last_used_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("last_address", sa.Text(), nullable=False),
        sa.Column("last_permission", sa.Text(), nullable=False),
        sa.Column("told_on_day", sa.Integer(), nullable=False),
        sa.Column("told_count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["key_id"], ["keys.key_id"], name=op.f("fk_key_usage_key_id")),
        sa.PrimaryKeyConstraint("key_id", name=op.f("pk_key_usage")),
    )
    op.create_table(
        "key_addresses",
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("first_used_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("last_used_at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["key_id"], ["keys.key_id"], name=op.f("fk_key_addresses_key_id")),
        sa.PrimaryKeyConstraint("key_id", "address", name=op.f("pk_key_addresses")),
    )
