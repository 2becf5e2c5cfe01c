"""Who may ask the page."""

import socket

import pytest

from ecggan.page.access import Access, access_for
from ecggan.page.serve import addresses, listen


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


@pytest.mark.parametrize(
    ("host", "here"), [("0.0.0.0", "127.0.0.1"), ("0", "127.0.0.1"), ("::", "[::1]"), ("0::0", "[::1]")]
)
@pytest.mark.parametrize(
    ("full_name", "short_name", "shown"),
    [
        ("gpu3.example.org", "gpu3", "gpu3.example.org"),
        ("localhost.localdomain", "gpu3", "gpu3"),
        ("1.0.0.127.in-addr.arpa", "gpu3.local", "gpu3.local"),
    ],
)
def test_an_address_that_stands_for_all_is_told_by_the_name_of_the_machine(
    host: str, here: str, full_name: str, short_name: str, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if ":" in host and not socket.has_dualstack_ipv6():
        pytest.skip("this machine has no IPv6")
    monkeypatch.setattr(socket, "getfqdn", lambda: full_name)
    monkeypatch.setattr(socket, "gethostname", lambda: short_name)
    with listen(host, 0) as listening:
        port = listening.getsockname()[1]
        told = addresses(host, listening, "TOKEN").splitlines()
    assert told[0] == f"http://{shown}:{port}/?token=TOKEN"
    assert told[1].endswith(f": http://{here}:{port}/?token=TOKEN")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_any_other_address_is_told_as_it_was_given(host: str) -> None:
    with listen(host, 0) as listening:
        assert addresses(host, listening, None) == f"http://{host}:{listening.getsockname()[1]}/"
