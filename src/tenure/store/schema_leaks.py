"""The table of leak reports, beside those of `schema`: a queue, and what each report said."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Table, Text, text

from tenure.store.schema import metadata

# A report is known by its content, so the same one sent again finds itself here (SECURITY T19).
leak_reports = Table(
    "leak_reports",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("key_id", Text, ForeignKey("keys.key_id"), nullable=False),
    Column("reporter", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("found_at_ms", BigInteger),
    Column("received_at_ms", BigInteger, nullable=False),
    Column("worked_at_ms", BigInteger),
    # What the tick asks for: reports that nobody has worked off, key by key.
    Index(
        "ix_leak_reports_due",
        "key_id",
        sqlite_where=text("worked_at_ms IS NULL"),
        postgresql_where=text("worked_at_ms IS NULL"),
    ),
)
