# SPDX-License-Identifier: GPL-2.0-or-later
"""Signature version 4 as AWS documents it, independent of libcurl's: presigned URLs for the tests' gateway, and the STS
call that s3cmd lacks. The store verifies the signatures as well."""
import base64
import datetime
import hashlib
import hmac
import time
import urllib.parse
import urllib.request
import xml.etree.ElementTree


def quote(text, safe=""):
    return urllib.parse.quote(text, safe=safe + "-._~")


def signature(secret, service, region, when, canonical):
    scope = f"{when[:8]}/{region}/{service}/aws4_request"
    key = ("AWS4" + secret).encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    text = f"AWS4-HMAC-SHA256\n{when}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    return scope, hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def now():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")


def presign(endpoint, bucket, name, key, secret, method="PUT", expires=300, region="us-east-1",
            age=0):
    """A URL with which anyone may do METHOD to object NAME, from AGE seconds ago on, for EXPIRES seconds."""
    when = (datetime.datetime.now(datetime.timezone.utc) -
            datetime.timedelta(seconds=age)).strftime("%Y%m%dT%H%M%SZ")
    host = urllib.parse.urlsplit(endpoint).netloc
    path = f"/{bucket}/{quote(name, '/')}"
    query = {
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": f"{key}/{when[:8]}/{region}/s3/aws4_request",
        "X-Amz-Date": when,
        "X-Amz-Expires": str(expires),
        "X-Amz-SignedHeaders": "host",
    }
    text = "&".join(f"{quote(k)}={quote(v)}" for k, v in sorted(query.items()))
    canonical = f"{method}\n{path}\n{text}\nhost:{host}\n\nhost\nUNSIGNED-PAYLOAD"
    return f"{endpoint}{path}?{text}&X-Amz-Signature={signature(secret, 's3', region, when, canonical)[1]}"


def presign_v2(endpoint, bucket, name, key, secret):
    """The old kind of URL (signature version 2), which many gateways still make."""
    expires, path = int(time.time()) + 300, f"/{bucket}/{quote(name, '/')}"
    proof = hmac.new(secret.encode(), f"PUT\n\n\n{expires}\n{path}".encode(), hashlib.sha1).digest()
    return (f"{endpoint}{path}?AWSAccessKeyId={quote(key)}&Expires={expires}"
            f"&Signature={quote(base64.b64encode(proof).decode())}")


def session_token(endpoint, key, secret, region="us-east-1"):
    """Temporary credentials from the store's STS, as AWS's three variables."""
    body, when = "Action=GetSessionToken&Version=2011-06-15", now()
    host = urllib.parse.urlsplit(endpoint).netloc
    digest = hashlib.sha256(body.encode()).hexdigest()
    names = "content-type;host;x-amz-content-sha256;x-amz-date"
    headers = {"content-type": "application/x-www-form-urlencoded", "host": host,
               "x-amz-content-sha256": digest, "x-amz-date": when}
    fields = "".join(f"{k}:{v}\n" for k, v in sorted(headers.items()))
    canonical = f"POST\n/\n\n{fields}\n{names}\n{digest}"
    scope, proof = signature(secret, "sts", region, when, canonical)
    headers["Authorization"] = (f"AWS4-HMAC-SHA256 Credential={key}/{scope}, SignedHeaders={names}, "
                                f"Signature={proof}")
    request = urllib.request.Request(endpoint + "/", body.encode(), headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        tree = xml.etree.ElementTree.fromstring(answer.read())
    found = {e.tag.rpartition("}")[2]: e.text for e in tree.iter()}
    return {"AWS_ACCESS_KEY_ID": found["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": found["SecretAccessKey"],
            "AWS_SESSION_TOKEN": found["SessionToken"]}
