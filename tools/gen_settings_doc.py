#!/usr/bin/env python3
"""Render docs/settings.md from the table in src/core/settings.def.

With --check, write nothing and fail when the document differs from the table.
"""

import argparse
import difflib
import pathlib
import re
import sys
import textwrap

REPO = pathlib.Path(__file__).resolve().parent.parent
TABLE = REPO / "src/core/settings.def"
DOCUMENT = REPO / "docs/settings.md"

ENTRY = re.compile(
    r"^SETTING(?P<kind>|_GROUP|_CHOICE|_ENUM|_WORD|_FOREIGN)\((?P<args>.*?)\)$", re.M | re.S)
# A C string with its continuation strings, or a bare word.
STRING = r'"(?:[^"\\]|\\.)*"'
ARGUMENT = re.compile(rf"\s*(?:(?P<text>{STRING}(?:\s*{STRING})*)|(?P<word>\w+))\s*,?")

TYPES = {
    "SWITCH": "switch",
    "INTEGER": "number",
    "SIZE": "size",
    "TIME": "time",
    "TEXT": "text",
    "PATH": "path",
}

INTRODUCTION = """\
# Settings

<!-- Written by tools/gen_settings_doc.py from src/core/settings.def. -->

Posthorn is configured by environment variables. A variable that is unset or empty has its default.

* A *switch* is on when its value is numerically 1; `true`, `yes` and `on` are off, with a warning.
* A *size* is in bytes; the suffixes `k`, `M`, `G` count by 1000, `Ki`, `Mi`, `Gi` by 1024.
* A *time* is in seconds, or has one of the suffixes `ms`, `s`, `m`, `h`, `d`.
* A value that cannot be used gives the default and a warning, unless it says here that the server
  does not start.
* Any value can come from a file: `NAME__FILE=/path` is used when `NAME` is unset or empty. Line
  ends at the end of the file do not count.

Started as root, the server becomes the user who owns `/var/mail` (where that is root it stays root,
with a warning). As that user it has to read the configuration and the private keys, and to write
`/var/mail`, `/var/mail-state` and `/var/log/mail`.
"""


def arguments(text):
    """The arguments of one macro call, strings joined and unquoted."""
    out = []
    for m in ARGUMENT.finditer(text):
        if m["word"]:
            out.append(m["word"])
        elif m["text"] is not None:
            parts = re.findall(r'"((?:[^"\\]|\\.)*)"', m["text"])
            out.append("".join(parts).replace('\\"', '"'))
    return out


def code(text):
    return f"`{text}`" if text else "empty"


def default_of(text):
    return text[1:] if text.startswith("=") else code(text)


def values_of(kind, low, high):
    if kind == "SWITCH":
        return "0, 1"
    if kind in ("TEXT", "PATH"):
        return TYPES[kind]
    return f"{TYPES[kind]}, {low} to {high}"


def row(name, default, values, doc):
    return f"| `{name}` | {default} | {values} | {doc} |"


def render(table):
    lines = [INTRODUCTION]
    words, current, foreign = {}, None, []
    for m in ENTRY.finditer(table):
        a = arguments(m["args"])
        if m["kind"] == "_ENUM":
            current = words.setdefault(a[0], [])
        elif m["kind"] == "_WORD":
            current.append(a[1])
        elif m["kind"] == "_FOREIGN":
            foreign.append(code(a[0]))
        elif m["kind"] == "_GROUP":
            lines += [f"\n## {a[0]}\n", "| Variable | Default | Values | Meaning |",
                      "|---|---|---|---|"]
        elif m["kind"] == "_CHOICE":
            _, name, default, tag, bad, doc = a
            values = ", ".join(code(w) for w in words[tag])
            if bad == "FATAL":
                doc += " Anything else: the server does not start."
            lines.append(row(name, default_of(default), values, doc))
        else:
            kind, _, name, default, low, high, doc = a
            lines.append(row(name, default_of(default), values_of(kind, low, high), doc))
    lines += ["\n## Variables of docker-mailserver that do nothing here\n",
              "A warning at the start names those that are set to more than the default.\n",
              textwrap.fill(", ".join(foreign) + ".", 100, break_on_hyphens=False)]
    return "\n".join(lines) + "\n"


def table_text():
    """The entries, without comments and preprocessor lines."""
    text = re.sub(r"/\*.*?\*/", "", TABLE.read_text(), flags=re.S)
    return "\n".join(line for line in text.splitlines() if not line.startswith("#"))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare only")
    args = parser.parse_args()

    text = render(table_text())
    if not args.check:
        DOCUMENT.parent.mkdir(exist_ok=True)
        DOCUMENT.write_text(text)
        return 0
    old = DOCUMENT.read_text() if DOCUMENT.exists() else ""
    if old == text:
        return 0
    sys.stdout.writelines(difflib.unified_diff(
        old.splitlines(True), text.splitlines(True), "docs/settings.md", "settings.def"))
    print("docs/settings.md is not what tools/gen_settings_doc.py writes", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
