"""
The tables, once, for SQLite and PostgreSQL alike.

Migrations (`migrations/`) lead here step by step; `alembic check` proves that they do. Instants are
big integers (ms, UTC); ids are text and case-sensitive on both databases.
"""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    text,
)

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(column_0_label)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

# Sorted by its bytes on either database: what begins alike stands together, and is found by that.
_BYTEWISE = Text().with_variant(Text(collation="C"), "postgresql")

# Facts about the store itself: `sandbox`, `sealing_key_check`, `log_key`, `restored` …
marks = Table(
    "marks",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

accounts = Table(
    "accounts",
    metadata,
    Column("account_id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("email", _BYTEWISE, nullable=False, unique=True),
    Column("master_id", Text, ForeignKey("accounts.account_id"), index=True),
    Column("created_at_ms", BigInteger, nullable=False),
    Column("frozen_at_ms", BigInteger),
    CheckConstraint("(kind = 'sub') = (master_id IS NOT NULL)", name="sub_has_master"),
)

keys = Table(
    "keys",
    metadata,
    Column("key_id", Text, primary_key=True),
    Column("api_key", _BYTEWISE, nullable=False, unique=True),
    Column("account_id", Text, ForeignKey("accounts.account_id"), nullable=False, index=True),
    # Also asked for by label: which keys a mark would revoke.
    Column("label", Text, nullable=False, index=True),
    Column("key_type", Text, nullable=False),
    Column("public_key", Text),
    Column("sealed_secret", LargeBinary),
    Column("ip_allowlist", Text, nullable=False),
    Column("issued_at_ms", BigInteger, nullable=False),
    Column("edited_at_ms", BigInteger, nullable=False),
    Column("revoked_at_ms", BigInteger),
    Column("version", Integer, nullable=False),
    Column("quarantined_at_ms", BigInteger),
    Column("quarantine_cause", Text),
    # After a rotation: what counts beside the new secret or public key, and until when.
    Column("old_public_key", Text),
    Column("old_sealed_secret", LargeBinary),
    Column("old_until_ms", BigInteger),
    Index(
        "ix_keys_overlap",
        "old_until_ms",
        sqlite_where=text("old_until_ms IS NOT NULL"),
        postgresql_where=text("old_until_ms IS NOT NULL"),
    ),
)

# Many keys revoked by one row (SECURITY D17); never altered, never deleted. Not to be confused with
# `marks`, which are facts about the store.
revocations = Table(
    "revocations",
    metadata,
    Column("mark_id", Text, primary_key=True),
    Column("label", Text),
    Column("account_id", Text, ForeignKey("accounts.account_id")),
    Column("issued_before_ms", BigInteger, nullable=False),
    Column("made_at_ms", BigInteger, nullable=False),
)

grants = Table(
    "grants",
    metadata,
    Column("key_id", Text, ForeignKey("keys.key_id"), primary_key=True),
    Column("permission", Text, primary_key=True),
    Column("granted_at_ms", BigInteger, nullable=False),
    Column("starts_at_ms", BigInteger),
    Column("ends_at_ms", BigInteger),
    Column("rule_id", Text),
    Column("swept_at_ms", BigInteger),
    # What the sweeper asks for: terms that have ended and are not yet recorded. The warnings ask
    # for those that end soon, page after page, also where a million end at one instant.
    Index(
        "ix_grants_due",
        "ends_at_ms",
        "key_id",
        "permission",
        sqlite_where=text("swept_at_ms IS NULL AND ends_at_ms IS NOT NULL"),
        postgresql_where=text("swept_at_ms IS NULL AND ends_at_ms IS NOT NULL"),
    ),
)

rules = Table(
    "rules",
    metadata,
    Column("rule_id", Text, primary_key=True),
    Column("effective_from_ms", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    Column("withdrawn_at_ms", BigInteger),
)

data_keys = Table(
    "data_keys",
    metadata,
    Column("data_key_id", Text, primary_key=True),
    Column("wrapped", LargeBinary, nullable=False),
    Column("created_at_ms", BigInteger, nullable=False),
)

events = Table(
    "events",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("tag", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("account_id", Text),
    Column("key_id", Text),
    Column("happened_at_ms", BigInteger, nullable=False),
    Column("recorded_at_ms", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    Column("previous_hash", Text, nullable=False),
    Column("hash", Text, nullable=False),
    # With the seq beside it, so that the last ones of an account are read from the end.
    Index("ix_events_account_id_seq", "account_id", "seq"),
    Index("ix_events_key_id_seq", "key_id", "seq"),
)

# One row: the last event. Updating it is the lock that makes `seq` gap-free and in commit order.
journal_head = Table(
    "journal_head",
    metadata,
    Column("head_id", Integer, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),
    Column("hash", Text, nullable=False),
    Column("recorded_at_ms", BigInteger, nullable=False),
)

# When and where each key was last used, as far as anybody noted it: lossy, and decided by nowhere.
key_usage = Table(
    "key_usage",
    metadata,
    Column("key_id", Text, ForeignKey("keys.key_id"), primary_key=True),
    Column("first_used_at_ms", BigInteger, nullable=False),
    Column("last_used_at_ms", BigInteger, nullable=False),
    Column("last_address", Text, nullable=False),
    Column("last_permission", Text, nullable=False),
    # How many events told of new addresses on one day, counted from 1970: they are bounded.
    Column("told_on_day", Integer, nullable=False),
    Column("told_count", Integer, nullable=False),
    # The last day an event told that the secret from before a rotation was used.
    Column("old_secret_told_on_day", Integer),
)

# The last few addresses each key was used from; `domain.usage` says how many.
key_addresses = Table(
    "key_addresses",
    metadata,
    Column("key_id", Text, ForeignKey("keys.key_id"), primary_key=True),
    Column("address", Text, primary_key=True, index=True),
    Column("first_used_at_ms", BigInteger, nullable=False),
    Column("last_used_at_ms", BigInteger, nullable=False),
)

# What was refused to each key, why and from where; `domain.refusals` says how many rows. As lossy
# as the two above, and decided by nowhere.
key_refusals = Table(
    "key_refusals",
    metadata,
    Column("key_id", Text, ForeignKey("keys.key_id"), primary_key=True),
    Column("reason", Text, primary_key=True),
    Column("permission", Text, primary_key=True),
    Column("address", Text, primary_key=True),
    Column("times", BigInteger, nullable=False),
    Column("first_at_ms", BigInteger, nullable=False),
    Column("last_at_ms", BigInteger, nullable=False),
    Column("since_ms", BigInteger),
    Column("rule_id", Text),
)

# Which request that may act once was done, and by which event: kept for a week.
acts = Table(
    "acts",
    metadata,
    Column("act_id", Text, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("made_at_ms", BigInteger, nullable=False, index=True),
)

# The Merkle tree over the journal: whole subtrees of 256 events and more. Smaller ones are worked
# out from the events.
tree_nodes = Table(
    "tree_nodes",
    metadata,
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("hash", LargeBinary, nullable=False),
)

# What was signed of it; pushed when every place it goes to had it.
checkpoints = Table(
    "checkpoints",
    metadata,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("root", LargeBinary, nullable=False),
    Column("note", Text, nullable=False),
    Column("signed_at_ms", BigInteger, nullable=False),
    Column("pushed_at_ms", BigInteger),
)
