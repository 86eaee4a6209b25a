"""
What operators search by, and house-wide acts that wait for a second person.

Revision 0014: indexes, an order of bytes on PostgreSQL (SQLite has no other), and a new table.
Older code passes over all of it.
"""

from alembic import op

revision = "0014"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward; there is no way back (DESIGN: forward only)."""
    if op.get_bind().dialect.name == "postgresql":
        # The rows stay as they are; the two unique indexes are made anew.
        op.execute('ALTER TABLE keys ALTER COLUMN api_key TYPE TEXT COLLATE "C"')
        op.execute('ALTER TABLE accounts ALTER COLUMN email TYPE TEXT COLLATE "C"')
    op.create_index(op.f("ix_key_addresses_address"), "key_addresses", ["address"])
