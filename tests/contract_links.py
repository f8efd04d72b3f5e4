"""Links that a person may follow and links that nobody should, and strategies for more of them."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.contract_values import BLANK, INVISIBLE, MEBIBYTE, WHITE_SPACE, edited, texts

PLAIN = [
    *("/", "/apply", "/a/b.c?d=e&f=g#h", "/a//b", "/~asha", "/-", "/.", "/..//evil.example"),
    *("https://a", "http://a.example", "https://a.example/", "http://a.example:8080/b?c=d"),
    *("http://127.0.0.1/", "https://a.example//evil.example", f"/{'a' * MEBIBYTE}"),
]
# Good ones, too, but none that the gate knows by its looks.
UNUSUAL = [
    *("HTTPS://Ok", "hTTp://OK/", "http://user@host", "https://user:word@host.example/x"),
    *("/?a=b", "/#a", "/a%20b", "/%5Cevil", "/%2F/evil.example", "/%0a", "https://a/%E0%A4%86"),
    *("http://[::1]/", "https://[2001:db8::1]:8443/x", "https://\u0906\u0927\u093e\u0930.example"),
    *(
        "/\u0906\u0935\u0947\u0926\u0928",
        "/a\\b",
        "/a/\\evil.example",
        "https://a?b",
        "https://a#b",
    ),
    *("/:evil", "/@evil.example", "/;a", "/'a'", "https://_a.example", f"/%{'a' * MEBIBYTE}"),
]
_SCHEMES = [
    *(
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "javascript://a/%0aalert(1)",
        "data:text/html,x",
    ),
    *("vbscript:x", "file:///etc/passwd", "ftp://a.example/", "mailto:a@b", "tel:1", "blob:x"),
    *("javascript:https://a", "view-source:https://a", "xhttps://a", "httpss://a", "http+x://a"),
]
_NO_HOST = [
    *("http:", "https:", "http:/", "http://", "https://", "http:///x", "https:////evil.example"),
    *(
        "http:/evil.example",
        "http:evil.example",
        "https:?a",
        "https://?a",
        "https://#a",
        "https://:80",
    ),
    *(
        "https://@",
        "https://@/a",
        "https://user@",
        "https://user:word@/a",
        "http://[]/",
        "http://[::1",
    ),
    *("http://::1]/", "https://a\u2100b.example"),
]
_ELSEWHERE = [
    *("//evil.example", "///evil.example", "/\\evil", "/\\evil.example", "\\\\evil", "\\/evil"),
    *("//", "/\\", "/\\/evil.example", "\\evil", "http:\\\\evil.example", "http:/\\evil.example"),
    *("https://a.example\\@evil.example", "https://a\\b", "https:\\evil.example"),
    *("a", "apply", "a/b", "./a", "../a", "?a", "#a", "@a", "www.example.com", "a.example:80"),
    *("://a", ":", "*", "****", "\uff0fa", "\u2044a", "h\u0442tps://a", "http\uff1a//a"),
]
_HIDDEN = [
    *("/a\n", "/\n", "\n/a", "https://a\n", "https://a.example/\r\n", "/a\r", "/a\t", "/\t/evil"),
    *("java\nscript:alert(1)", "java\tscript:x", "\x01javascript:x", "ht\ntps://a", "/\x01"),
    *("/a b", " /a", "/a ", "/ /evil.example", "https://a b", "https:// a", "https://a /b"),
    *("/\x7f", "/\x85", "/\x9f", "/a\x1b[0m", "/\u202eevil", "/a\u2066b", "/\u200d", "/a\u00adb"),
    *(f"/a{each}b" for each in (*WHITE_SPACE, *INVISIBLE)),
    *(f"/{each}/evil.example" for each in ("\u00a0", "\u3000", "\u2028", "\u200b", "\ufeff")),
]
NO_LINKS = [*_SCHEMES, *_NO_HOST, *_ELSEWHERE, *_HIDDEN, *INVISIBLE, *BLANK, " " * 10_240 + "/a"]

_known = st.sampled_from([*PLAIN[:-1], *UNUSUAL[:-1], *_SCHEMES, *_NO_HOST, *_ELSEWHERE, *_HIDDEN])
links = st.one_of(
    texts,
    _known,
    edited(_known),
    # Beginnings of all kinds before something that the gate knows.
    st.builds(
        "{}{}".format,
        st.text("/\\:@?#.%[]\n\t \u00a0\u200bhtpsHTPS", max_size=10),
        st.from_regex(r"[a-z0-9./:@-]{0,12}", fullmatch=True),
    ),
    st.builds(
        "http{}://{}{}".format,
        st.sampled_from(["", "s", "S"]),
        st.text("a.-0:@[]_%\\\u00e9\u2100", max_size=8),
        st.text("/?#a%\\ \n=&+~", max_size=8),
    ),
)
