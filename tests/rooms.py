"""The packages of the project."""

ROOMS = (
    "nascore",
    "darts",
    "enas",
    "ienas",
    "l2nas",
    "mlpnas",
    "nases",
    "renas",
    "flags",
    "experiments",
)
