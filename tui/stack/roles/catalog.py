"""A catalog of tables over REST: Polaris, Nessie, Lakekeeper, Unity, Gravitino."""

from __future__ import annotations

from tui.stack.model import Role
from tui.stack.roles.kind import Page, kind

KIND = kind(
    Role.CATALOG,
    Page("Catalog", (8181, 19120, 8090, 8080, 3000)),
    (3, "image", r"polaris|nessie|lakekeeper|unitycatalog|iceberg-rest|gravitino"),
    (3, "name", r"^(polaris|nessie|lakekeeper|unity-?catalog|iceberg-rest\w*|rest-?catalog|gravitino)$"),
    (2, "ports", r"^19120$"),
)
