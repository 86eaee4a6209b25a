"""What can be asked of an owner's journal: every event of an account is in one group."""

from tenure.domain.activity import TAGS, Asked, Group
from tenure.domain.events import Tag

OF_THE_HOUSE = {
    *(Tag.RULE_ADDED, Tag.RULE_WITHDRAWN),
    *(Tag.APPROVAL_PROPOSED, Tag.APPROVAL_APPROVED, Tag.APPROVAL_WITHDRAWN),
    *(Tag.STORE_RESTORED, Tag.STORE_RESTORED_ACCEPTED),
    *(Tag.APPROVAL_PROPOSED, Tag.APPROVAL_APPROVED, Tag.APPROVAL_WITHDRAWN),
}


def test_every_tag_is_in_one_group_or_named_here_as_the_houses() -> None:
    grouped = [tag for tags in TAGS.values() for tag in tags]

    assert set(TAGS) == set(Group)
    assert len(grouped) == len(set(grouped))
    assert set(grouped) == set(Tag) - OF_THE_HOUSE


def test_unless_asked_otherwise_it_is_all_of_an_account_tree() -> None:
    asked = Asked(account_id="acct_1")

    assert asked.is_tree
    assert {asked.key_id, asked.group, asked.from_ms, asked.until_ms} == {None}
