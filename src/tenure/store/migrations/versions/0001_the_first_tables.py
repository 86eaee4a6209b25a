"""
The first tables.

Revision 0001: nothing stood here before.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward; there is no way back (DESIGN: forward only)."""
    op.create_table(
        "accounts",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("master_id", sa.Text(), nullable=True),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("frozen_at_ms", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "(kind = 'sub') = (master_id IS NOT NULL)", name=op.f("ck_accounts_sub_has_master")
        ),
        sa.ForeignKeyConstraint(
            ["master_id"], ["accounts.account_id"], name=op.f("fk_accounts_master_id")
        ),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_accounts")),
        sa.UniqueConstraint("email", name=op.f("uq_accounts_email")),
    )
    with op.batch_alter_table("accounts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_accounts_master_id"), ["master_id"], unique=False)

    op.create_table(
        "data_keys",
        sa.Column("data_key_id", sa.Text(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("data_key_id", name=op.f("pk_data_keys")),
    )
    op.create_table(
        "events",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("tag", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=True),
        sa.Column("key_id", sa.Text(), nullable=True),
        sa.Column("happened_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("previous_hash", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_events")),
    )
    with op.batch_alter_table("events", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_events_account_id"), ["account_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_events_key_id"), ["key_id"], unique=False)

    op.create_table(
        "journal_head",
        sa.Column("head_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("recorded_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("head_id", name=op.f("pk_journal_head")),
    )
    op.create_table(
        "marks",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_marks")),
    )
    op.create_table(
        "rules",
        sa.Column("rule_id", sa.Text(), nullable=False),
        sa.Column("effective_from_ms", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("rule_id", name=op.f("pk_rules")),
    )
    op.create_table(
        "keys",
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("api_key", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("key_type", sa.Text(), nullable=False),
        sa.Column("public_key", sa.Text(), nullable=True),
        sa.Column("sealed_secret", sa.LargeBinary(), nullable=True),
        sa.Column("ip_allowlist", sa.Text(), nullable=False),
        sa.Column("issued_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("edited_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.account_id"], name=op.f("fk_keys_account_id")
        ),
        sa.PrimaryKeyConstraint("key_id", name=op.f("pk_keys")),
        sa.UniqueConstraint("api_key", name=op.f("uq_keys_api_key")),
    )
    with op.batch_alter_table("keys", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_keys_account_id"), ["account_id"], unique=False)

    op.create_table(
        "grants",
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("permission", sa.Text(), nullable=False),
        sa.Column("granted_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("starts_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("ends_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("rule_id", sa.Text(), nullable=True),
        sa.Column("swept_at_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["key_id"], ["keys.key_id"], name=op.f("fk_grants_key_id")),
        sa.PrimaryKeyConstraint("key_id", "permission", name=op.f("pk_grants")),
    )
    with op.batch_alter_table("grants", schema=None) as batch_op:
        batch_op.create_index(
            "ix_grants_due",
            ["ends_at_ms"],
            unique=False,
            sqlite_where=sa.text("swept_at_ms IS NULL AND ends_at_ms IS NOT NULL"),
            postgresql_where=sa.text("swept_at_ms IS NULL AND ends_at_ms IS NOT NULL"),
        )
    # The one row whose update is the journal's lock; its hash is what the first event names.
    head = sa.table(
        "journal_head",
        sa.column("head_id", sa.Integer),
        sa.column("seq", sa.BigInteger),
        sa.column("hash", sa.Text),
        sa.column("recorded_at_ms", sa.BigInteger),
    )
    op.bulk_insert(head, [{"head_id": 1, "seq": 0, "hash": "0" * 64, "recorded_at_ms": 0}])
