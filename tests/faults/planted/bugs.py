"""
The planted bugs of SECURITY section 5: what each changes, and the tests that must not let it pass.

A bug is a patch to a copy of the source. Its numbers are SECURITY's, those of threats (T) where the
list of bugs has none, but for L1 and on, which are about leaked keys (see
docs/decisions/0014-marks-instead-of-loops.md); those that are not here need parts that Tenure does
not have yet (nodes apart from the writer, rewrapping).
"""

from tests.faults.planted.bug import Bug, Swap

ADMISSION = "tests/domain/test_admission.py::"
ALLOWLIST = "tests/domain/test_allowlist.py::"
AUTHORIZE = "tests/faces/http/test_authorize.py::"
CALLERS = "tests/faces/http/test_callers.py::"
COMPATIBLE = "tests/faces/http/test_binance.py::"
GUARD = "tests/faces/test_middleware.py::"
OWNERS = "tests/faces/http/test_owners.py::"
REPLAY = "tests/services/test_replay.py::"
RIGHTS = "tests/faces/http/test_rights.py::"
MATRIX = f"{RIGHTS}test_everybody_gets_what_is_his_and_nothing_else"
STORE_DB = "tests/store/test_db.py::"
SENDING = "tests/services/test_sending.py::"
STORE_NOTICES = "tests/store/test_notices.py::"
TOLD = "tests/faults/test_told.py::"
STORE_KEYS = "tests/store/test_keys.py::"
VERIFYING = "tests/domain/test_verifying.py::"
DECIDE = "tests/domain/test_decide.py::"
INVARIANTS = "tests/faults/test_invariants.py::"
LIFE = "tests/simulation/test_simulation.py::test_a_life_goes_as_the_rules_foresee"

_NAIVE_END = """\
    import datetime  # a planted bug
    local = datetime.datetime.fromtimestamp(commit.now_ms / 1000)
    end_ms = int((local + datetime.timedelta(milliseconds=lifetime)).timestamp() * 1000)
    return Term(commit.now_ms, end_ms + commit.now_ms % 1000, rule.rule_id)
"""

_TWO_TRANSACTIONS = """\
        answer, pending = self._store.write(act)
        event = pending
        if isinstance(pending, tuple):
            event = self._store.write(lambda tx: journal.append(tx, *pending))
"""

_TOLD_ANYWAY = """\
            try:
                with connection.begin():
                    return fn(connection)
            except BaseException:
                from sqlalchemy import insert  # a planted bug
                from tenure.store import notices, schema_notices
                told = connection.info.pop("told", [])
                if told:
                    with self.engine.connect() as after, after.begin():
                        after.execute(insert(schema_notices.notices), told)
                raise
"""

_READ_EARLIER = """\
    def tick(self) -> int:
        from tenure.store import schema  # a planted bug
        from sqlalchemy import select, update
        grants, now_ms = schema.grants, self._clock.now_ms()
        due = select(grants).where(grants.c.swept_at_ms.is_(None), grants.c.ends_at_ms <= now_ms)
        rows = self._store.read(lambda tx: tx.execute(due).all())
        def write_back(tx):
            found = []
            for row in rows:
                held = (grants.c.key_id == row.key_id) & (grants.c.permission == row.permission)
                earlier = {**row._asdict(), "swept_at_ms": now_ms}
                tx.execute(update(grants).where(held).values(**earlier))
                key = keys.get(tx, row.key_id)
                found.append(keys.Lapse(key.account_id, row.key_id, row.permission,
                                        row.starts_at_ms, row.ends_at_ms, row.rule_id))
            journal.append_all(tx, [_change(lapse) for lapse in found], now_ms)
            return len(found)
        return self._store.write(write_back)

    def _tick(self) -> int:
"""

BUGS = (
    Bug(
        number="P1",
        words="a term's end is still inside it",
        swaps=(Swap("domain/decide.py", "and now_ms >= ends_at_ms:", "and now_ms > ends_at_ms:"),),
        caught_by=(
            f"{DECIDE}test_at_its_end_a_permission_is_off_and_not_a_millisecond_earlier",
            f"{LIFE}[3]",
        ),
    ),
    Bug(
        number="P2",
        words="30 days are calendar days where the machine stands",
        swaps=(
            Swap(
                "domain/rules.py",
                "    return Term(commit.now_ms, commit.now_ms + lifetime, rule.rule_id)\n",
                _NAIVE_END,
            ),
        ),
        caught_by=(
            f"{INVARIANTS}test_thirty_days_are_thirty_times_24_hours_wherever_the_machine_stands",
        ),
    ),
    Bug(
        number="P3",
        words="instants pass through seconds as floats",
        swaps=(
            Swap(
                "domain/rules.py",
                "commit.now_ms + lifetime, rule.rule_id)",
                "int((commit.now_ms / 1000 + lifetime / 1000) * 1000), rule.rule_id)",
            ),
        ),
        caught_by=(f"{INVARIANTS}test_a_term_is_exact_at_every_millisecond_of_a_second",),
    ),
    Bug(
        number="P6",
        words="a keyring is never too old",
        swaps=(
            Swap(
                "services/keyring.py",
                "if not 0 <= age_ns <= self._staleness_ns:",
                "if not 0 <= age_ns:",
            ),
        ),
        caught_by=(
            f"{INVARIANTS}test_nobody_decides_by_a_keyring_past_its_bound",
            f"{AUTHORIZE}test_a_keyring_that_is_too_old_refuses_whoever_asks",
            f"{LIFE}[3]",
        ),
    ),
    Bug(
        number="P8",
        words="an event is recorded in a second transaction",
        swaps=(
            Swap(
                "services/keys.py",
                "        answer, event = self._store.write(act)\n",
                _TWO_TRANSACTIONS,
            ),
            Swap(
                "services/key_events.py",
                "    return journal.append(tx, change, now_ms)",
                "    return change, now_ms",
            ),
        ),
        caught_by=(f"{INVARIANTS}test_what_cannot_be_recorded_does_not_happen", f"{LIFE}[3]"),
    ),
    Bug(
        number="P9",
        words="a commit does not wait for the disk",
        swaps=(Swap("store/db.py", "PRAGMA synchronous=FULL", "PRAGMA synchronous=NORMAL"),),
        caught_by=(
            f"{STORE_DB}test_every_sqlite_connection_syncs_each_commit_and_keeps_foreign_keys",
        ),
    ),
    Bug(
        number="P10",
        words="a commit plans as of the preview, and keeps what lapsed in between",
        swaps=(
            Swap(
                "services/keys.py",
                "plans.plan_edit(before, edit_of(before), self._catalog, rulebook, now_ms)",
                "plans.plan_edit(before, edit_of(before), self._catalog, rulebook, "
                "int(stamp.split('-')[0], 16) if stamp else now_ms)",
            ),
        ),
        caught_by=(
            f"{INVARIANTS}test_a_commit_never_keeps_what_lapsed_since_its_preview",
            f"{LIFE}[3]",
        ),
    ),
    Bug(
        number="P11",
        words="a sweeper writes back what it read earlier",
        swaps=(Swap("services/sweep.py", "    def tick(self) -> int:\n", _READ_EARLIER),),
        caught_by=(f"{INVARIANTS}test_a_sweeper_that_is_overtaken_writes_nothing_back",),
    ),
    Bug(
        number="P11b",
        words="a sweeper marks what it found due earlier, whatever became of it",
        swaps=(
            Swap(
                "store/keys.py",
                "    .where(schema.grants.c.swept_at_ms.is_(None))\n"
                '    .where(schema.grants.c.ends_at_ms <= bindparam("now_ms"))\n'
                '    .values(swept_at_ms=bindparam("now_ms"))\n',
                '    .values(swept_at_ms=bindparam("now_ms"))\n',
            ),
        ),
        caught_by=(
            f"{STORE_KEYS}test_a_term_renewed_since_somebody_looked_is_left_alone",
            f"{LIFE}[3]",
        ),
    ),
    Bug(
        number="P12",
        words="an IPv4-mapped caller is not the IPv4 address it carries",
        swaps=(
            Swap(
                "domain/allowlist.py",
                "IPv6Address) and address.ipv4_mapped is not None:",
                "IPv6Address) and address.is_unspecified:",
            ),
        ),
        caught_by=(
            f"{ALLOWLIST}test_a_mapped_peer_is_admitted_by_the_address_it_carries",
            f"{LIFE}[19]",
        ),
    ),
    Bug(
        number="P13",
        words="the caller is the leftmost of X-Forwarded-For",
        swaps=(Swap("faces/http/callers.py", "in reversed(items):", "in items:"),),
        caught_by=(
            f"{CALLERS}test_the_rightmost_untrusted_hop_is_the_caller",
            f"{AUTHORIZE}test_a_caller_cannot_choose_the_address",
        ),
    ),
    Bug(
        number="P14",
        words="signatures are compared as texts",
        swaps=(
            Swap(
                "domain/verifying.py",
                'return hmac.compare_digest(code, hmac.digest(self.secret, payload, "sha256"))',
                'return code.hex() == hmac.digest(self.secret, payload, "sha256").hex()',
            ),
        ),
        caught_by=(f"{INVARIANTS}test_hmac_codes_are_compared_as_bytes_in_constant_time",),
    ),
    Bug(
        number="P15",
        words="a truncated HMAC is taken",
        swaps=(
            Swap(
                "domain/verifying.py",
                "if len(signature) != _HMAC_CHARACTERS:",
                "if not 32 <= len(signature) <= _HMAC_CHARACTERS:",
            ),
            Swap(
                "domain/verifying.py",
                'hmac.digest(self.secret, payload, "sha256"))',
                'hmac.digest(self.secret, payload, "sha256")[: len(code)])',
            ),
        ),
        caught_by=(
            f"{DECIDE}test_hmac_takes_64_hex_digits_in_either_case",
            f"{VERIFYING}test_each_signature_of_the_table_is_judged_as_the_table_says",
        ),
    ),
    Bug(
        number="P16",
        words="the signature's look chooses the algorithm",
        swaps=(
            Swap(
                "domain/decide.py",
                "    if verifier.verify(request.payload, request.signature):\n",
                "    public_key = getattr(verifier, 'public_key', '')\n"
                "    if public_key and len(request.signature) == 64:\n"
                "        verifier = verifying.HmacVerifier(public_key.encode())\n"
                "    if verifier.verify(request.payload, request.signature):\n",
            ),
        ),
        caught_by=(f"{INVARIANTS}test_no_signature_makes_a_public_key_a_shared_secret",),
    ),
    Bug(
        number="P17",
        words="an Ed25519 key of low order is admitted",
        swaps=(
            Swap(
                "domain/admission.py",
                "if not crypto_core_ed25519_is_valid_point(point):",
                "if not point:",
            ),
        ),
        caught_by=(f"{ADMISSION}test_all_fourteen_spellings_of_points_of_low_order_are_refused",),
    ),
    Bug(
        number="P18",
        words="the replay cache remembers a signature's spelling",
        swaps=(
            Swap(
                "domain/signing.py",
                '        return b"binance\\0" + octets',
                '        return b"binance\\0" + self.signature.encode() + octets[:0]',
            ),
        ),
        caught_by=(f"{REPLAY}test_another_spelling_of_a_spent_signature_is_the_same_request",),
    ),
    Bug(
        number="P20",
        words="an exception at the gateways' door lets the request pass",
        swaps=(
            Swap(
                "faces/http/authorize.py",
                'answer = refusals.unavailable("unexpected")',
                'answer = 200, _NOBODY, b""',
            ),
        ),
        caught_by=(f"{AUTHORIZE}test_whatever_else_goes_wrong_refuses",),
    ),
    Bug(
        number="P20b",
        words="a guarded service is called when its guard breaks down",
        swaps=(
            Swap(
                "faces/middleware.py",
                "            result = self._gate.fail(path)\n"
                "        if not isinstance(result, Admitted):\n"
                "            await",
                "            result = Admitted(None)\n"
                "        if not isinstance(result, Admitted):\n"
                "            await",
            ),
        ),
        caught_by=(f"{GUARD}test_whatever_goes_wrong_in_here_refuses",),
    ),
    Bug(
        number="P20c",
        words="a compatible call that breaks down is answered as if it had been served",
        swaps=(
            Swap(
                "faces/http/binance.py",
                "            answer = binance_errors.internal()",
                '            answer = 200, [], b"{}"',
            ),
        ),
        caught_by=(f"{COMPATIBLE}test_a_bug_refuses_in_the_venue_s_shape",),
    ),
    Bug(
        number="P21",
        words="a sealed secret is bound to no key",
        swaps=(
            Swap(
                "services/sealing.py",
                '    return f"v1|hmac|{key_id}|{account_id}|{data_key_id}".encode()',
                '    return b""',
            ),
        ),
        caught_by=(f"{INVARIANTS}test_a_sealed_secret_opens_for_its_own_key_alone",),
    ),
    Bug(
        number="P25",
        words="on one route an owner's key is not asked whose the key it names is",
        swaps=(
            Swap(
                "faces/http/rights.py",
                "named = {name: connection.path_params.get(name) for name in _NAMED}",
                "named = {name: connection.path_params.get(name) for name in _NAMED}\n"
                '            if "revoke" in connection.scope["path"]:\n'
                '                named = {"account_id": caller.account_id, "key_id": None}',
            ),
        ),
        caught_by=(
            f"{MATRIX}[POST /v1/keys/{{key_id}}/revoke-sub]",
            f"{RIGHTS}test_a_key_of_ones_master_sibling_or_of_nobody_is_not_there[/revoke]",
        ),
    ),
    Bug(
        number="P25b",
        words="sub-accounts of one master reach each other and their master",
        swaps=(
            Swap(
                "services/rights.py",
                "            account = self._accounts.get(each)\n",
                "            account = self._accounts.get(each)\n"
                "            mine = self._accounts.get(caller.account_id).master_id\n"
                "            if mine and mine in {account.account_id, account.master_id}:\n"
                "                continue\n",
            ),
        ),
        caught_by=(
            f"{MATRIX}[GET /v1/accounts/{{account_id}}/keys-sub]",
            f"{RIGHTS}test_a_key_of_ones_master_sibling_or_of_nobody_is_not_there[]",
        ),
    ),
    Bug(
        number="P25c",
        words="a route that is the operators' is declared as the owners'",
        swaps=(
            Swap(
                "faces/http/keys.py",
                '/rotate",\n    status_code=200,\n    opt=rights.OPERATORS,\n',
                '/rotate",\n    status_code=200,\n    opt=rights.OWNER_ACTS,\n',
            ),
        ),
        caught_by=(
            f"{MATRIX}[POST /v1/keys/{{key_id}}/rotate-normal]",
            f"{RIGHTS}test_every_route_of_the_document_has_its_line_and_is_declared_as_it_says",
        ),
    ),
    Bug(
        number="P25d",
        words="an owner's act is let in as often as it is sent",
        swaps=(
            Swap(
                "faces/http/rights.py",
                "            if right.is_act:\n",
                "            if right.is_act and False:\n",
            ),
        ),
        caught_by=(f"{OWNERS}test_an_act_that_is_sent_again_is_refused_and_changes_nothing",),
    ),
    Bug(
        number="P22",
        words="a notice is out before the change it tells of is committed",
        swaps=(
            Swap(
                "store/notices.py",
                "        tx.execute(insert(tables.notices), rows)\n",
                "        tx.info['told'] = rows\n"
                "        tx.execute(insert(tables.notices), rows)\n",
            ),
            Swap(
                "store/db.py",
                "            connection.execution_options(tenure_writes=True)\n"
                "            with connection.begin():\n"
                "                if (ask := ASKED_FIRST.get()) is not None:\n"
                "                    ask(connection)\n"
                "                return fn(connection)\n",
                "            connection.execution_options(tenure_writes=True)\n" + _TOLD_ANYWAY,
            ),
        ),
        caught_by=(f"{STORE_NOTICES}test_what_is_undone_is_told_to_nobody",),
    ),
    Bug(
        number="P22b",
        words="a delivery is marked before it was sent",
        swaps=(
            Swap(
                "services/sending.py",
                "        secrets = claimed.secrets[due.contact.contact_id]\n",
                "        self._mark(due, Sent())\n"
                "        secrets = claimed.secrets[due.contact.contact_id]\n",
            ),
        ),
        caught_by=(
            f"{TOLD}test_a_sender_that_is_cut_off_anywhere_loses_nothing[80]",
            f"{SENDING}test_a_sender_that_dies_before_it_marks_is_made_good_by_the_next",
        ),
    ),
    Bug(
        number="P22c",
        words="a message that is sent again has another id",
        swaps=(
            Swap(
                "services/sending.py",
                "message_id=message_id(due.notice.notice_id, due.contact.contact_id),",
                "message_id=message_id(due.notice.notice_id, f'{due.attempt}'),",
            ),
        ),
        caught_by=(f"{TOLD}test_a_sender_that_is_cut_off_anywhere_loses_nothing[80]",),
    ),
    Bug(
        number="P23",
        words="how far time had come is forgotten by a restart",
        swaps=(
            Swap(
                "clock.py",
                'self._mark = HighWaterMark(home / "time-mark")',
                'self._mark = HighWaterMark(home / Path(__import__("tempfile").mkdtemp()) / "x")',
            ),
        ),
        caught_by=(
            f"{INVARIANTS}test_a_restart_on_a_machine_set_back_decides_nothing",
            f"{LIFE}[11]",
        ),
    ),
)
