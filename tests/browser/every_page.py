"""
Every page of the console: what the tests of all pages go through.

A route that is not here fails `test_pages`: a page without a test is not shipped.
"""

from tests.browser.pages import OF_OWNERS
from tests.browser.pages_of_operators import OF_OPERATORS
from tests.browser.pages_of_people import OF_PEOPLE

PAGES = (*OF_OWNERS, *OF_PEOPLE, *OF_OPERATORS)

NO_PAGES = {
    "GET /console": "sends on to the first page somebody has",
    "GET /console/static/{name}": "the stylesheet, scripts and pictures",
    "GET /console/accounts/{account_id}/activity/{file}": "what happened, as a file",
    "GET /console/keys/{key_id}/activity/{file}": "the same of a key",
    "GET /console/operate/journal/export": "the journal, as a file",
    "GET /console/operate/journal/{seq}/proof": "the proof of one event, as a file",
}
"""What is answered at some address and is no page, and what it is instead."""
