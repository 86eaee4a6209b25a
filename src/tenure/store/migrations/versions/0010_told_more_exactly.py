"""
Which mark a notice tells of, and the day the use of a secret from before a rotation was told.

Revision 0010: two new columns without a value; older code passes over them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward; there is no way back (DESIGN: forward only)."""
    with op.batch_alter_table("key_usage", schema=None) as batch_op:
        batch_op.add_column(sa.Column("old_secret_told_on_day", sa.Integer(), nullable=True))
    with op.batch_alter_table("notices", schema=None) as batch_op:
        batch_op.add_column(sa.Column("mark_id", sa.Text(), nullable=True))
