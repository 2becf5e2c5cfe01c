"""Who may ask the page."""

import pytest

from ecggan.page.access import Access, access_for


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost:8000", "LOCALHOST", "[::1]:8000", "127.0.0.1"])
def test_this_machine_may_ask(host: str) -> None:
    assert access_for("127.0.0.1").refusal("GET", {"host": host}) is None


@pytest.mark.parametrize(
    "host", ["", "evil.example", "127.0.0.1.evil.example:80", "localhost:80@evil.example", "10.0.0.1:1"]
)
def test_another_host_may_not(host: str) -> None:
    assert "address" in str(access_for("127.0.0.1").refusal("GET", {"host": host}))


@pytest.mark.parametrize(
    ("origin", "is_refused"),
    [("http://localhost:8000", False), ("http://localhost:9000", True), ("https://evil.example", True), ("null", True)],
)
def test_only_the_page_itself_may_send(origin: str, is_refused: bool) -> None:
    refusal = Access().refusal("POST", {"host": "localhost:8000", "origin": origin})
    assert (refusal is not None) == is_refused


def test_an_address_for_others_comes_with_a_new_token() -> None:
    one, other = access_for("0.0.0.0"), access_for("0.0.0.0")
    assert one.token is not None
    assert len(one.token) >= 24
    assert one.token != other.token
    assert one.knows(one.token)
    assert not one.knows(str(other.token))
    assert not one.knows("")
    assert not one.knows("é")
