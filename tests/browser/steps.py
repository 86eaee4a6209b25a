"""What people do on the pages of a key, in the words that stand on the buttons."""

import re

from playwright.sync_api import Locator, Page, expect


def open_edit(page: Page, key_id: str) -> None:
    """Open the form that edits a key."""
    page.goto(f"/console/keys/{key_id}/edit")


def tick(page: Page, label: str, *, on: bool = True) -> None:
    """Tick the box called *label*, or untick it."""
    page.get_by_role("checkbox", name=label, exact=True).set_checked(on)


def allow_only(page: Page, *addresses: str) -> None:
    """Restrict access to *addresses*, or to none: unrestricted."""
    if not addresses:
        page.get_by_role("radio", name="Unrestricted (Less Secure)").check()
        return
    page.get_by_role("radio", name="Restrict access to trusted IPs only").check()
    page.get_by_label("Trusted IP addresses").fill("\n".join(addresses))


def save(page: Page) -> Locator:
    """Save the form, and return the pop-up that asks."""
    page.get_by_role("button", name="Save", exact=True).click()
    popup = page.get_by_role("dialog", name="Save these changes?")
    expect(popup).to_be_visible()
    return popup


def consequences(where: Locator) -> list[str]:
    """Return the sentences of a pop-up, in order."""
    return [
        " ".join(text.split()) for text in where.locator(".consequences .strong").all_inner_texts()
    ]


def approve(where: Locator | Page) -> None:
    """Give the second factor that is asked for: the button that goes on asks for the passkey."""
    where.locator("form:has([data-factor]) .actions button:not(.plain)").click()


def confirm(page: Page, popup: Locator) -> None:
    """Confirm what a pop-up says, and wait for the key to be as it says."""
    approve(popup)
    expect(page.get_by_text("Saved. This is how the key is now.")).to_be_visible()


def box(page: Page, label: str) -> str:
    """Return what stands at a permission on the page of a key: its state, its end."""
    item = page.locator("li.box").filter(has_text=re.compile(rf"^\s*{re.escape(label)}"))
    return " ".join(item.inner_text().split()).removeprefix(label).strip(" :")
