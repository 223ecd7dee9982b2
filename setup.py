"""Packaging of the project; `pip install -e .` in a checkout."""

from setuptools import find_packages, setup

DASK = "dask[distributed]>=2025.1"
ONNX = ["onnx>=1.19", "onnxruntime>=1.23", "tf2onnx>=1.17"]
PARQUET = "pyarrow>=15.0"

setup(
    name="ienas",
    version="0.1.0",
    description=(
        "ENAS, I-ENAS and MLPNAS architecture search in TensorFlow 2 / Keras 3"
    ),
    license="Apache-2.0",
    python_requires=">=3.11",
    packages=find_packages(
        include=[
            f"{name}{inside}"
            for name in (
                "nascore",
                "enas",
                "ienas",
                "mlpnas",
                "flags",
                "experiments",
            )
            for inside in ("", ".*")
        ]
    ),
    package_data={
        "flags": ["presets/*.flags", "presets/final/*.flags"],
        "experiments.comparison": ["templates/*.html"],
    },
    install_requires=[
        "absl-py>=2.1",
        "grandalf>=0.8",
        "importlib_resources>=6.0",  # tensorflow-datasets needs and omits it.
        "jinja2>=3.1",
        "joblib>=1.4",
        "matplotlib>=3.8",
        "numpy>=1.26",
        "pandas>=2.1",
        "pillow>=10.1",
        "psutil>=5.9",
        "requests>=2.31",
        "scikit-learn>=1.4",
        "scipy>=1.15",
        "tensorboard>=2.20",
        "tensorflow>=2.21",
        "tensorflow-datasets>=4.9.10",
        "threadpoolctl>=3.1",
        "tqdm>=4.66",
    ],
    extras_require={
        "cuda": ["tensorflow[and-cuda]>=2.21"],
        # Clusters for experiments.compare.
        "dask": [DASK],
        "ray": ["ray>=2.40"],
        # For --export=onnx and for classifying with what it wrote.
        "onnx": ONNX,
        # What benchmarks.mlpnas_peer compares with.
        "peer": ["keras-tuner>=1.4.8"],
        # Parquet tables for MLPNAS.
        "parquet": [PARQUET],
        "test": [
            DASK,
            *ONNX,
            PARQUET,
            "hypothesis>=6.100",
            "mypy>=1.15",
            "pytest>=8.0",
            "pytest-xdist>=3.6",
            "ruff>=0.9",
        ],
    },
    entry_points={
        "console_scripts": [
            # Every script by one name: `ienas search`, `ienas train`, ...
            "ienas=experiments.__main__:main",
            "ienas-search-mlpnas=experiments.search_mlpnas:cli",
            "ienas-mlpnas-tables=experiments.mlpnas_tables:cli",
            "ienas-mlpnas-report=experiments.mlpnas_report:cli",
            "ienas-plot-mlpnas=experiments.plot_mlpnas:cli",
            "ienas-score-architecture=experiments.score_architecture:cli",
            "ienas-search=experiments.search_ienas:cli",
            "ienas-search-method=experiments.search:cli",
            "ienas-search-enas=experiments.search_enas:cli",
            "ienas-compare=experiments.compare:cli",
            "ienas-plot-comparison=experiments.plot_comparison:cli",
            "ienas-train-final=experiments.train_final:cli",
            "ienas-plot-final=experiments.plot_final:cli",
            "ienas-export-model=experiments.export_model:cli",
            "ienas-predict=experiments.predict:cli",
            "ienas-describe-architecture=experiments.describe_architecture:cli",
            "ienas-plot-run=experiments.plot_run:cli",
            "ienas-rank-check=experiments.rank_check:cli",
            "ienas-prepare-data=experiments.prepare_data:cli",
        ]
    },
)
