"""``contract/openapi.json``, generated from ``openapi.yaml`` by ``make openapi-json``."""

import json
from pathlib import Path

import yaml

CONTRACT = Path(__file__).parents[2] / "contract"
PATH = CONTRACT / "openapi.json"


def openapi_json() -> str:
    """Write the API document as JSON."""
    document = yaml.safe_load((CONTRACT / "openapi.yaml").read_bytes())
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    PATH.write_text(openapi_json())
