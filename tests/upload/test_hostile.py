# SPDX-License-Identifier: GPL-2.0-or-later
"""What an endpoint cannot do to a machine that sends to it: hold a thread, use up its memory or network, or have the
traces sent elsewhere. hostile.py is such an endpoint; its log is the oracle."""
import os
import time

import pytest

import hostile
from hostile import Hostile
from put import put

KEY = "linux_v1/0123456789ABCDEF/20261121_100000_000/fs/fs_20261121_100000_000_0001.csv.zst"
FOREIGN = "198.51.100.1"   # RFC 5737: addresses for documentation
ANSWER_S = 3               # seconds that an answer may take, here
# Bytes that may be on their way when the client disconnects: both sides' socket buffers.
UNDER_WAY = 16 << 20

ANSWERS = {
    "endless": hostile.endless(), "endless-chunks": hostile.endless_chunks, "trickle": hostile.trickle,
    "trickling-head": hostile.trickling_head, "endless-head": hostile.endless_head,
    "endless-trailers": hostile.endless_trailers, "endless-extension": hostile.endless_extension, "continues": hostile.continues,
    "continues-slowly": hostile.continues_slowly,
}


@pytest.fixture
def path(tmp_path):
    (tmp_path / "f").write_bytes(os.urandom(1 << 20))
    return tmp_path / "f"


def ends(server, url, *args, within=ANSWER_S + 5, **options):
    """The outcome, which was in time and after little more than what is looked at."""
    begun = time.monotonic()
    r = put(url, *args, answer=ANSWER_S, timeout=within, **options)
    assert time.monotonic() - begun < within
    assert server.requests and server.sent < UNDER_WAY, server.sent
    return r


@pytest.mark.parametrize("kind", ANSWERS)
def test_a_gateways_answer_ends(path, kind):
    with Hostile(GET=ANSWERS[kind]) as server:
        r = ends(server, server.url, KEY, path)
        assert r["verdict"] == "retry" and r["general"], r


@pytest.mark.parametrize("kind", ANSWERS)
def test_a_stores_answer_ends(path, kind):
    with Hostile(PUT=ANSWERS[kind]) as store, Hostile(GET=hostile.text(store.url + "/x")) as gateway:
        r = ends(store, gateway.url, KEY, path)
        assert r["verdict"] == "retry" and store.taken == 1 << 20, r


@pytest.mark.parametrize("kind", ANSWERS)
def test_an_s3_stores_answer_ends(path, kind):
    with Hostile(PUT=ANSWERS[kind]) as store:
        r = ends(store, "s3://bucket", KEY, path, endpoint=store.url)
        assert r["verdict"] == "retry", r


@pytest.mark.parametrize("kind", ["endless", "trickle"])
def test_telemetry_ends(kind):
    with Hostile(POST=ANSWERS[kind]) as server:
        assert ends(server, server.url, telemetry="{}")["verdict"] == "retry"


def test_a_refusal_with_an_endless_text_is_a_refusal(path):
    """The status has arrived: the rest is not waited for."""
    with Hostile(PUT=hostile.endless("403 Forbidden")) as store:
        r = ends(store, "s3://bucket", KEY, path, endpoint=store.url)
        assert r["verdict"] == "refused" and "403" in r["reason"], r


def test_who_takes_a_body_too_slowly_is_left(path):
    """This machine sends 1 MiB, at a KiB per second."""
    (path.parent / "large").write_bytes(os.urandom(16 << 20)) # more than socket buffers hold
    with Hostile(PUT=hostile.text(""), reads=hostile.sip) as store:
        r = ends(store, "s3://bucket", KEY, path.parent / "large", endpoint=store.url, slowest=4 << 20, within=20)
        assert r["verdict"] == "retry" and "too slow" in r["reason"], r
        assert store.taken < 8 << 20


def test_a_slow_disk_or_rate_of_ours_is_not_the_endpoints_fault(path):
    """The time limit applies to the other side's delays."""
    answer = hostile.text("", "200 OK", 'ETag: "x"')
    with Hostile(PUT=answer, HEAD=answer) as store:
        r = ends(store, "s3://bucket", KEY, path, endpoint=store.url, slowest=4 << 20, rate=200_000, within=30)
        assert store.taken == 1 << 20 and "too slow" not in r["reason"], r


def test_lists_of_parts_end(path):
    """Each answer says that there is more."""
    n = 0

    def more(server, s):
        nonlocal n
        n += 1
        hostile.text(f"<ListPartsResult><IsTruncated>true</IsTruncated><Part><PartNumber>{n}</PartNumber>"
                     "<Size>1</Size><ETag>x</ETag></Part></ListPartsResult>")(server, s)

    with Hostile(GET=more, PUT=hostile.text("", "403 Forbidden"), DELETE=hostile.text("")) as store:
        r = ends(store, "s3://bucket", KEY, path, endpoint=store.url, part=1 << 19, upload_id="u", within=20)
        assert r["verdict"] == "refused" and n < 100, (n, r)


@pytest.mark.parametrize("field", [
    "99999999999999999999", "-99999999999999999999", "1e9", "0x7fffffff", "Fri, 31 Dec 9999 23:59:59 GMT",
])
def test_retry_after_is_at_most_a_day(path, field):
    with Hostile(PUT=hostile.text("", "503 x", "Retry-After: " + field)) as store:
        r = ends(store, "s3://bucket", KEY, path, endpoint=store.url)
        assert r["verdict"] == "retry" and 0 <= r["retry_after"] <= 86400, r


# ---- where it is sent ----

URLS = {
    "plain": "http://{foreign}/x", "user": "http://127.0.0.1@{foreign}/x", "user-port": "http://127.0.0.1:80@{foreign}/x",
    "two-users": "http://a@127.0.0.1:80@{foreign}/x", "localhost-user": "http://localhost:x@{foreign}/x",
    "backslash": "http://127.0.0.1\\@{foreign}/x", "upper": "HTTP://{foreign}/x",
    "mapped": "http://[::ffff:198.51.100.1]:{port}/x", "fragment": "http://{foreign}#@127.0.0.1/x",
    "query": "http://{foreign}?@127.0.0.1/x", "hex": "http://0xc6336401:{port}/x", "number": "http://3325256705:{port}/x",
    "file": "file:///etc/passwd", "gopher": "gopher://{foreign}/x", "ftp": "ftp://{foreign}/x",
}


def leads(path, gateway_answer, **more):
    """Sends to a gateway on loopback that answers GATEWAY_ANSWER(foreign server); returns the outcome, and the server
    that nothing may have reached."""
    with hostile.own_network(FOREIGN + "/32"):
        answer = hostile.text("", "200 OK", 'ETag: "x"')
        with Hostile(FOREIGN, PUT=answer, GET=answer, POST=answer) as foreign:
            with Hostile(**{method: gateway_answer(foreign) for method in ("GET", "PUT", "POST")}) as gateway:
                yield put(gateway.url, KEY, path, answer=ANSWER_S, **more), foreign


@pytest.mark.parametrize("kind", URLS)
@pytest.mark.parametrize("form", ["{}", '{{"url": "{}"}}'])
def test_a_url_beyond_this_machine_must_be_https(path, kind, form):
    def give(foreign):
        url = URLS[kind].format(foreign=f"{FOREIGN}:{foreign.port}", port=foreign.port)
        return hostile.text(form.format(url.replace("\\", "\\\\") if "{{" in form else url))

    for r, foreign in leads(path, give):
        assert r["verdict"] in ("refused", "retry") and not foreign.requests, r
    if kind in ("plain", "user", "user-port", "mapped", "hex", "number", "upper", "query", "fragment"):
        assert r["verdict"] == "refused" and "https" in r["reason"], r


@pytest.mark.parametrize("host, address", [
    ("127.0.0.1", "127.0.0.1"), ("127.8.9.10", "127.8.9.10"), ("[::1]", "::1"), ("localhost", "127.0.0.1"),
    ("LocalHost", "127.0.0.1"),
])
def test_a_url_on_this_machine_may_be_http(path, host, address):
    with hostile.own_network(), Hostile(address, PUT=hostile.text("", "200 OK", 'ETag: "x"')) as store:
        with Hostile(GET=hostile.text(f"http://{host}:{store.port}/x")) as gateway:
            put(gateway.url, KEY, path, answer=ANSWER_S)
            assert store.bodies == [path.read_bytes()]


@pytest.mark.parametrize("status", ["301 x", "302 x", "303 x", "307 x", "308 x"])
@pytest.mark.parametrize("where", ["http://{foreign}/x", "file:///etc/passwd", "//{foreign}/x"])
def test_redirects_lead_nowhere(path, status, where):
    def give(foreign):
        return hostile.text("", status, "Location: " + where.format(foreign=f"{FOREIGN}:{foreign.port}"))

    for r, foreign in leads(path, give):
        assert r["verdict"] == "refused" and "redirect" in r["reason"] and not foreign.requests, r


@pytest.mark.parametrize("name", ["http_proxy", "all_proxy", "HTTPS_PROXY", "ALL_PROXY"])
def test_what_goes_to_this_machine_goes_through_no_proxy(path, name):
    """A proxy on another machine would get it unencrypted."""
    with hostile.own_network(FOREIGN + "/32"):
        answer = hostile.text("", "200 OK", 'ETag: "x"')
        with Hostile(FOREIGN, PUT=answer, GET=answer) as foreign, Hostile(PUT=answer) as store:
            with Hostile(GET=hostile.text(store.url + "/x")) as gateway:
                put(gateway.url, KEY, path, answer=ANSWER_S, env={name: foreign.url})
                assert not foreign.requests and store.bodies == [path.read_bytes()]
