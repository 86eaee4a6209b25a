"""The transparency log over HTTP: what everybody may see, and proofs for operators."""

from tenure.domain import checkpoints as reading
from tenure.domain import lines
from tenure.domain.checkpoints import LogKey
from tenure.store import holds, schema
from tenure.store.holds import Hold
from tests.faces.http.managed import Managed, is_problem

TEXT = "text/plain; charset=utf-8"


def test_the_latest_checkpoint_and_its_key_are_open_to_all(managed: Managed) -> None:
    assert is_problem(managed.ask("GET", "/v1/checkpoints/latest", headers={}), 404, "not_found")
    managed.account()
    managed.house.worker.checkpoints.step()

    key = managed.ask("GET", "/v1/checkpoints/key", headers={})
    latest = managed.ask("GET", "/v1/checkpoints/latest", headers={})

    assert (key.status, key.headers["content-type"]) == (200, TEXT)
    assert (latest.status, latest.headers["content-type"]) == (200, TEXT)
    read = reading.read(latest.body, [LogKey.parse(key.body.decode())])
    assert read.size == managed.tell("GET", "/v1/events")["next_after"]


def test_a_proof_leads_from_an_event_to_the_latest_checkpoint(managed: Managed) -> None:
    managed.account()
    assert is_problem(managed.ask("GET", "/v1/events/1/proof"), 409, "not_signed_yet")
    managed.house.worker.checkpoints.step()

    reply = managed.ask("GET", "/v1/events/3/proof")

    assert (reply.status, reply.headers["content-type"]) == (200, TEXT)
    proved = reading.read_proof(reply.body, [managed.house.worker.checkpoints.key()])
    (event,) = managed.tell("GET", "/v1/events?after=2")["events"]
    assert lines.read(proved.entry).line == lines.canonical(event)


def test_what_was_never_recorded_has_no_proof(managed: Managed) -> None:
    managed.house.worker.checkpoints.step()
    for seq in ("99", "-1", "x", "3.0", "99999999999999999999"):
        reply = managed.ask("GET", f"/v1/events/{seq}/proof")
        assert reply.status in {404, 422}, reply
    assert is_problem(managed.ask("GET", "/v1/events/0/proof"), 422, "invalid")


def test_an_event_that_was_altered_is_not_proved(managed: Managed) -> None:
    managed.house.worker.checkpoints.step()
    store = managed.house.worker.store
    store.write(lambda tx: tx.execute(schema.events.update().values(actor="nobody")))
    assert is_problem(managed.ask("GET", "/v1/events/1/proof"), 503, "journal")


def test_a_restored_store_refuses_changes_decisions_and_readiness(managed: Managed) -> None:
    key = managed.key(permissions=["spot_margin_trading"])
    store, follower = managed.house.worker.store, managed.house.worker.follower
    assert follower is not None
    store.write(lambda tx: holds.place(tx, Hold(restored_at_ms=1, seq=2)))
    follower.tick()

    refused = [
        managed.ask("GET", "/readyz", headers={}),
        managed.ask("POST", "/v1/accounts", {"email": "a@example.com", "kind": "normal"}),
        managed.ask("POST", f"/v1/keys/{key['key_id']}/revoke"),
        managed.ask(
            "POST",
            "/v1/authorize",
            {
                "api_key": key["api_key"],
                "method": "POST",
                "path": "/api/v3/order",
                "query": "timestamp=1&signature=" + "0" * 64,
                "client_ip": "203.0.113.7",
            },
        ),
    ]
    for reply in refused:
        assert is_problem(reply, 503, "restored")
    assert managed.ask("GET", f"/v1/keys/{key['key_id']}").status == 200
