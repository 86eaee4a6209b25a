"""The table of what waits, or waited, for a second person; part of `schema.metadata`."""

from sqlalchemy import BigInteger, Column, Index, Table, Text, text

from tenure.store.schema import metadata

# `body` is the whole proposal, as the journal has it; the columns are what is asked by.
approvals = Table(
    "approvals",
    metadata,
    Column("approval_id", Text, primary_key=True),
    Column("body", Text, nullable=False),
    Column("proposed_at_ms", BigInteger, nullable=False),
    Column("expires_at_ms", BigInteger, nullable=False),
    Column("settled_at_ms", BigInteger),
    Index(
        "ix_approvals_waiting",
        "expires_at_ms",
        sqlite_where=text("settled_at_ms IS NULL"),
        postgresql_where=text("settled_at_ms IS NULL"),
    ),
)
