"""What looks like a secret, by its name, its place or its form: whatever is shown, stored or put on a label goes
through here. What a job is given does not."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

MASK = "••••••••"

# Names are read word by word (`spark.hadoop.fs.s3a.secret.key`, `X-Amz-Signature`, `SharedAccessKey`), so that
# passengers, tokenizers and KEY_COLUMNS are nobody's secret.
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_SECRETS = re.compile(
    r"\w*(?:password|passwd|passphrase|secret|apikey|secretkey|accesskey|fernetkey)s?|pwd|pw|\w*token|authorization"
    r"|credentials?|jaas|webhook"
)
# `..._key` with one of these words before it.
_KEYS = re.compile(
    r"access|account|admin|aes|api|app|application|auth|cipher|client|consumer|cookie|crypto|"
    r"deploy|encrypt|encryption|fernet|hmac|host|jwt|license|licence|master|private|secret|service|"
    r"session|shared|sign|signing|ssh|storage|subscription|vault"
)
# What is about a secret, and not one; and tokens and passes that are counted or read, not kept.
_ABOUT = re.compile(
    r"algorithm|backend|bits|class|count|dir|enabled|endpoint|expiry|expires|file|header|length|"
    r"limit|lifetime|manager|managers|max|method|min|mode|name|path|policy|provider|providers|"
    r"required|size|timeout|ttl|type|uri|url|users|version"
)
_PLAIN = re.compile(
    r"all|band|bos|by|cls|dry|eos|first|input|last|mask|max|min|multi|n|next|num|one|output|"
    r"pad|per|prompt|second|sep|single|special|stop|total|two|unk"
)
_SETTINGS = {"true", "false", "yes", "no", "on", "off", "none", "null"}


def is_secret(name: str) -> bool:
    """Whether a setting of this name holds a secret."""
    words = [word.lower() for word in _WORD.findall(name)]
    if not words or _ABOUT.fullmatch(words[-1]) or name in ("PWD", "OLDPWD"):
        return False
    pairs = list(zip(["", *words], words, strict=False))
    return any(
        (word in ("key", "keys") and _KEYS.fullmatch(before))
        or (word == "user" and before == "root")
        or (_SECRETS.fullmatch(word) and not _PLAIN.fullmatch(before))
        for before, word in pairs
    ) or (words[-1] in ("auth", "pass") and not _PLAIN.fullmatch(pairs[-1][0]))


def masked(name: str, value: str) -> str:
    """A setting's value without what looks like a secret."""
    return MASK if value and is_secret(name) and value.lower() not in _SETTINGS else masked_text(value)


def masked_words(words: Sequence[str]) -> list[str]:
    """A command line or a list of settings, word by word: also `--password WORD`, and all of `NAME=several words`."""
    shown: list[str] = []
    for before, word in zip(["", *words], words, strict=False):
        name, sign, value = word.partition("=")
        if sign and _NAME.fullmatch(name):
            shown.append(f"{name}={masked(name, value)}")
        elif before.startswith("-") and "=" not in before and is_secret(before) and not _OPTION.match(word):
            shown.append(MASK)
        else:
            shown.append(masked_text(word))
    return shown


def masked_record(value: Any, name: str = "") -> Any:
    """A record without what looks like secrets, however deep it lies."""
    if isinstance(value, Mapping):
        return {key: masked_record(item, str(key)) for key, item in value.items()}
    if isinstance(value, list | tuple):
        if is_secret(name) or not all(isinstance(item, str) for item in value):
            return [masked_record(item, name) for item in value]
        return masked_words(value)
    return masked(name, value) if isinstance(value, str) else value


def masked_text(text: str) -> str:
    """Any text without the secrets in it: in addresses, settings, options, JSON, and by their own form."""
    text = _ADDRESS.sub(_without_password, _BY_FORM.sub(MASK, text))
    for place in _PLACES:
        text = place.sub(rf"\g<1>{MASK}", text)
    for names, value in _NAMED:
        text = _without_values(text, names, value)
    return text


def _without_password(found: re.Match[str]) -> str:
    scheme, user, rest = found.groups()
    if user and _PORT.match(rest) and not _STORES.fullmatch(scheme.lower()):
        return found[0]
    return f"{scheme}://{user}:{MASK}@"


def _without_values(text: str, names: re.Pattern[str], value: re.Pattern[str]) -> str:
    parts, at = [], 0
    for name in names.finditer(text):
        if name.start() < at or not is_secret(name[1]):
            continue
        found = value.match(text, name.end())
        if found and found[0].lower() not in _SETTINGS:
            parts += [text[at : name.end()], MASK]
            at = found.end()
    return "".join([*parts, text[at:]])


# All of these take a time that grows with the text alone: texts come from strangers.
_START = r"(?<![\w.-])"
_NAME = re.compile(r"-{0,2}[\w.-]+")
_OPTION = re.compile(r"--?[A-Za-z]$|--[A-Za-z]")
# Forms that nothing else has: keys of AWS, Google, GitHub, GitLab, Slack, Hugging Face, OpenAI; a JWT; a private key.
_BY_FORM = re.compile(
    r"\b(?:A[KS]IA[A-Z0-9]{16}|AIza[\w-]{35}|gh[pousr]_\w{36,}|github_pat_\w{22,}|glpat-[\w-]{20,}"
    r"|xox[abposr]-[\w-]{10,}|hf_[A-Za-z]{30,}|sk-[\w-]{32,}|eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]+)"
    r"|-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----[^-]+(?:-----END [A-Z ]{0,20}PRIVATE KEY-----)?"
)
# Up to the last `@`: a password may have everything in it.
_ADDRESS = re.compile(r"(?<![\w+.-])([A-Za-z][\w+.-]*)://([^\s:/@\"'<>]*):((?:(?!://)[^\s\"'<>])*)@")
_PORT = re.compile(r"\d{1,5}(?:[/?#,]|$)")
# Where `name:8080/a@b` can only be a password.
_STORES = re.compile(
    r"(?:rediss?|valkey|postgres|postgresql|mysql|mariadb|mongodb|amqps?|mssql|oracle|clickhouse|ldaps?)(?:\+\w+)?"
)
# Where nothing else stands: a signed address, a token as a user, Oracle's own form, a header.
_PLACES = (
    re.compile(r"([?&](?:sig|signature|key|code|X-(?:Amz|Goog)-(?:Signature|Credential))=)[^\s&\"']+", re.IGNORECASE),
    re.compile(r"(https?://)[^\s/@:\"'<>]{16,}(?=@)"),
    re.compile(r"(jdbc:oracle:\w+:[^/\s:@]+/)[^\s\"']+(?=@)"),
    re.compile(r"(\bAuthorization:\s?(?:\w+ )?)[^\s\"']+", re.IGNORECASE),
)
_QUOTED = r"""\\?"(?:[^"\\]|\\[^"])*\\?"|'[^']*'"""
# A name with what follows it, and what then is its value.
_NAMED = (
    # `a=b;name=two words;c=d`, then `name=value` in any text, JSON and YAML, `--name value`.
    (re.compile(r"(?<=;)\s?([\w.-]+)="), re.compile(r"[^;\n]+")),
    (
        re.compile(_START + r"([\w.-]+)\s?=\s?"),
        re.compile(_QUOTED + r"""|\{[^}]*\}|[^;=\n"']*(?=;\s?[A-Za-z][\w .]*=)|[^\s&;"']+"""),
    ),
    (
        re.compile(_START + r"""([\w.-]+)(?:\\?["']\s?:\s?|:\s(?!\w+:))"""),
        re.compile(_QUOTED + r"""|[^\s"',;}\]\[{]+"""),
    ),
    (re.compile(r"(?<!\S)(--?[\w.-]+)\s(?!--?[A-Za-z](?:\s|$)|--[A-Za-z])"), re.compile(_QUOTED + r"|\S+")),
)
