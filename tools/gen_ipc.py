#!/usr/bin/env python3
"""Turn a schema <service>.ipc into <service>_ipc.h and <service>_ipc.c.

    service auth
    struct target           # what it is
        address str         # comments become comments
    call resolve 10s        # the time after which the caller gives up
        in address str
        out verdict u8
        out targets list target

Types: bool u8 u32 u64 i64 str fd, `list <struct>`.
"""
import os
import re
import sys

C_TYPES = {"bool": "bool", "u8": "uint8_t", "u32": "uint32_t", "u64": "uint64_t",
           "i64": "int64_t", "str": "struct str", "fd": "int"}
LEAST = {"bool": 1, "u8": 1, "u32": 4, "u64": 8, "i64": 8, "str": 4, "fd": 1}
NAME = re.compile(r"^[a-z][a-z0-9_]*$")


class Schema:
    def __init__(self, path):
        self.path = path
        self.service = None
        self.doc = []
        self.structs = {}  # name -> (doc, fields)
        self.calls = []  # (name, timeout ms, doc, in fields, out fields)
        self.parse()

    def fail(self, number, text):
        sys.exit(f"{self.path}:{number}: {text}")

    def parse_field(self, number, words, comment):
        if len(words) == 2 and words[1] in C_TYPES:
            return (words[0], words[1], None, comment)
        if len(words) == 3 and words[1] == "list" and words[2] in self.structs:
            return (words[0], "list", words[2], comment)
        return self.fail(number, f"not a field: {' '.join(words)}")

    def parse(self):
        doc, fields, ins, outs = [], None, None, None
        for number, line in enumerate(open(self.path), 1):
            code, _, comment = line.rstrip("\n").partition("#")
            words, comment = code.split(), comment.strip()
            if not words:
                doc = doc + [comment] if comment else []
                continue
            if comment and words[0] in ("service", "struct", "call"):
                doc = doc + [comment]
            if words[0] == "service" and len(words) == 2:
                self.service, self.doc = words[1], doc
            elif words[0] == "struct" and len(words) == 2:
                fields, ins, outs = [], None, None
                self.structs[words[1]] = (doc, fields)
            elif words[0] == "call" and len(words) == 3 and re.match(r"^\d+s$", words[2]):
                fields, ins, outs = None, [], []
                self.calls.append((words[1], int(words[2][:-1]) * 1000, doc, ins, outs))
            elif words[0] in ("in", "out") and ins is not None:
                (ins if words[0] == "in" else outs).append(
                    self.parse_field(number, words[1:], comment))
            elif fields is not None:
                fields.append(self.parse_field(number, words, comment))
            else:
                self.fail(number, f"not understood: {code.strip()}")
            doc = []
        if not self.service:
            self.fail(1, "no service line")

    def least(self, struct):
        return max(1, sum(LEAST.get(kind, 4) for _, kind, _, _ in self.structs[struct][1]))


def comment(lines, indent=""):
    if not lines:
        return ""
    body = f"\n{indent} * ".join(lines)
    return f"{indent}/* {body} */\n"


def fields_text(schema, fields):
    out = ""
    for name, kind, of, doc in fields:
        tail = f" /* {doc} */" if doc else ""
        if kind == "list":
            out += f"\tstruct {schema.service}_{of} *{name};{tail}\n\tsize_t {name}_count;\n"
        else:
            c_type = C_TYPES[kind]
            space = "" if c_type.endswith("*") else " "
            out += f"\t{c_type}{space}{name};{tail}\n"
    return out or "\tchar unused; /* C has no empty structs */\n"


def signature(service, name, call):
    return (f"int may_suspend must_check {service}_{name}(struct ipc_client *c, "
            f"const struct {service}_{name}_in *in,\n\tstruct arena *a, "
            f"struct {service}_{name}_out *out, struct err *err)")


def header(schema, source):
    s = schema.service
    out = f"/* Generated from {source}: the calls of the {s} service. */\n#pragma once\n\n"
    out += ("#include <stdbool.h>\n#include <stddef.h>\n#include <stdint.h>\n\n"
            "#include \"base/check.h\"\n#include \"base/str.h\"\n\n"
            "struct arena;\nstruct err;\nstruct ipc_client;\nstruct ipc_service;\n\n")
    out += comment(schema.doc)
    for name, (doc, fields) in schema.structs.items():
        out += comment(doc) + f"struct {s}_{name} {{\n{fields_text(schema, fields)}}};\n\n"
    for name, _, _, ins, outs in schema.calls:
        out += f"struct {s}_{name}_in {{\n{fields_text(schema, ins)}}};\n\n"
        out += f"struct {s}_{name}_out {{\n{fields_text(schema, outs)}}};\n\n"
    out += "/* For callers. Strings and lists of *out live in `a`. */\n"
    for call in schema.calls:
        out += comment(call[2]) + signature(s, call[0], call) + ";\n\n"
    out += ("/* For the server. Strings of *in live as long as the call, as does `a`;\n"
            " * descriptors are closed afterwards unless take_fd moved them out; those of\n"
            f" * *out are closed once sent. */\nstruct {s}_ops {{\n")
    for name, _, _, _, _ in schema.calls:
        out += (f"\tint (*{name})(void *ctx, struct {s}_{name}_in *in, struct arena *a,\n"
                f"\t\tstruct {s}_{name}_out *out, struct err *err);\n")
    return out + f"}};\n\nextern const struct ipc_service {s}_service;\n"


def put_fields(schema, fields, base, indent="\t"):
    out = ""
    for name, kind, of, _ in fields:
        if kind == "list":
            out += (f"{indent}ipc_put_u32(w, (uint32_t){base}{name}_count);\n"
                    f"{indent}for (size_t i = 0; i < {base}{name}_count; i++)\n"
                    f"{indent}\tput_{of}(w, &{base}{name}[i]);\n")
        else:
            out += f"{indent}ipc_put_{kind}(w, {base}{name});\n"
    return out


def get_fields(schema, fields, base):
    out = ""
    for name, kind, of, _ in fields:
        if kind == "list":
            t = f"struct {schema.service}_{of}"
            out += (f"\t{base}{name} = ipc_get_list(r, {schema.least(of)}, sizeof({t}),\n"
                    f"\t\t&{base}{name}_count);\n"
                    f"\tfor (size_t i = 0; i < {base}{name}_count; i++)\n"
                    f"\t\tget_{of}(r, &{base}{name}[i]);\n")
        else:
            out += f"\t{base}{name} = ipc_get_{kind}(r);\n"
    return out


def struct_codecs(schema):
    out = ""
    s = schema.service
    for name, (_, fields) in schema.structs.items():
        used_in = any(f[1] == "list" and f[2] == name
                      for c in schema.calls for f in c[3] + c[4])
        nested = any(f[1] == "list" and f[2] == name
                     for _, (_, fs) in schema.structs.items() for f in fs)
        if not (used_in or nested):
            continue
        out += (f"static void put_{name}(struct ipc_writer *w, const struct {s}_{name} *v)\n{{\n"
                f"{put_fields(schema, fields, 'v->')}}}\n\n"
                f"static void get_{name}(struct ipc_reader *r, struct {s}_{name} *v)\n{{\n"
                f"{get_fields(schema, fields, 'v->')}}}\n\n")
    return out


def client_stub(schema, index, call):
    s = schema.service
    name, timeout, _, ins, outs = call
    used = "" if ins else "\t(void)in;\n"
    decode = f"\t*out = (struct {s}_{name}_out){{ 0 }};\n" + get_fields(schema, outs, "out->")
    return (f"{signature(s, name, call)}\n{{\n"
            f"\tstatic const struct ipc_request request = {{\n"
            f"\t\t\"{s}.{name}\", {index}, {timeout}\n\t}};\n"
            f"\tstruct ipc_writer writer, *w = &writer;\n"
            f"\tstruct ipc_reader reader = {{ .arena = a }}, *r = &reader;\n\n{used}"
            f"\tipc_request_begin(w);\n{put_fields(schema, ins, 'in->')}"
            f"\tint result = ipc_client_call(c, &request, w, r, err);\n"
            f"\tif (result < 0)\n\t\treturn result;\n{decode}"
            f"\tif (ipc_reader_ok(r))\n\t\treturn result;\n"
            f"{close_fds(outs, 'out->')}\tipc_reader_close_fds(r);\n"
            f"\treturn err_set(err, -EBADMSG, \"{s}.{name}: malformed answer\");\n}}\n\n")


def close_fds(fields, base):
    return "".join(f"\tif ({base}{name} >= 0)\n\t\tclose({base}{name});\n"
                   for name, kind, _, _ in fields if kind == "fd")


def server_handler(schema, call):
    s = schema.service
    name, _, _, ins, outs = call
    has_fd = any(f[1] == "fd" for f in ins)
    out_fds = "".join(f"\tout.{f[0]} = -1;\n" for f in outs if f[1] == "fd")
    cleanup = close_fds(ins, "in.") if has_fd else ""
    return (f"static int handle_{name}(const void *ops, void *ctx, struct ipc_reader *r,\n"
            f"\tstruct ipc_writer *w, struct err *err)\n{{\n"
            f"\tconst struct {s}_ops *o = ops;\n"
            f"\tstruct {s}_{name}_in in = {{ 0 }};\n"
            f"\tstruct {s}_{name}_out out = {{ 0 }};\n"
            f"\tint result;\n\n{out_fds}{get_fields(schema, ins, 'in.')}"
            f"\tif (ipc_reader_ok(r))\n"
            f"\t\tresult = o->{name}(ctx, &in, r->arena, &out, err);\n"
            f"\telse\n"
            f"\t\tresult = err_set(err, -EBADMSG, \"{s}.{name}: malformed call\");\n"
            f"{cleanup}"
            f"\tif (result < 0)\n\t\treturn result;\n"
            f"{put_fields(schema, outs, 'out.')}"
            f"{'' if outs else chr(9) + '(void)w;' + chr(10)}"
            f"\treturn result;\n}}\n\n")


def source(schema, directory, origin):
    s = schema.service
    out = (f"/* Generated from {origin}. */\n#include \"{directory}/{s}_ipc.h\"\n\n"
           "#include <errno.h>\n#include <unistd.h>\n\n"
           "#include \"base/err.h\"\n#include \"core/ipc.h\"\n\n")
    out += struct_codecs(schema)
    for index, call in enumerate(schema.calls):
        out += client_stub(schema, index, call)
    for call in schema.calls:
        out += server_handler(schema, call)
    out += f"static const struct ipc_method methods[] = {{\n"
    for name, *_ in schema.calls:
        out += f"\t{{ \"{s}.{name}\", handle_{name} }},\n"
    return out + (f"}};\n\nconst struct ipc_service {s}_service = {{\n\t.name = \"{s}\",\n"
                  f"\t.methods = methods,\n\t.method_count = {len(schema.calls)},\n}};\n")


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: gen_ipc.py SCHEMA OUTPUT-DIRECTORY")
    schema = Schema(sys.argv[1])
    directory = os.path.basename(os.path.dirname(os.path.abspath(sys.argv[1])))
    origin = f"{directory}/{os.path.basename(sys.argv[1])}"
    base = os.path.join(sys.argv[2], f"{schema.service}_ipc")
    with open(base + ".h", "w") as f:
        f.write(header(schema, origin))
    with open(base + ".c", "w") as f:
        f.write(source(schema, directory, origin))


if __name__ == "__main__":
    main()
