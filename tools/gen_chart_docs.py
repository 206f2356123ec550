#!/usr/bin/env python3
"""Write what follows from chart/posthorn/values.yaml: the table of keys in the chart's README.md,
between its markers, and values.schema.json.

Every key there has a comment, which becomes its description; its type follows from its default.
What that does not tell (choices, maps of the user's own, shapes of old values files) is said below.
With --check, write nothing and fail when a file differs.
"""
import argparse
import difflib
import json
import re
import sys
from pathlib import Path

import yaml

CHART = Path(__file__).resolve().parent.parent / "chart/posthorn"
BEGIN, END = "<!-- keys -->\n", "<!-- /keys -->\n"

SWITCH = {"enum": [True, False, 0, 1, "0", "1", "true", "false", "yes", "no", "on", "off", "",
                   None]}
SCALAR = {"type": ["string", "number", "boolean", "null"]}
TEXT = {"type": ["string", "number", "null"]}
NUMBER = {"type": ["integer", "string", "null"], "pattern": "^[0-9]*$"}
MAP = {"type": ["object", "null"]}
LIST = {"type": ["array", "null"]}
STRINGS = {"type": ["object", "null"], "additionalProperties": TEXT}
ANY = {}


def choice(*words):
    return {"enum": [*words, "", None]}


CONFIG = {
    "type": ["object", "null"],
    "additionalProperties": False,
    "properties": {
        "create": SWITCH, "path": {"type": "string"}, "data": TEXT, "raw": SWITCH, "name": TEXT,
        "key": TEXT, "directory": SWITCH, "mode": NUMBER, "labels": STRINGS, "annotations": STRINGS,
    },
    "required": ["path"],
}
SECRET = dict(CONFIG, properties=CONFIG["properties"] | {"stringData": TEXT, "type": TEXT})
ENVIRONMENT = {
    "type": "object",
    "propertyNames": {"pattern": "^[A-Za-z_][A-Za-z0-9_]*$"},
    "additionalProperties": {"anyOf": [SCALAR, LIST, {
        "type": "object", "required": ["valueFrom"], "additionalProperties": False,
        "properties": {"valueFrom": {"type": "object"}}}]},
}
CLAIM = {"properties": {"volumeName": TEXT, "volumeMode": TEXT}}

# By path; "*" stands for any name. Maps that are not here admit only the keys in values.yaml.
RULES = {
    "commonLabels": STRINGS, "commonAnnotations": STRINGS,
    "*.labels": STRINGS, "*.annotations": STRINGS,
    "*.podLabels": STRINGS, "*.podAnnotations": STRINGS,
    "certManager.privateKey": MAP, "certManager.alternative.privateKey": MAP,
    "deployment.env": ENVIRONMENT,
    "deployment.secretEnvironments": {"type": ["array", "null"], "items": {"type": "string"}},
    "deployment.extraEnv": {"type": ["array", "null"], "items": {
        "type": "object", "required": ["name"]}},
    "deployment.replicas": NUMBER,
    "deployment.strategy": MAP, "deployment.securityContext": MAP,
    "deployment.containerSecurityContext": MAP, "deployment.resources": MAP,
    "deployment.startupProbe": MAP, "deployment.livenessProbe": MAP,
    "deployment.readinessProbe": MAP,
    "deployment.terminationGracePeriodSeconds": {"type": "integer", "minimum": 1},
    "image.pullPolicy": choice("Always", "IfNotPresent", "Never"),
    "service.type": choice("ClusterIP", "LoadBalancer", "NodePort"),
    "service.externalTrafficPolicy": choice("Cluster", "Local"),
    "service.internalTrafficPolicy": choice("Cluster", "Local"),
    "*.ipFamilyPolicy": choice("SingleStack", "PreferDualStack", "RequireDualStack"),
    "service.nodePort": {"type": ["object", "null"], "additionalProperties": NUMBER},
    "*.expose": {"type": ["object", "null"], "additionalProperties": SWITCH},
    "service.allocateLoadBalancerNodePorts": {"type": ["boolean", "null"]},
    "service.publishNotReadyAddresses": {"type": ["boolean", "null"]},
    "tmp.medium": choice("Memory"),
    "proxyProtocol.trustedNetworks": {"type": ["string", "array"], "items": {"type": "string"}},
    "persistent_volume_claims.*.size": TEXT,
    "persistent_volume_claims.*.resourcePolicy": choice("keep"),
    "podDisruptionBudget.maxUnavailable": TEXT,
    "monitoring.service.scrape": SWITCH, "monitoring.service.probe": SWITCH,
    "monitoring.pod.scrape": SWITCH, "monitoring.pod.probe": SWITCH,
    "metrics.dashboard.labels": STRINGS,
    "metrics.image": MAP, "metrics.resources": MAP,
    "gateway.apiVersions": STRINGS, "traefik.entryPoints": STRINGS,
    "dovecot.fullTextSearch.verbose": SCALAR,
    "configMaps": {"type": ["object", "null"], "additionalProperties": CONFIG},
    "secrets": {"type": ["object", "null"], "additionalProperties": SECRET},
    "extraDeploy": {"type": ["array", "null"], "items": {"type": ["object", "string", "null"]}},
    "test.resources": MAP,
}

# Keys without a default, because having one would say something.
MORE = {
    "deployment": {"hostPID": (SCALAR, "Accepted for old values, without effect.")},
    "service": {"loadBalancer": (MAP, "Accepted for old values: loadBalancerIP and "
                                      "loadBalancerSourceRanges took its place."),
                "port": (SCALAR, "Accepted for old values, without effect."),
                "privateIp": (SCALAR, "Accepted for old values, without effect.")},
}
# Maps with entries of one kind, to which users add their own.
OPEN = ("persistent_volume_claims", "persistence")
# Charts 3 and 4.1 had the settings of a claim beside those of its mount.
CLAIMS_IN_PERSISTENCE = ("enabled", "existingClaim", "size", "annotations", "labels", "accessModes",
                         "storageClass", "selector", "resourcePolicy")


class Key:
    """One key of values.yaml: its path, comment, default and, for a map, the keys in it."""

    def __init__(self, path, comment, value, keys):
        self.path, self.comment, self.value, self.keys = path, comment, value, keys
        self.name = path[-1]


def comment_above(lines, number):
    """The comment that ends right above line `number` (from 0), without its marks."""
    out = []
    while number > 0 and lines[number - 1].strip().startswith("#"):
        number -= 1
        out.insert(0, re.sub(r"^\s*# ?", "", lines[number]))
    return out


def parse(text):
    lines = text.splitlines()

    def keys_of(node, path):
        for key, value in node.value:
            here = (*path, key.value)
            is_map = isinstance(value, yaml.MappingNode) and value.value and not value.flow_style
            yield Key(here, comment_above(lines, key.start_mark.line),
                      yaml.SafeLoader("").construct_object(value, deep=True),
                      list(keys_of(value, here)) if is_map else [])

    return list(keys_of(yaml.compose(text), ()))


def walk(keys):
    for key in keys:
        yield key
        yield from walk(key.keys)


def rule_of(path):
    for pattern, rule in RULES.items():
        words = pattern.split(".")
        if words[0] == "*":
            tail = words[1:]
            if list(path[-len(tail):]) == tail and len(path) > len(tail):
                return rule
        elif len(words) == len(path) and all(w in ("*", p) for w, p in zip(words, path)):
            return rule
    return None


def schema_of_value(key):
    value = key.value
    if isinstance(value, bool):
        return SWITCH
    if isinstance(value, int):
        return NUMBER
    if isinstance(value, dict):
        return MAP
    if isinstance(value, list):
        return LIST
    return TEXT if isinstance(value, str) else SCALAR


def schema_of(key):
    """The schema of one key, described by its comment."""
    schema = rule_of(key.path)
    if schema is None and key.keys:
        schema = schema_of_map(key)
    elif schema is None:
        schema = schema_of_value(key)
    text = description(key)
    return {"description": text, **schema} if text else dict(schema)


def schema_of_map(key):
    properties = {k.name: schema_of(k) for k in key.keys}
    for name, (schema, text) in MORE.get(key.name if len(key.path) == 1 else "", {}).items():
        properties[name] = {"description": text, **schema}
    if key.path == ("persistence",):
        properties = {n: with_claim(p) for n, p in properties.items()}
    schema = {"type": ["object", "null"], "properties": properties, "additionalProperties": False}
    # A map that the user removes with null would stop the templates with an obscure message.
    needed = [k.name for k in key.keys if k.keys and key.path[0] not in OPEN
              and (not rule_of(k.path) or k.name == "env")]
    if needed:
        schema["required"] = needed
    if key.path[0] in OPEN and len(key.path) == 2:
        schema["properties"] |= CLAIM["properties"]
    if key.path in [(name,) for name in OPEN]:
        # Entries of the user's own look like those that are there.
        schema["additionalProperties"] = without_descriptions(next(iter(properties.values())))
        if key.path == ("persistence",):
            # Chart 2 had them here; _legacy.tpl says where they are now.
            properties |= {name: ANY for name in ("size", "annotations", "existingClaim")}
    return schema


def with_claim(schema):
    properties = {name: SCALAR if name not in ("accessModes", "annotations", "labels", "selector")
                  else {"type": ["array", "object", "null"]} for name in CLAIMS_IN_PERSISTENCE}
    return {**schema, "properties": schema["properties"] | properties}


def without_descriptions(schema):
    if isinstance(schema, dict):
        return {k: without_descriptions(v) for k, v in schema.items()
                if not (k == "description" and isinstance(v, str))}
    return schema


def description(key):
    text = []
    for line in key.comment:
        if not line.strip() and text:
            break
        text.append(line.strip())
    return " ".join(text)


def render_schema(keys):
    return json.dumps({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Values of the Posthorn chart",
        "description": "Written by tools/gen_chart_docs.py from values.yaml.",
        # Users have keys of their own here, for templates in configMaps and extraDeploy; NOTES.txt
        # names those that the chart does not know.
        "type": "object",
        "properties": {key.name: schema_of(key) for key in keys},
        "required": [key.name for key in keys if key.keys],
    }, indent=1) + "\n"


def shown(value):
    if value is None or value == "":
        return ""
    return f"`{json.dumps(value) if not isinstance(value, str) else value.strip()}`"


def render_table(keys):
    lines = ["| Key | Default | Meaning |", "|---|---|---|"]
    for key in walk(keys):
        if key.keys and not key.comment:
            continue
        default = "" if key.keys else shown(key.value)
        text = description(key).replace("|", "\\|")
        lines.append(f"| `{'.'.join(key.path)}` | {default} | {text} |")
    return "\n".join(lines) + "\n"


def render_readme(old, keys):
    before, _, rest = old.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + BEGIN + render_table(keys) + END + after


def missing_comments(keys):
    return [".".join(k.path) for k in walk(keys) if not k.comment and not k.keys]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare only")
    args = parser.parse_args()

    keys = parse((CHART / "values.yaml").read_text(encoding="utf-8"))
    bare = missing_comments(keys)
    if bare:
        print("values.yaml: no comment on", ", ".join(bare), file=sys.stderr)
        return 1
    readme, schema = CHART / "README.md", CHART / "values.schema.json"
    wrong = False
    for path, text in ((readme, render_readme(readme.read_text(encoding="utf-8"), keys)),
                       (schema, render_schema(keys))):
        old = path.read_text(encoding="utf-8") if path.exists() else ""
        if old == text:
            continue
        if not args.check:
            path.write_text(text, encoding="utf-8")
            continue
        wrong = True
        sys.stdout.writelines(difflib.unified_diff(
            old.splitlines(True), text.splitlines(True), path.name, "values.yaml"))
        print(f"{path.name} is not what tools/gen_chart_docs.py writes", file=sys.stderr)
    return wrong


if __name__ == "__main__":
    sys.exit(main())
