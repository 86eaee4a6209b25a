"""What owners are told in RULES' worked life, and in a life of 31 days at every lead time."""

from collections.abc import Callable

import pytest

from tenure.domain.model import AccountKind, ApiKey
from tenure.domain.notices import Kind
from tenure.services import languages
from tenure.services.contacts import Wish
from tenure.services.keys import Wanted
from tests.builders import DAY_MS, FUTURES, HOME, MONTH_MS, TRADING, ms
from tests.services.parts import ACTOR, Parts
from tests.services.telling import Teller

pytestmark = pytest.mark.slow

LANGUAGES = ("en", "es", "ja", "zh-CN")
HOUR_MS = 3_600_000
SOON = Kind.TERM_ENDS_SOON

Act = Callable[[Parts, ApiKey], object]


def edited(**wanted: object) -> Act:
    return lambda parts, key: parts.edit(key, Wanted(**wanted))  # type: ignore[arg-type]  # by name


WORKED_LIFE: tuple[tuple[str, Act], ...] = (
    ("2021-12-01 10:00", edited(label="renamed")),
    ("2021-12-01 10:05", edited(permissions={FUTURES: True})),
    ("2021-12-10 09:00", edited(permissions={FUTURES: False})),
    ("2022-01-02 08:00", edited(ip_allowlist=(HOME,))),
    ("2022-01-02 08:01", edited(permissions={TRADING: True})),
    ("2022-02-01 08:00", edited(ip_allowlist=())),
    ("2022-02-20 08:00", edited(permissions={TRADING: "renew"})),
    ("2022-03-01 08:00", edited(ip_allowlist=(HOME,))),
    ("2022-03-02 08:00", lambda parts, key: parts.keys.revoke(key.key_id, ACTOR)),
)

WORKED_NOTICES = (
    ("2021-07-01 12:00", Kind.KEY_ISSUED),
    ("2021-12-01 10:00", Kind.KEY_EDITED),
    ("2021-12-01 10:05", Kind.TERM_STARTED),
    ("2021-12-10 09:00", Kind.KEY_EDITED),
    ("2021-12-24 10:05", SOON),
    ("2021-12-28 10:05", SOON),
    ("2021-12-30 10:05", SOON),
    ("2021-12-31 09:05", SOON),
    ("2021-12-31 10:05", Kind.TERM_ENDED),
    ("2022-01-02 08:00", Kind.KEY_EDITED),
    ("2022-01-02 08:01", Kind.KEY_EDITED),
    ("2022-02-01 08:00", Kind.TERM_STARTED),
    ("2022-02-20 08:00", Kind.TERM_STARTED),
    ("2022-03-01 08:00", Kind.TERM_LIFTED),
    ("2022-03-02 08:00", Kind.KEY_REVOKED),
)
"""Renewed on 2022-02-20, the term of 2022-02-01 is warned of no more: it would have been on -24."""


@pytest.mark.parametrize("kind", list(AccountKind))
def test_the_worked_life_is_told_row_by_row(parts: Parts, kind: AccountKind) -> None:
    parts.clock.now = parts.clock.wall = ms("2021-07-01 12:00")
    teller = Teller(parts)
    master = parts.account(AccountKind.MASTER).account_id if kind is AccountKind.SUB else None
    key = parts.issue(TRADING, account=parts.account(kind, master))
    acts = {ms(at): act for at, act in WORKED_LIFE}
    # The clock stops where an owner acts, and every hour in between.
    hours = range(parts.clock.now, ms("2022-03-10 00:00"), HOUR_MS)
    ends = [ms("2021-12-31 10:05") + off_ms for off_ms in (-1, 0)]
    leads = [ms("2021-12-31 10:05") - lead_ms for lead_ms in (7 * DAY_MS, 3 * DAY_MS, DAY_MS)]
    busy = [at_ms for at_ms in hours if ms("2021-12-23 00:00") < at_ms < ms("2022-01-01 00:00")]
    days = [at_ms for at_ms in hours if at_ms % DAY_MS == 12 * HOUR_MS]
    for at_ms in sorted({*acts, *busy, *days, *ends, *leads, ms("2021-12-31 09:05")}):
        parts.clock.set(at_ms)
        teller.tick()
        if at_ms in acts:
            acts[at_ms](parts, key)
            teller.tick()

    told = [
        (listed.notice.happened_at_ms, listed.notice.kind) for listed in teller.told(key.account_id)
    ]
    assert told == [(ms(at), kind) for at, kind in WORKED_NOTICES]
    mine = [sent for sent in teller.mail.sent if sent.contact.account_id == key.account_id]
    assert len(mine) == len(told), "each sent once"


LIFE_OF_31_DAYS = (
    (0, Kind.KEY_ISSUED, None),
    (MONTH_MS - 7 * DAY_MS, SOON, 7 * DAY_MS),
    (MONTH_MS - 3 * DAY_MS, SOON, 3 * DAY_MS),
    (MONTH_MS - DAY_MS, SOON, DAY_MS),
    (MONTH_MS - HOUR_MS, SOON, HOUR_MS),
    (MONTH_MS, Kind.TERM_ENDED, None),
)

SAID = {
    "en": (
        "API key “my bot” was issued",
        "“Enable Spot & Margin Trading” on API key “my bot” ends in 7 days",
        "“Enable Spot & Margin Trading” on API key “my bot” ends in 3 days",
        "“Enable Spot & Margin Trading” on API key “my bot” ends in 1 day",
        "“Enable Spot & Margin Trading” on API key “my bot” ends in 1 hour",
        "“Enable Spot & Margin Trading” on API key “my bot” has ended",
    ),
    "es": (
        "Se ha emitido la clave API «my bot»",
        "«Permitir el trading de spot y margen» de la clave API «my bot» termina en 7 días",
        "«Permitir el trading de spot y margen» de la clave API «my bot» termina en 3 días",
        "«Permitir el trading de spot y margen» de la clave API «my bot» termina en 1 día",
        "«Permitir el trading de spot y margen» de la clave API «my bot» termina en 1 hora",
        "«Permitir el trading de spot y margen» de la clave API «my bot» ha terminado",
    ),
    "ja": (
        "APIキー「my bot」が発行されました",
        "APIキー「my bot」の「現物・マージン取引を有効化」はあと7 日で終了します",
        "APIキー「my bot」の「現物・マージン取引を有効化」はあと3 日で終了します",
        "APIキー「my bot」の「現物・マージン取引を有効化」はあと1 日で終了します",
        "APIキー「my bot」の「現物・マージン取引を有効化」はあと1 時間で終了します",
        "APIキー「my bot」の「現物・マージン取引を有効化」は終了しました",
    ),
    "zh-CN": (
        "API 密钥“my bot”已创建",
        "API 密钥“my bot”的“允许现货及杠杆交易”将在 7天后到期",
        "API 密钥“my bot”的“允许现货及杠杆交易”将在 3天后到期",
        "API 密钥“my bot”的“允许现货及杠杆交易”将在 1天后到期",
        "API 密钥“my bot”的“允许现货及杠杆交易”将在 1小时后到期",
        "API 密钥“my bot”的“允许现货及杠杆交易”已到期",
    ),
}

ENDS = {
    "en": "January 1, 2022, 7:00:00 PM +0900 (2022-01-01 10:00:00 UTC)",
    "es": "1 de enero de 2022, 19:00:00 +0900 (2022-01-01 10:00:00 UTC)",
    "ja": "2022年1月1日 19:00:00 JST (2022-01-01 10:00:00 UTC)",
    "zh-CN": "2022年1月1日 +0900 19:00:00 (2022-01-01 10:00:00 UTC)",
}


def lived(teller: Teller, key: ApiKey) -> None:
    """Live 31 days, stopping a millisecond before each instant at which something is told."""
    for after_ms, _, _ in LIFE_OF_31_DAYS[1:]:
        told = len(teller.told(key.account_id))
        teller.at(key.issued_at_ms + after_ms - 1)
        assert len(teller.told(key.account_id)) == told
        teller.at(key.issued_at_ms + after_ms)
        assert len(teller.told(key.account_id)) == told + 1
    teller.at(key.issued_at_ms + MONTH_MS + DAY_MS)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_life_of_31_days_is_told_at_every_lead_time_in_every_language(
    teller: Teller, language: str
) -> None:
    account = teller.parts.account()
    (contact,) = teller.contacts.of_account(account.account_id)
    wish = Wish(language=language, time_zone="Asia/Tokyo", muted=())
    teller.contacts.change(account.account_id, contact.contact_id, wish, ACTOR)
    teller.parts.clock.set("2021-12-02 10:00")
    teller.tick()
    del teller.mail.sent[:]
    key = teller.parts.issue(TRADING, account=account)
    before = len(teller.told(account.account_id)) - 1
    teller.tick()

    lived(teller, key)

    told = [
        (listed.notice.happened_at_ms - key.issued_at_ms, listed.notice.kind, listed.notice.lead_ms)
        for listed in teller.told(account.account_id)[before:]
    ]
    assert tuple(told) == LIFE_OF_31_DAYS
    assert tuple(teller.mail.subjects) == SAID[language]
    for sent in teller.mail.sent[1:]:
        assert ENDS[language] in sent.message.text
        assert f"https://example.com/api-keys/keys/{key.key_id}" in sent.message.text


def test_there_is_a_life_for_every_language() -> None:
    assert len(languages.TEXTS) == len(LANGUAGES)
    tags = {languages.language(tag, "UTC").texts["key_issued.subject"] for tag in LANGUAGES}
    assert len(tags) == len(LANGUAGES)
