"""
What owners look at and choose: refused requests, the end of their journal, lead times of warnings.

Revision 0013: two new tables, which older code passes over, and two indexes that each got a column
more, by which it reads as before.
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward; there is no way back (DESIGN: forward only)."""
    op.create_table(
        "key_refusals",
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("permission", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("times", sa.BigInteger(), nullable=False),
        sa.Column("first_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("last_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("since_ms", sa.BigInteger(), nullable=True),
        sa.Column("rule_id", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["key_id"], ["keys.key_id"], name=op.f("fk_key_refusals_key_id")),
        sa.PrimaryKeyConstraint(
            "key_id", "reason", "permission", "address", name=op.f("pk_key_refusals")
        ),
    )
    op.create_table(
        "lead_times",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("lead_ms", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.account_id"], name=op.f("fk_lead_times_account_id")
        ),
        sa.PrimaryKeyConstraint("account_id", "lead_ms", name=op.f("pk_lead_times")),
    )
    op.create_index(op.f("ix_lead_times_lead_ms"), "lead_times", ["lead_ms"])
    op.create_index("ix_events_account_id_seq", "events", ["account_id", "seq"])
    op.create_index("ix_events_key_id_seq", "events", ["key_id", "seq"])
    op.drop_index(op.f("ix_events_account_id"), table_name="events")
    op.drop_index(op.f("ix_events_key_id"), table_name="events")
