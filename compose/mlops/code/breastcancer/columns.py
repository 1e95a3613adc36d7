"""What a row of the data holds: said once, for the data's validation and for the API's input."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Feature:
    """A measurement, the mean over a sample's nuclei, and the values that it can have (both ends included)."""

    name: str
    low: float
    high: float
    meaning: str
    example: float  # of the first sample, which is malignant


# Lengths in pixels of the image. The limits are wide: they catch mistakes, not rare tumours.
FEATURES: Final = (
    Feature("radius", 1, 60, "distance from the centre to the outline", 17.99),
    Feature("texture", 1, 80, "standard deviation of the grey values", 10.38),
    Feature("perimeter", 5, 400, "length of the outline", 122.8),
    Feature("area", 10, 10_000, "area within the outline", 1001),
    Feature("smoothness", 0.01, 0.5, "local variation of the radius", 0.1184),
    Feature("compactness", 0, 1, "perimeter squared / area - 1", 0.2776),
    Feature("concavity", 0, 1, "how deep the outline's dents are", 0.3001),
    Feature("concave_points", 0, 0.5, "share of the outline that is dented", 0.1471),
    Feature("symmetry", 0.01, 0.6, "difference between both halves", 0.2419),
    Feature("fractal_dimension", 0.01, 0.2, "coastline approximation - 1", 0.07871),
)
NAMES: Final = tuple(feature.name for feature in FEATURES)
TARGET: Final = "malignant"  # 1 is malignant, 0 is benign
MODEL: Final = "breast-cancer"  # the registered model's and the experiment's name
CHAMPION: Final = "champion"  # the alias of the version that is served
