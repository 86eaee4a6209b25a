"""
The tables of people who sign in, beside those of `schema`.

The second half is fleeting: sessions and whatever is under way. It is in no event and no backup,
for what was signed in before a restore is not signed in after it.
"""

from typing import Final

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

_STANDING: Final = text("removed_at_ms IS NULL")

people = Table(
    "people",
    metadata,
    Column("person_id", Text, primary_key=True),
    Column("email", Text, nullable=False),
    # What it is compared by at sign-in.
    Column("sign_in_name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("account_id", Text, ForeignKey("accounts.account_id")),
    Column("language", Text),
    Column("time_zone", Text),
    Column("created_at_ms", BigInteger, nullable=False),
    # Argon2id, with its parameters.
    Column("password_hash", Text),
    Column("password_set_at_ms", BigInteger),
    Column("totp_sealed", LargeBinary),
    Column("totp_added_at_ms", BigInteger),
    # The last step a code was accepted of: it and those before it are spent (SECURITY T21).
    Column("totp_last_step", BigInteger, nullable=False),
    Column("oidc_subject", Text),
    Column("locked_at_ms", BigInteger),
    # When the holder was last told of wrong passwords: once a day at most.
    Column("warned_at_ms", BigInteger),
    Column("recovery_begun_at_ms", BigInteger),
    Column("recovery_until_ms", BigInteger),
    Column("recovery_has_frozen", Integer),
    Column("removed_at_ms", BigInteger),
    Index(
        "uq_people_sign_in_name",
        "sign_in_name",
        unique=True,
        sqlite_where=_STANDING,
        postgresql_where=_STANDING,
    ),
    Index(
        "uq_people_account_id",
        "account_id",
        unique=True,
        sqlite_where=_STANDING,
        postgresql_where=_STANDING,
    ),
    Index(
        "uq_people_oidc_subject",
        "oidc_subject",
        unique=True,
        sqlite_where=_STANDING,
        postgresql_where=_STANDING,
    ),
)

passkeys = Table(
    "passkeys",
    metadata,
    Column("passkey_id", Text, primary_key=True),
    Column("person_id", Text, ForeignKey("people.person_id"), nullable=False, index=True),
    # What the authenticator calls it; public, and nobody else's.
    Column("credential_id", LargeBinary, nullable=False, unique=True),
    Column("public_key", LargeBinary, nullable=False),
    Column("sign_count", BigInteger, nullable=False),
    Column("transports", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("added_at_ms", BigInteger, nullable=False),
    Column("last_used_at_ms", BigInteger),
)

recovery_codes = Table(
    "recovery_codes",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("person_id", Text, ForeignKey("people.person_id"), nullable=False, index=True),
)

invitations = Table(
    "invitations",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("role", Text, nullable=False),
    # None for the first administrator, who says who he is when he joins.
    Column("person_id", Text, ForeignKey("people.person_id"), index=True),
    Column("ends_at_ms", BigInteger, nullable=False, index=True),
)

# An id is the SHA-256 of what the cookie holds: nobody who reads this signs in by it.
sessions = Table(
    "sessions",
    metadata,
    Column("session_id", Text, primary_key=True),
    Column("visit_id", Text, nullable=False),
    Column("person_id", Text, ForeignKey("people.person_id"), nullable=False, index=True),
    Column("stage", Text, nullable=False),
    Column("agent", Text, nullable=False),
    Column("started_at_ms", BigInteger, nullable=False),
    Column("seen_at_ms", BigInteger, nullable=False),
    Column("ends_at_ms", BigInteger, nullable=False, index=True),
)

challenges = Table(
    "challenges",
    metadata,
    Column("challenge_id", Text, primary_key=True),
    # What it is for, and whose: a visit, or a browser that is nobody's yet.
    Column("purpose", Text, nullable=False),
    Column("bound_to", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("ends_at_ms", BigInteger, nullable=False, index=True),
    Index("ix_challenges_bound_to", "bound_to", "purpose"),
)

step_ups = Table(
    "step_ups",
    metadata,
    Column("visit_id", Text, primary_key=True),
    Column("act", Text, primary_key=True),
    Column("ends_at_ms", BigInteger, nullable=False, index=True),
)

attempts = Table(
    "attempts",
    metadata,
    Column("attempt_id", Text, primary_key=True),
    # Whose budget it is taken from: a digest, for the name may be nobody's.
    Column("subject", Text, nullable=False),
    Column("made_at_ms", BigInteger, nullable=False, index=True),
    Index("ix_attempts_subject", "subject", "made_at_ms"),
)

FLEETING: Final = frozenset({"invitations", "sessions", "challenges", "step_ups", "attempts"})
"""The tables that are in no backup: who was signed in, or invited, has to begin again."""
