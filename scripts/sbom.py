"""Make the software bill of materials that the wheel carries; scripts/goldens.py writes and checks it.

It names the package and what it needs, as pyproject.toml has it: nothing is bundled, and which version of a
dependency is installed is decided where the package is installed. It holds no time, and a serial number made
of its content, so that a second build has the same bytes.

Source: CycloneDX 1.6; PEP 770 (where it is in a wheel); package-url, type pypi.
"""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.model import ExternalReference, ExternalReferenceType, Property, XsUri
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.model.license import LicenseExpression
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from loopback_auth import __version__

ROOT = Path(__file__).resolve().parent.parent
PATH = "scripts/shipped/loopback-auth.cdx.json"


def sbom() -> str:
    """Return the document, as JSON."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    name = project["name"]
    whole = Component(
        name=name,
        version=__version__,
        type=ComponentType.APPLICATION,
        description=project["description"],
        licenses=[LicenseExpression(project["license"])],
        purl=PackageURL("pypi", None, name, __version__),
        bom_ref=name,
        external_references=[
            ExternalReference(
                type=ExternalReferenceType.DISTRIBUTION, url=XsUri(f"https://pypi.org/project/{name}/")
            )
        ],
    )
    needed = {one.name: one for one in map(Requirement, project["dependencies"])}
    extras: dict[Requirement, list[str]] = {}
    for extra, texts in project["optional-dependencies"].items():
        for one in map(Requirement, texts):
            if canonicalize_name(one.name) not in {name, *needed}:
                extras.setdefault(one, []).append(extra)
    components = [component(one) for one in needed.values()]
    components += [component(one, *names) for one, names in extras.items()]
    bom = Bom(components=components)
    bom.metadata.component = whole
    bom.register_dependency(whole, components)
    document = json.loads(JsonV1Dot6(bom).output_as_string())
    del document["metadata"]["timestamp"], document["serialNumber"]
    content = json.dumps(document, sort_keys=True)
    document["serialNumber"] = uuid5(NAMESPACE_URL, content).urn
    return json.dumps(document, indent=2, sort_keys=True) + "\n"


def component(requirement: Requirement, *extras: str) -> Component:
    """Describe a package that is needed.

    Args:
        requirement: name and versions.
        extras: by which it is needed; none: by the package itself.
    """
    name = canonicalize_name(requirement.name)
    properties = [Property(name="loopback-auth:requirement", value=str(requirement.specifier))]
    properties += [Property(name="loopback-auth:extra", value=extra) for extra in extras]
    return Component(
        name=name,
        type=ComponentType.LIBRARY,
        scope=ComponentScope.OPTIONAL if extras else ComponentScope.REQUIRED,
        purl=PackageURL("pypi", None, name),
        bom_ref=name,
        properties=properties,
    )
