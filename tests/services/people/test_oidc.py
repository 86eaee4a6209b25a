"""Signing in through a provider: every claim checked, the browser bound, one owner per subject."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tenure.domain.errors import NotFound, Unauthenticated, Unavailable
from tenure.domain.model import AccountKind, Secret
from tenure.domain.people import CHALLENGE_MS, Role, Session, Stage
from tenure.services.people import facade
from tenure.services.people.facade import House, People
from tenure.services.people.oidc import Oidc, Provider
from tenure.services.people.provider import Asked, Speaking
from tenure.services.people.room import Room
from tests.services.parts import ACTOR
from tests.services.people import issuer as issuing
from tests.services.people.doors import ORIGIN, Door
from tests.services.people.issuer import AGE_S, CLIENT_ID, CLIENT_SECRET, Issuer

pytestmark = pytest.mark.slow  # Many of them, or many examples each.


@pytest.fixture
def issuer(door: Door) -> Iterator[Issuer]:
    with issuing.serving() as running:
        running.now_s = door.real.now // 1000
        use(door, running)
        yield running


def a_provider(running: Issuer, **more: Any) -> Provider:  # noqa: ANN401 - settings
    """Return what the house knows of a provider."""
    return Provider(
        **{
            "issuer": running.url,
            "client_id": CLIENT_ID,
            "client_secret": Secret(CLIENT_SECRET),
            "origin": ORIGIN,
            **more,
        }
    )


def use(door: Door, running: Issuer, **more: Any) -> None:  # noqa: ANN401 - settings
    """Let the house know the provider."""
    provider = a_provider(running, **more)
    parts = door.parts
    house = House(
        store=parts.store,
        clock=parts.clock,
        real=door.real,
        sealing_key=parts.sealing_key,
        catch_up=parts.follower.catch_up,
        origin=ORIGIN,
    )
    door.people = People(house, provider)


def oidc(door: Door) -> Oidc:
    assert door.people.oidc is not None
    return door.people.oidc


def come(door: Door, issuer: Issuer) -> Session:
    """Go to the provider and come back."""
    left = oidc(door).begin()
    return oidc(door).finish(left.browser.reveal(), issuer.visit(left.url)).session


def why(act: Callable[[], object]) -> str:
    with pytest.raises(Unauthenticated) as raised:
        act()
    return raised.value.code


def test_an_owner_is_known_by_a_verified_e_mail_and_then_by_subject(
    door: Door, issuer: Issuer
) -> None:
    one = door.owner()
    known = door.parts.journal.head()

    session = come(door, issuer)

    assert session.person.person_id == one.person.person_id
    assert session.stage is Stage.PASSWORD, "the second factor is asked for here"
    assert door.parts.tags(known) == ["person:linked"]
    full = door.people.sign_in.prove(session, door.next_code(one)).session
    assert full.is_full

    issuer.email, issuer.claims = "another@example.com", {"email_verified": False}
    issuer.now_s = door.real.now // 1000
    assert come(door, issuer).person.person_id == one.person.person_id
    assert door.parts.tags(known) == ["person:linked"]


def test_whoever_has_the_e_mail_afterwards_is_not_let_in_by_it(door: Door, issuer: Issuer) -> None:
    door.owner()
    come(door, issuer)
    issuer.subject = "user-2"

    assert why(lambda: come(door, issuer)) == "unknown"


def test_an_account_that_nobody_was_invited_to_is_joined_by_its_owner(
    door: Door, issuer: Issuer
) -> None:
    account = door.parts.account()
    assert account.email == issuer.email

    session = come(door, issuer)

    assert session.stage is Stage.ENROLLING
    owner = door.people.owner_of(account.account_id)
    assert owner is not None
    assert (owner.person_id, owner.role) == (session.person.person_id, Role.OWNER)
    assert owner.has_joined


@pytest.mark.parametrize(
    "claims",
    [
        {"email_verified": False},
        {"email_verified": None},
        {"email_verified": "true"},
        {"email": None},
        {"email": "nobody@example.com"},
        {"email": "owner0@example.\u212aom"},
    ],
)
def test_an_e_mail_that_is_not_verified_or_not_the_same_is_nobodys(
    door: Door, issuer: Issuer, claims: dict[str, object]
) -> None:
    door.owner()
    issuer.claims = claims

    assert why(lambda: come(door, issuer)) == "unknown"


def test_an_operator_does_not_come_in_by_it(door: Door, issuer: Issuer) -> None:
    """Whoever runs the provider must not run the house."""
    door.operator(email=issuer.email)

    assert why(lambda: come(door, issuer)) == "unknown"


def test_an_owner_who_was_removed_is_not_made_again_by_it(door: Door, issuer: Issuer) -> None:
    one = door.owner()
    come(door, issuer)
    door.people.remove(one.person.person_id, ACTOR)

    assert why(lambda: come(door, issuer)) == "unknown"


def test_it_is_no_way_around_the_hold_of_a_recovery(door: Door, issuer: Issuer) -> None:
    account = door.parts.account()
    door.owner(account)
    door.people.recovery.begin(account.account_id, ACTOR)

    assert why(lambda: come(door, issuer)) == "unknown"


def test_whoever_has_come_by_it_is_not_joined_by_a_link_that_is_about(
    door: Door, issuer: Issuer
) -> None:
    """T41: it would replace her password, end her sessions, and any hold with them."""
    account = door.parts.account()
    invited = door.invite(account)
    came = come(door, issuer)
    door.people.recovery.begin(account.account_id, ACTOR)

    with pytest.raises(NotFound):
        door.joining(invited)

    held = door.people.find(came.person.person_id)
    assert held.recovery is not None
    assert held.password_set_at_ms is None


NOW = 1_638_352_800
"""2021-12-01 10:00, as the tests begin."""
WRONG_CLAIMS: list[dict[str, object]] = [
    {"iss": "https://evil.example"},
    {"iss": None},
    {"aud": "another"},
    {"aud": None},
    {"aud": ["another", CLIENT_ID]},
    {"azp": "another"},
    {"exp": NOW - 61},
    {"exp": None},
    {"exp": "later"},
    {"iat": None},
    {"nbf": NOW + 3_600},
    {"nonce": "another"},
    {"nonce": None},
    {"sub": None},
    {"sub": ""},
    {"sub": 7},
]


@pytest.mark.parametrize("claims", WRONG_CLAIMS, ids=json.dumps)
def test_every_claim_has_to_hold(door: Door, issuer: Issuer, claims: dict[str, object]) -> None:
    """SECURITY section 7: the library returns expired claims, and ones for others."""
    door.owner()
    assert issuer.now_s == NOW
    issuer.claims = claims

    assert why(lambda: come(door, issuer)) == "provider"


def test_a_clock_that_is_a_little_off_is_borne(door: Door, issuer: Issuer) -> None:
    door.owner()
    issuer.claims = {"exp": NOW - 59, "iat": NOW - AGE_S}

    assert come(door, issuer).stage is Stage.PASSWORD


@pytest.mark.parametrize("name", ["another key", "none", "the secret", "another algorithm"])
def test_only_the_providers_own_key_signs_and_only_as_pinned(
    door: Door, issuer: Issuer, name: str
) -> None:
    door.owner()
    issuer.published = [issuer.key]
    match name:
        case "another key":
            issuer.key = issuing.another_rsa_key()
        case "none":
            issuer.algorithm = "none"
        case "the secret":
            issuer.key, issuer.algorithm = issuing.the_secret_as_key(), "HS256"
        case _:
            issuer.algorithm = "RS384"

    assert why(lambda: come(door, issuer)) == "provider"


def test_a_key_on_a_curve_will_do(door: Door, issuer: Issuer) -> None:
    door.owner()
    issuer.key, issuer.algorithm = issuing.an_ec_key(), "ES256"

    assert come(door, issuer).stage is Stage.PASSWORD


def test_another_browser_brings_nothing(door: Door, issuer: Issuer) -> None:
    """A link that somebody was lured to click ends in nobody's session."""
    door.owner()
    mine, theirs = oidc(door).begin(), oidc(door).begin()
    back = issuer.visit(theirs.url)

    assert why(lambda: oidc(door).finish(mine.browser.reveal(), back)) == "provider"
    assert why(lambda: oidc(door).finish("", issuer.visit(mine.url))) == "provider"
    assert why(lambda: oidc(door).finish("x", issuer.visit(mine.url))) == "provider"


def test_an_answer_is_taken_once_and_soon(door: Door, issuer: Issuer) -> None:
    door.owner()
    left = oidc(door).begin()
    back = issuer.visit(left.url)
    exchanged = dict(issuer.codes)
    oidc(door).finish(left.browser.reveal(), back)
    issuer.codes = exchanged  # One that gives a code out twice.
    assert why(lambda: oidc(door).finish(left.browser.reveal(), back)) == "provider"

    late = oidc(door).begin()
    back = issuer.visit(late.url)
    door.real.advance(CHALLENGE_MS)
    assert why(lambda: oidc(door).finish(late.browser.reveal(), back)) == "provider"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda back: back.partition("?")[0],
        lambda back: f"{back}x",
        lambda back: back.replace("state=", "estate="),
        lambda back: f"{back}&state=again",
        lambda back: f"{back}&code=again",
        lambda back: back.replace("code=code-0", "code=code-9"),
        lambda back: back.replace("code=code-0", "error=access_denied"),
        lambda back: f"{back}&iss=https%3A%2F%2Fevil.example",
        lambda back: "&".join([back, *("x=1" for _ in range(100))]),
    ],
)
def test_an_answer_that_was_meddled_with_is_none(
    door: Door, issuer: Issuer, spoil: Callable[[str], str]
) -> None:
    door.owner()
    left = oidc(door).begin()
    back = spoil(issuer.visit(left.url))

    assert why(lambda: oidc(door).finish(left.browser.reveal(), back)) == "provider"


def test_an_answer_that_names_its_issuer_rightly_is_fine(door: Door, issuer: Issuer) -> None:
    door.owner()
    left = oidc(door).begin()
    back = f"{issuer.visit(left.url)}&iss={issuer.url}"

    assert oidc(door).finish(left.browser.reveal(), back).session.stage is Stage.PASSWORD


def test_the_browser_is_sent_with_state_nonce_and_challenge_all_of_them_new(
    door: Door, issuer: Issuer
) -> None:
    first, second = (
        {
            name: values[0]
            for name, values in parse_qs(urlsplit(oidc(door).begin().url).query).items()
        }
        for _ in range(2)
    )

    assert first["redirect_uri"] == f"{ORIGIN}/console/oidc/back"
    assert issuer.asked.count("/keys") == 1, "what it says of itself is kept"
    for name in ("state", "nonce", "code_challenge"):
        assert len(first[name]) == 43
        assert first[name] != second[name]


@pytest.mark.parametrize(
    ("trusts", "methods", "stage"),
    [
        (False, ["pwd", "mfa"], Stage.PASSWORD),
        (True, ["pwd", "mfa"], Stage.FULL),
        (True, ["pwd"], Stage.PASSWORD),
        (True, None, Stage.PASSWORD),
    ],
)
def test_the_providers_second_factor_counts_where_the_house_says_so(
    door: Door, issuer: Issuer, *, trusts: bool, methods: list[str] | None, stage: Stage
) -> None:
    door.owner()
    use(door, issuer, second_factor=trusts)
    issuer.claims = {"amr": methods}

    assert come(door, issuer).stage is stage


def test_whoever_has_no_factor_here_sets_one_up_whatever_the_provider_asked_for(
    door: Door, issuer: Issuer
) -> None:
    """Every change asks for one: she would be in, and could do nothing, not even set one up."""
    door.parts.account()
    use(door, issuer, second_factor=True)
    issuer.claims = {"amr": ["mfa"]}

    assert come(door, issuer).stage is Stage.ENROLLING


def test_a_client_secret_is_sent_in_the_form_where_the_provider_wants_that(
    door: Door, issuer: Issuer
) -> None:
    door.owner()
    issuer.settings = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}

    assert come(door, issuer).stage is Stage.PASSWORD


def test_a_secret_that_is_wrong_lets_nobody_in(door: Door, issuer: Issuer) -> None:
    door.owner()
    use(door, issuer, client_secret=Secret("wrong"))

    assert why(lambda: come(door, issuer)) == "provider"


def test_a_key_that_was_made_since_is_asked_for_once_a_minute(door: Door, issuer: Issuer) -> None:
    door.owner()
    come(door, issuer)
    issuer.key = issuing.another_rsa_key("k2")

    for _ in range(3):
        assert why(lambda: come(door, issuer)) == "provider"
    assert issuer.asked.count("/keys") == 1
    door.real.advance(60_000)
    assert come(door, issuer).stage is Stage.PASSWORD
    assert issuer.asked.count("/keys") == 2


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/.well-known/openid-configuration", (500, b"")),
        ("/.well-known/openid-configuration", (200, b"no JSON")),
        ("/.well-known/openid-configuration", (200, b"[]")),
        ("/.well-known/openid-configuration", (200, b"{" + b" " * 1_100_000 + b"}")),
        ("/.well-known/openid-configuration", (302, b"")),
        ("/keys", (200, b"{}")),
        ("/keys", (404, b"{}")),
        ("/keys", (200, b'{"keys": [{"kty": "moon"}]}')),
    ],
)
def test_a_provider_that_cannot_be_asked_is_told_as_such(
    door: Door, issuer: Issuer, path: str, answer: tuple[int, bytes]
) -> None:
    issuer.answers[path] = answer

    with pytest.raises(Unavailable) as raised:
        oidc(door).begin()
    assert raised.value.code == "oidc"


@pytest.mark.parametrize(
    "settings",
    [
        {"issuer": "https://evil.example"},
        {"authorization_endpoint": None},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"jwks_uri": 7},
    ],
)
def test_a_provider_that_says_something_else_of_itself_is_not_believed(
    door: Door, issuer: Issuer, settings: dict[str, object]
) -> None:
    issuer.settings = settings

    with pytest.raises(Unavailable):
        oidc(door).begin()


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ((200, b"{}"), Unauthenticated),
        ((200, b'{"id_token": "no.token"}'), Unauthenticated),
        ((200, b'{"id_token": 7}'), Unauthenticated),
        ((200, b"no JSON"), Unavailable),
        ((503, b""), Unavailable),
    ],
)
def test_an_exchange_that_fails_lets_nobody_in(
    door: Door, issuer: Issuer, answer: tuple[int, bytes], kind: type[Exception]
) -> None:
    door.owner()
    issuer.answers["/token"] = answer

    with pytest.raises(kind):
        come(door, issuer)


def test_a_provider_that_is_gone_is_told_as_such(door: Door) -> None:
    with issuing.serving() as gone:
        use(door, gone)

    with pytest.raises(Unavailable):
        oidc(door).begin()


def test_a_provider_that_failed_is_left_alone_for_a_moment(door: Door, issuer: Issuer) -> None:
    issuer.answers["/.well-known/openid-configuration"] = (503, b"")
    for _ in range(3):
        with pytest.raises(Unavailable):
            oidc(door).begin()
    assert len(issuer.asked) == 1

    issuer.answers.clear()
    with pytest.raises(Unavailable):
        oidc(door).begin()
    door.real.advance(5_000)
    assert oidc(door).begin().url


def test_a_provider_that_hangs_holds_two_threads_and_no_more(door: Door, issuer: Issuer) -> None:
    """Anybody may begin: the threads that hang are those that revoke keys, too."""
    issuer.answering.clear()
    speaking = Speaking(a_provider(issuer), door.real, Room())
    asked = Asked(state="state", nonce="nonce", verifier="v" * 43)
    began: list[str] = []
    waiting = [
        threading.Thread(target=lambda: began.append(speaking.address(asked))) for _ in range(2)
    ]
    for thread in waiting:
        thread.start()
    while not issuer.asked:
        time.sleep(0.01)

    codes = set()
    for _ in range(5):
        with pytest.raises(Unavailable) as raised:
            speaking.address(asked)
        codes.add(raised.value.code)
        time.sleep(0.05)

    issuer.answering.set()
    for thread in waiting:
        thread.join()
    assert codes == {"busy"}
    assert len(began) == 2
    assert speaking.address(asked) == began[0]


def test_whoever_waits_for_the_provider_takes_room_of_whoever_gives_a_password(
    door: Door, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or both at once would take every thread that a worker has."""
    one = door.owner()
    monkeypatch.setattr(facade, "Room", partial(Room, 1))
    use(door, issuer)
    issuer.answering.clear()
    waiting = threading.Thread(target=oidc(door).begin)
    waiting.start()
    while not issuer.asked:
        time.sleep(0.01)

    with pytest.raises(Unavailable) as raised:
        door.say_password(one)

    issuer.answering.set()
    waiting.join()
    assert raised.value.code == "busy"
    assert door.say_password(one).stage is Stage.PASSWORD


def test_without_a_provider_there_is_no_such_way_in(door: Door) -> None:
    assert door.people.oidc is None


def test_the_secrets_do_not_show(door: Door, issuer: Issuer) -> None:
    left = oidc(door).begin()

    assert left.browser.reveal() not in repr(left)
    assert CLIENT_SECRET not in repr(
        Provider(
            issuer=issuer.url,
            client_id=CLIENT_ID,
            client_secret=Secret(CLIENT_SECRET),
            origin=ORIGIN,
        )
    )


def test_a_sub_account_has_an_owner_of_its_own(door: Door, issuer: Issuer) -> None:
    master = door.parts.accounts.create("m@example.com", AccountKind.MASTER, None, ACTOR)
    sub = door.parts.accounts.create("s@example.com", AccountKind.SUB, master.account_id, ACTOR)
    issuer.email = "s@example.com"

    assert come(door, issuer).person.account_id == sub.account_id
