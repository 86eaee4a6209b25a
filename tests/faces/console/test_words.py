"""What is wrong with a field is said in the reader's words, whatever the domain calls it."""

import re
from importlib import resources
from pathlib import Path

import pytest

from tenure.domain import allowlist
from tenure.domain.errors import Invalid, Problem, Why
from tenure.faces.console.words import Words
from tenure.services import languages
from tests.builders import the_catalog

SOURCES = Path(str(resources.files("tenure")))
WORDS = Words(the_catalog())
TAGS = ("en", "es", "ja", "zh-CN")

_NAMED = (
    (re.compile(r"""Why\(\s*f?"([a-z_{}]+)\""""), ""),
    (re.compile(r"""_UnfitError\(\s*"([a-z_]+)\""""), "address_"),
    (re.compile(r"""_refusal\(\s*"([a-z_]+)\""""), "public_key_"),
)
_PUT_TOGETHER = {"address_{name}", "public_key_{name}", "permission_{state}_addresses"}
"""Names that are made of parts; what those can be is looked for by itself, or named here."""
_NAMED_HERE = {
    *("permission_with_addresses", "permission_without_addresses"),
    *("public_key_bits", "public_key_unsafe", "public_key_other"),
}


def names() -> set[str]:
    found = set(_NAMED_HERE)
    for file in SOURCES.rglob("*.py"):
        text = file.read_text("utf-8")
        for pattern, prefix in _NAMED:
            found |= {prefix + name for name in pattern.findall(text)}
    return found - _PUT_TOGETHER


@pytest.mark.parametrize("tag", TAGS)
def test_whatever_the_domain_names_has_a_sentence_and_no_sentence_is_of_nothing(tag: str) -> None:
    texts = languages.language(tag, "UTC").texts
    there = {name.removeprefix("wrong.") for name in texts if name.startswith("wrong.")}

    assert len(names()) > 30
    assert there == names()


@pytest.mark.parametrize("tag", TAGS)
@pytest.mark.parametrize(
    "entry",
    [
        *("10.0.0.0/8", "x", "1.2.3.4/33", "1.2.3.5/24", "fe80::1%eth0", "", "::ffff:0:0/90"),
        *("1.2.0.0/16 1.3.0.0/16", "1.2.3.4 1.2.3.5 1.2.3.6", " ".join(["1.2.3.4"] * 9)),
    ],
)
def test_every_address_that_will_not_do_is_told_in_each_language(tag: str, entry: str) -> None:
    language = languages.language(tag, "UTC")
    entries = entry.split(" ")
    with pytest.raises(Invalid) as raised:
        allowlist.normalise(entries, entries_max=2)

    said = [WORDS.wrong(problem, language, "TYPED") for problem in raised.value.problems]

    assert all(("TYPED" in each) is bool(entry) for each in said), said
    assert all("{" not in each for each in said)
    if tag == "en":
        assert all(not each[0].islower() for each in said)
    else:
        english = languages.language("en", "UTC")
        assert said != [WORDS.wrong(problem, english) for problem in raised.value.problems]


def test_a_permission_a_rule_and_the_types_of_keys_are_called_as_pages_call_them() -> None:
    spanish = languages.language("es", "UTC")
    needs = Problem("f", "m", Why("permission_needs", {"permission": "futures"}))
    rule = Why("permission_without_addresses", {"rule": "own", "title": "Our own rule"})
    types = Problem("f", "m", Why("permission_types", {"types": ("ed25519", "rsa")}))

    assert "«Permitir los futuros»" in WORDS.wrong(needs, spanish)
    assert "«Our own rule»" in WORDS.wrong(Problem("f", "m", rule), spanish)
    assert "Ed25519, RSA" in WORDS.wrong(types, spanish)


def test_what_was_put_into_words_already_stands() -> None:
    said = Problem("code", "Ese código no vale.")

    assert WORDS.wrong(said, languages.language("es", "UTC")) == said.message
