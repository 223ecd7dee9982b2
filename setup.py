"""Packaging of the project; `pip install -e .` in a checkout."""

from pathlib import Path

from setuptools import find_packages, setup

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
# Below 2.22: a run is continued bit for bit only with the kernels it began
# with, and what keeps the graphs small (`_noinline`, the graph optimizer's
# options) is experimental in TensorFlow. Raise it when the tests pass there.
TENSORFLOW = ">=2.21,<2.22"
DASK = "dask[distributed]>=2025.1"
OPTUNA = "optuna>=4.0"
ONNX = ["onnx>=1.19", "onnxruntime>=1.23", "tf2onnx>=1.17"]
PARQUET = "pyarrow>=15.0"
LITERT = "ai-edge-litert>=2.1"
OPENVINO = "openvino>=2026.1"

setup(
    name="ienas",
    version="0.1.0",
    description=(
        "ENAS, I-ENAS, RENAS, NASES, L2NAS and MLPNAS architecture "
        "search in TensorFlow 2 / Keras 3, with NAS-Bench-201"
    ),
    long_description=Path(__file__).with_name("README.md").read_text("utf-8"),
    long_description_content_type="text/markdown",
    project_urls={"ENAS (paper)": "https://arxiv.org/abs/1802.03268"},
    license_expression="Apache-2.0",
    license_files=["LICENSE"],
    keywords=[
        "neural architecture search",
        "NAS",
        "AutoML",
        "ENAS",
        "weight sharing",
        "TensorFlow",
        "Keras",
    ],
    classifiers=[
        "Development Status :: 4 - Beta",
        "Environment :: Console",
        "Intended Audience :: Education",
        "Intended Audience :: Science/Research",
        "Operating System :: OS Independent",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
        "Typing :: Typed",
    ],
    # TensorFlow 2.21 comes for no other Python.
    python_requires=">=3.11,<3.14",
    packages=find_packages(
        include=[f"{name}{inside}" for name in ROOMS for inside in ("", ".*")]
    ),
    package_data={
        **{name: ["py.typed"] for name in ROOMS},
        "flags": ["py.typed", "presets/*.flags", "presets/*/*.flags"],
        "nascore.evaluators.nasbench201": ["*.npz", "*.md"],
        "experiments.reports": ["templates/*"],
    },
    install_requires=[
        "absl-py>=2.1",
        "cycler>=0.12",
        "fast-sugiyama>=0.5.3",
        "filelock>=3.30",
        "importlib_resources>=6.0",  # tensorflow-datasets needs and omits it.
        "jinja2>=3.1",
        "joblib>=1.4",
        "keras>=3.12,<4",
        "markupsafe>=2.1",
        "matplotlib>=3.8",
        "numpy>=1.26",
        "nvidia-ml-py>=12.560",
        "pandas>=2.1",
        "pillow>=10.1",
        "protobuf>=6.31",
        "psutil>=5.9",
        "requests>=2.31",
        "scikit-learn>=1.4",
        "scipy>=1.15",
        "tensorboard>=2.20",
        f"tensorflow{TENSORFLOW}",
        "tensorflow-datasets>=4.9.10",
        "threadpoolctl>=3.1",
        "tqdm>=4.66",
    ],
    extras_require={
        "cuda": [f"tensorflow[and-cuda]{TENSORFLOW}"],
        # Clusters for experiments.compare.
        "dask": [DASK],
        "ray": ["ray>=2.40"],
        # For --export=onnx and for classifying with what it wrote.
        "onnx": ONNX,
        # For classifying with a .tflite file.
        "litert": [LITERT],
        # For --export=openvino and for classifying with what it wrote.
        "openvino": [OPENVINO],
        # Its samplers as strategies.
        "optuna": [OPTUNA],
        # What benchmarks.mlpnas_peer compares with.
        "peer": ["keras-tuner>=1.4.8"],
        # Parquet tables for MLPNAS.
        "parquet": [PARQUET],
        "test": [
            DASK,
            LITERT,
            *ONNX,
            OPENVINO,
            OPTUNA,
            PARQUET,
            "build>=1.2",
            "h5py>=3.11",
            "hypothesis>=6.100",
            "mypy>=1.15",
            "packaging>=24.0",
            "pytest>=8.0",
            "pytest-xdist>=3.6",
            "ruff>=0.9",
            "setuptools>=77",
            # What the kernels of BOHB are compared with.
            "statsmodels>=0.14.5",
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
            "ienas-search-darts=experiments.search_darts:cli",
            "ienas-search-nases=experiments.search_nases:cli",
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
