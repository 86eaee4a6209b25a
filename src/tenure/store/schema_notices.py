"""
The tables of telling: notices, who read them, contacts, deliveries, lead times, calendar feeds.

Part of `schema.metadata`, in a module of its own. A notice is never altered once it is written:
that it was read, or sent, stands in a row of its own.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    text,
)

from tenure.store.schema import metadata

# Numbers are handed out under the write lock, so they are in the order of the commits: whoever has
# seen number N has seen all before it.
notices = Table(
    "notices",
    metadata,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("notice_id", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    Column("audience", Text, nullable=False),
    Column("account_id", Text),
    Column("key_id", Text),
    Column("seq", BigInteger),
    Column("permission", Text),
    Column("ends_at_ms", BigInteger),
    Column("lead_ms", BigInteger),
    Column("facts", Text, nullable=False),
    Column("happened_at_ms", BigInteger, nullable=False),
    Column("written_at_ms", BigInteger, nullable=False),
    Column("mark_id", Text),
    Index("ix_notices_account", "account_id", "number"),
    # The few that go to many accounts at once.
    Index(
        "ix_notices_broadcast",
        "number",
        sqlite_where=text("audience <> 'account'"),
        postgresql_where=text("audience <> 'account'"),
    ),
    Index(
        "ix_notices_warnings",
        "lead_ms",
        "number",
        sqlite_where=text("lead_ms IS NOT NULL"),
        postgresql_where=text("lead_ms IS NOT NULL"),
    ),
    sqlite_autoincrement=True,
)

notice_reads = Table(
    "notice_reads",
    metadata,
    Column("account_id", Text, primary_key=True),
    Column("notice_id", Text, primary_key=True),
    Column("read_at_ms", BigInteger, nullable=False),
)

# How far each piece of background work has come: warnings by lead time, climbing, fanning out.
notice_positions = Table(
    "notice_positions",
    metadata,
    Column("name", Text, primary_key=True),
    Column("position", Text, nullable=False),
)

contacts = Table(
    "contacts",
    metadata,
    Column("contact_id", Text, primary_key=True),
    Column("account_id", Text, ForeignKey("accounts.account_id"), nullable=False, index=True),
    Column("channel", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("language", Text),
    Column("time_zone", Text),
    Column("muted", Text, nullable=False),
    Column("added_at_ms", BigInteger, nullable=False),
    Column("confirmed_at_ms", BigInteger),
    Column("removed_at_ms", BigInteger),
    Column("sealed_secret", LargeBinary),
    Column("sealed_old_secret", LargeBinary),
    Column("old_secret_until_ms", BigInteger),
)

# `next_attempt_at_ms` is null once there is nothing left to do: delivered, or given up.
deliveries = Table(
    "deliveries",
    metadata,
    Column("notice_id", Text, primary_key=True),
    Column("contact_id", Text, ForeignKey("contacts.contact_id"), primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("channel", Text, nullable=False),
    Column("made_at_ms", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_attempt_at_ms", BigInteger),
    Column("delivered_at_ms", BigInteger),
    Column("given_up_at_ms", BigInteger),
    Column("last_error", Text),
    Index(
        "ix_deliveries_due",
        "channel",
        "next_attempt_at_ms",
        "number",
        sqlite_where=text("next_attempt_at_ms IS NOT NULL"),
        postgresql_where=text("next_attempt_at_ms IS NOT NULL"),
    ),
    Index(
        "ix_deliveries_pending",
        "contact_id",
        sqlite_where=text("next_attempt_at_ms IS NOT NULL"),
        postgresql_where=text("next_attempt_at_ms IS NOT NULL"),
    ),
)

# How long before an end an account chose to be warned, a row each; none leaves it to the rules.
lead_times = Table(
    "lead_times",
    metadata,
    Column("account_id", Text, ForeignKey("accounts.account_id"), primary_key=True),
    # Which of them anybody chose is asked in each tick.
    Column("lead_ms", BigInteger, primary_key=True, autoincrement=False, index=True),
)

calendars = Table(
    "calendars",
    metadata,
    Column("account_id", Text, ForeignKey("accounts.account_id"), primary_key=True),
    Column("secret_hash", Text, nullable=False, unique=True),
    Column("made_at_ms", BigInteger, nullable=False),
)
