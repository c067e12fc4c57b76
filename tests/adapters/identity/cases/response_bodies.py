"""Bodies that an authentication service may send with status 200, by what they mean."""

import json
from collections.abc import Mapping

from tests.adapters.identity.cases.authentication_service import GOOD


def padded(size: int) -> bytes:
    return GOOD + b" " * (size - len(GOOD))


def nested(depth: int) -> bytes:
    inside = b"[" * (depth - 1) + b"]" * (depth - 1)
    return b'{"id": "tenant-a", "x": ' + inside + b"}"


def with_id(id_: str) -> bytes:
    return json.dumps({"id": id_}, ensure_ascii=False).encode()


VALID_IDS: Mapping[str, str] = {
    "one character": "x",
    "128 characters": "x" * 128,
    "128 characters of four bytes": "\U0001f600" * 128,
    "other letters": "tenant-\u00fc-\u6771\u4eac",
    "a combining accent": "e\u0301",
    "capitals": "Tenant-A",
    "a space inside": "tenant a",
    "digits": "42",
    "a JSON keyword": "null",
    "a quote and a backslash": '"\\',
    "markup": "<b>tenant</b>",
}
INVALID_IDS: Mapping[str, str] = {
    "no character": "",
    "129 characters": "x" * 129,
    "129 characters of four bytes": "\U0001f600" * 129,
    "a space alone": " ",
    "a space before": " tenant-a",
    "a space behind": "tenant-a ",
    "a tab behind": "tenant-a\t",
    "a line feed behind": "tenant-a\n",
    "a tab inside": "tenant\ta",
    "a no-break space behind": "tenant-a\u00a0",
    "an ideographic space alone": "\u3000",
    "NUL alone": "\0",
    "NUL behind": "tenant-a\0",
    "a control character": "tenant-a\x1b",
    "DEL": "tenant-a\x7f",
    "a bidirectional override": "\u202etenant-a",
    "a zero-width space": "tenant\u200b-a",
    "a soft hyphen": "tenant\u00ad-a",
    "a byte order mark inside": "\ufefftenant-a",
    "a line separator": "tenant-a\u2028",
    "a private character": "tenant-\ue000",
    "a non-character": "tenant-\uffff",
}
WITH_A_TENANT: Mapping[str, bytes] = {
    "among others": b'{"ok": 1, "id": "tenant-a", "data": {"id": "tenant-b"}, "x": null}',
    "beside other spellings": b'{"ID": "tenant-b", "id": "tenant-a", "id ": null}',
    "white space around": b' \r\n\t{ "id" :\t"tenant-a" }\n',
    "escaped": b'{"id": "\\u0074enant-a"}',
    "an escaped key": b'{"\\u0069d": "tenant-a"}',
    "64 deep": nested(64),
    "4,096 bytes": padded(4096),
}
INVALID: Mapping[str, bytes] = {
    "a number": b'{"id": 1}',
    "zero": b'{"id": 0}',
    "a fraction": b'{"id": 1.5}',
    "a number without bounds": b'{"id": 1e400}',
    "true": b'{"id": true}',
    "false": b'{"id": false}',
    "an empty list": b'{"id": []}',
    "a list": b'{"id": ["tenant-a"]}',
    "an empty object": b'{"id": {}}',
    "an object": b'{"id": {"id": "tenant-a"}}',
    "NaN": b'{"id": NaN}',
    "a lone surrogate": b'{"id": "tenant-\\ud800"}',
    "a raw control character": b'{"id": "tenant-a\n"}',
    "null alone": b"null",
    "true alone": b"true",
    "a string alone": b'"tenant-a"',
    "a number alone": b"1",
    "a list alone": b"[]",
    "an object in a list": b'[{"id": "tenant-a"}]',
    "a line feed alone": b"\n",
    "a space alone": b" ",
    "not JSON": b"tenant-a",
    "a form": b"id=tenant-a",
    "HTML": b"<html><body>s3cret</body></html>",
    "HTML around it": b"<pre>" + GOOD + b"</pre>",
    "single quotes": b"{'id': 'tenant-a'}",
    "no quotes": b'{id: "tenant-a"}',
    "a trailing comma": b'{"id": "tenant-a",}',
    "a comment": b'{"id": "tenant-a"} // s3cret',
    "two objects": GOOD + GOOD,
    "two lines": GOOD + b"\n" + GOOD,
    "a prefix": b")]}',\n" + GOOD,
    "NUL behind the object": GOOD + b"\0",
    "no closing brace": GOOD[:-1],
    "no closing quote": GOOD[:-2],
    "an opening brace": b"{",
    "twice": b'{"id": "tenant-a", "id": "tenant-b"}',
    "twice the same": b'{"id": "tenant-a", "id": "tenant-a"}',
    "twice, once null": b'{"id": "tenant-a", "id": null}',
    "twice, null first": b'{"id": null, "id": "tenant-a"}',
    "twice null": b'{"id": null, "id": null}',
    "twice, once escaped": b'{"id": "tenant-a", "\\u0069d": "tenant-a"}',
    "another key twice": b'{"id": "tenant-a", "s3cret": 1, "s3cret": 1}',
    "a key twice inside": b'{"id": "tenant-a", "x": [{"y": 1, "y": 1}]}',
    "a byte order mark": b"\xef\xbb\xbf" + GOOD,
    "UTF-16": GOOD.decode().encode("utf-16"),
    "UTF-16, little-endian": GOOD.decode().encode("utf-16-le"),
    "UTF-32": GOOD.decode().encode("utf-32-be"),
    "Latin-1": '{"id": "tenant-\u00fc"}'.encode("latin-1"),
    "overlong UTF-8": b'{"id": "tenant\xc0\xad"}',
    "a surrogate in UTF-8": b'{"id": "tenant-\xed\xa0\x80"}',
    "not UTF-8 in another member": b'{"id": "tenant-a", "x": "\xff"}',
    "65 deep": nested(65),
    "1,000 deep": nested(1000),
    "4,097 bytes": padded(4097),
    "4,097 bytes of a member": b'{"id": "tenant-a", "x": "' + b"x" * 4070 + b'"}',
    "1 MiB": padded(1 << 20),
    "1 MiB of spaces": b" " * (1 << 20),
}
WITHOUT_AN_ID: Mapping[str, bytes] = {
    "an empty body": b"",
    "an empty object": b"{}",
    "null": b'{"id": null}',
    "other members": b'{"name": "s3cret", "tenant_id": "tenant-a"}',
    "upper case": b'{"ID": "tenant-a"}',
    "mixed case": b'{"Id": "tenant-a"}',
    "a space behind the key": b'{"id ": "tenant-a"}',
    "a space before the key": b'{" id": "tenant-a"}',
    "NUL behind the key": b'{"id\\u0000": "tenant-a"}',
    "a full-width key": '{"\uff49\uff44": "tenant-a"}'.encode(),
    "an empty key": b'{"": "tenant-a"}',
    "a nested id": b'{"user": {"id": "tenant-a"}}',
}
