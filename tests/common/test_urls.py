"""URLs as text: no secret is shown, and a file URL names one path."""

from __future__ import annotations

from pathlib import Path, PureWindowsPath

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from wheelcheck.common.urls import mask, path_of_url, shown

MASKS = [
    ("https://h/simple", "https://h/simple"),
    ("https://user:secret@h/simple", "https://user:****@h/simple"),
    ("https://secret@h/simple", "https://****@h/simple"),
    ("https://secret:@h/", "https://****@h/"),
    ("https://secret:x-oauth-basic@h/", "https://****@h/"),
    ("https://ghp_secretsecretsecret:x@h/", "https://****@h/"),
    ("https://__token__:secret@h/", "https://__token__:****@h/"),
    ("https://user:se@cret@h/a@b", "https://user:****@b"),
    ("https://user:se/cret@h/", "https://user:****@h/"),
    ("https://user:s/e@cr@et@h/", "https://user:****@h/"),
    ("https://user:s/e@cret@https://v:secret@h/", "https://user:****@https://v:****@h/"),
    ("https://user:s://e@cret@h/", "https://user:****@h/"),
    ("https://h:8080/a@b", "https://h:****@b"),
    ("https://h/a?x=1&access_token=secret#frag", "https://h/a?x=1&access_token=****#frag"),
    ("https://h/a.whl#sha256=00ff", "https://h/a.whl#sha256=00ff"),
    ("https://h/a?monkey=1&design=2&version=3", "https://h/a?monkey=1&design=2&version=3"),
    ("user:secret@proxy:3128", "user:****@proxy:3128"),
    ("a @ https://u:secret@h/a.whl and https://secret@i/", "a @ https://u:****@h/a.whl and https://****@i/"),
    ("name@https://u:secret@h/", "name@https://u:****@h/"),
    ("git@host:path", "git@host:path"),
    ("C:\\wheels@home", "C:\\wheels@home"),
    ("", ""),
]

SECRET_PARAMETERS = [
    "token",
    "auth_token",
    "access_token",
    "X-Amz-Signature",
    "X-Amz-Credential",
    "X-Amz-Security-Token",
    "X-Goog-Signature",
    "AWSAccessKeyId",
    "Signature",
    "sig",
    "key",
    "api-key",
    "apikey",
    "password",
    "pwd",
    "client_secret",
    "jwt",
]


@pytest.mark.parametrize(("text", "masked"), MASKS)
def test_credentials_are_masked(text: str, masked: str) -> None:
    assert mask(text) == masked
    assert mask(masked) == masked


@pytest.mark.parametrize("parameter", SECRET_PARAMETERS)
@pytest.mark.parametrize("before", ["?", "?x=1&", "?x=1;", "#"])
def test_tokens_in_parameters_are_masked(parameter: str, before: str) -> None:
    assert mask(f"see https://h/a.whl{before}{parameter}=s3cr%2Fet+x==&y=2 there") == (
        f"see https://h/a.whl{before}{parameter}=****&y=2 there"
    )


PASSWORDS = [
    *("a#x", "a?x", "a/x", "a x", "a@x", "a:x", "aéx", "12/3", "12 3", "#x", "?x", "/x", " x", "@x", ":x", "a#@/x y"),
    *("a%20x", "1@2/3", "1@2 3", "//x", "a//b", "a\\b", "a'b", 'a"b', "[a]", "a&b=c", "a;b", "<a>", "a|b", "{a}", "字"),
    *("a+b", "!$*", "%", "~", "`", "^", "a,b", "(a)", "http://x", "x@http://y"),
]
PLACES = [
    "https://user:{}@127.0.0.1:1/simple/",
    "https://user:{}@[::1]:80/s",
    "'demo @ http://user:{}@127.0.0.1:1/demo-1.0-py3-none-any.whl' is no requirement",
    "http://first.example:80/x and https://user:{}@h/ more",
    "https://other:word@h/x https://user:{}@h/simple",
]


@pytest.mark.parametrize("password", PASSWORDS)
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("secret", ["S3cret{}", "{}S3cret"])
def test_a_password_is_masked_whatever_it_holds(password: str, place: str, secret: str) -> None:
    text = place.format(secret.format(password))
    for masked in (mask(text), shown(text)):
        assert "S3cret" not in masked
    assert mask(mask(text)) == mask(text)


@given(st.text(alphabet="ab:/?#@[]&=.%é 1"))
@example("1::?wheelcheck.")
def test_any_text_can_be_masked_and_stays_masked(text: str) -> None:
    assert mask(mask(text)) == mask(text)


def test_what_is_shown_of_a_url_has_no_query() -> None:
    assert shown("https://u:secret@h/a.whl?Policy=hidden#sha256=0") == "https://u:****@h/a.whl"


PATHS = [
    ("file:///w/a%20b.whl", "/w/a b.whl"),
    ("FILE:///w", "/w"),
    ("file:/w", "/w"),
    ("file://localhost/w", "/w"),
    ("file:///w/a.whl?x#sha256=0", "/w/a.whl"),
    ("file://elsewhere/w", None),
    ("file:///w%00", None),
    ("file://", None),
    ("file://[", None),
    ("https://h/w", None),
    ("/w", None),
    ("", None),
]


@pytest.mark.parametrize(("url", "path"), PATHS)
def test_the_path_of_a_file_url(url: str, path: str | None) -> None:
    assert path_of_url(url, system="linux") == path


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("file:///C:/wheels/a%20b.whl", r"C:\wheels\a b.whl"),
        ("file:///C|/wheels", r"C:\wheels"),
        ("file://server/share/w", r"\\server\share\w"),
    ],
)
def test_the_path_of_a_file_url_on_windows(url: str, path: str) -> None:
    found = path_of_url(url, system="win32")
    assert found is not None
    assert PureWindowsPath(found) == PureWindowsPath(path)


def test_paths_go_into_urls_and_back(tmp_path: Path) -> None:
    strange = tmp_path / "a b#c?d%20é;x@y"
    found = path_of_url(strange.as_uri())
    assert found is not None
    assert Path(found) == strange
