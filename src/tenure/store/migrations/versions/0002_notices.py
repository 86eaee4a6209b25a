"""
Notices, contacts, deliveries and calendar feeds.

Revision 0002: every account's own e-mail becomes its first contact, so nobody goes without.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_ENDING = sa.text("swept_at_ms IS NULL AND ends_at_ms IS NOT NULL")
_BROADCAST = sa.text("audience <> 'account'")
_WARNING = sa.text("lead_ms IS NOT NULL")
_PENDING = sa.text("next_attempt_at_ms IS NOT NULL")


def upgrade() -> None:
    """Go forward; there is no way back (DESIGN: forward only)."""
    op.drop_index("ix_grants_due", table_name="grants")
    op.create_index(
        "ix_grants_due",
        "grants",
        ["ends_at_ms", "key_id", "permission"],
        sqlite_where=_ENDING,
        postgresql_where=_ENDING,
    )
    op.create_table(
        "notices",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("notice_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("audience", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=True),
        sa.Column("key_id", sa.Text(), nullable=True),
        sa.Column("seq", sa.BigInteger(), nullable=True),
        sa.Column("permission", sa.Text(), nullable=True),
        sa.Column("ends_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("lead_ms", sa.BigInteger(), nullable=True),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("happened_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("written_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_notices")),
        sa.UniqueConstraint("notice_id", name=op.f("uq_notices_notice_id")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_notices_account", "notices", ["account_id", "number"])
    op.create_index(
        "ix_notices_broadcast",
        "notices",
        ["number"],
        sqlite_where=_BROADCAST,
        postgresql_where=_BROADCAST,
    )
    op.create_index(
        "ix_notices_warnings",
        "notices",
        ["lead_ms", "number"],
        sqlite_where=_WARNING,
        postgresql_where=_WARNING,
    )
    op.create_table(
        "notice_reads",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("notice_id", sa.Text(), nullable=False),
        sa.Column("read_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "notice_id", name=op.f("pk_notice_reads")),
    )
    op.create_table(
        "notice_positions",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("position", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_notice_positions")),
    )
    op.create_table(
        "contacts",
        sa.Column("contact_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("time_zone", sa.Text(), nullable=True),
        sa.Column("muted", sa.Text(), nullable=False),
        sa.Column("added_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("confirmed_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("removed_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("sealed_secret", sa.LargeBinary(), nullable=True),
        sa.Column("sealed_old_secret", sa.LargeBinary(), nullable=True),
        sa.Column("old_secret_until_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.account_id"], name=op.f("fk_contacts_account_id")
        ),
        sa.PrimaryKeyConstraint("contact_id", name=op.f("pk_contacts")),
    )
    op.create_index(op.f("ix_contacts_account_id"), "contacts", ["account_id"])
    op.create_table(
        "deliveries",
        sa.Column("notice_id", sa.Text(), nullable=False),
        sa.Column("contact_id", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("made_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("delivered_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("given_up_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contacts.contact_id"], name=op.f("fk_deliveries_contact_id")
        ),
        sa.PrimaryKeyConstraint("notice_id", "contact_id", name=op.f("pk_deliveries")),
    )
    op.create_index(
        "ix_deliveries_due",
        "deliveries",
        ["channel", "next_attempt_at_ms", "number"],
        sqlite_where=_PENDING,
        postgresql_where=_PENDING,
    )
    op.create_index(
        "ix_deliveries_pending",
        "deliveries",
        ["contact_id"],
        sqlite_where=_PENDING,
        postgresql_where=_PENDING,
    )
    op.create_table(
        "calendars",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("secret_hash", sa.Text(), nullable=False),
        sa.Column("made_at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.account_id"], name=op.f("fk_calendars_account_id")
        ),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_calendars")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_calendars_secret_hash")),
    )
    # The same id that `store.contacts` gives the first contact of a new account.
    op.execute(
        "INSERT INTO contacts (contact_id, account_id, channel, address, muted, added_at_ms,"
        " confirmed_at_ms)"
        " SELECT 'ctc_' || substr(account_id, 6), account_id, 'email', email, '[]', created_at_ms,"
        " created_at_ms FROM accounts"
    )
