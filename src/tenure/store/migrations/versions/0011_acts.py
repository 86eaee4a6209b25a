"""
Acts: which request with an Idempotency-Key was done by which event.

Revision 0011: one new table; older code passes over it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward; there is no way back (DESIGN: forward only)."""
    op.create_table(
        "acts",
        sa.Column("act_id", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("made_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("act_id", name=op.f("pk_acts")),
    )
    op.create_index(op.f("ix_acts_made_at_ms"), "acts", ["made_at_ms"])
