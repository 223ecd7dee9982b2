"""Flags, flagfiles and architectures that no script may take.

Each case is a script, its arguments, and words that the one line it answers
must have. What one script's own tests refuse already is not repeated here.
"""

import pytest

CELL = "0 2 0 0 0 4 0 1 0 4 1 1 1 0 0 1 0 2 1 1"
ARCHITECTURE = f"--architecture={CELL} {CELL}"
SEARCHES = ("search_enas", "search_ienas")
SCRIPTS = (
    *SEARCHES,
    "search_mlpnas",
    "compare",
    "train_final",
    "predict",
    "export_model",
    "describe_architecture",
    "score_architecture",
    "rank_check",
    "plot_run",
    "plot_comparison",
    "plot_final",
    "plot_mlpnas",
    "mlpnas_tables",
    "mlpnas_report",
    "prepare_data",
)

CASES = [
    ("search_enas", ["--epochs=1e3"], "--epochs=1e3"),
    ("search_enas", ["--epochs=99999999999999999999"], "--epochs="),
    ("search_enas", ["--child_lr_max=inf"], "--child_lr_max=inf must be"),
    ("search_enas", ["--keep_prob=0"], "--keep_prob=0.0 must be"),
    ("search_enas", ["--early_stop=perhaps"], "--early_stop=perhaps"),
    ("search_enas", ["--operations="], "at least one"),
    ("search_enas", ["--operations=none,none"], "distinct"),
    ("search_enas", ["--operations=<b>"], "letters, digits"),
    ("search_enas", ["--num_nodes=21"], "--num_nodes=21 must be"),
    ("search_enas", ["--seed=-1"], "--seed=-1"),
    ("search_enas", ["--seed=4294967296"], "--seed=4294967296"),
    ("search_enas", ["--checkpoint_minutes=nan"], "--checkpoint_minutes=nan"),
    (
        "search_enas",
        ["--validation_fraction=0.5", "--search_test_fraction=0.5"],
        "leave under 5%",
    ),
    ("search_enas", ["--data_dir=a\x1b[31mb"], r"--data_dir=a\x1b[31mb holds"),
    ("search_enas", ["--reward_rule=paper"], "reward_rule"),
    ("search_enas", ["--out=RUN"], "'out'. Here it is --run_dir ("),
    ("search_enas", ["--lr=0.1"], "'lr'. Here it is --child_lr_max ("),
    ("compare", ["--run_dir=RUN"], "'run_dir'. Here it is --out ("),
    ("search_enas", ["--epoch=3"], "'epoch'. Here it is --epochs ("),
    ("search_ienas", ["--reward_rule=best"], "--reward_rule=best"),
    ("search_ienas", ["--reward_window=0"], "--reward_window=0 must be"),
    ("search_ienas", ["--reward_threshold=nan"], "--reward_threshold=nan"),
    ("search_ienas", ["--num_aggregate=0"], "--num_aggregate=0 must be"),
    ("search_ienas", ["--filters=two"], "--filters=two"),
    ("search_ienas", ["--resume"], "--resume needs --run_dir"),
    ("search_mlpnas", ["--units=0"], "--units=0"),
    ("search_mlpnas", ["--units=1e3"], "must be whole numbers"),
    ("search_mlpnas", ["--units="], "--units="),
    ("search_mlpnas", ["--units=" + "9" * 5000], "must be whole numbers"),
    ("search_mlpnas", ["--discount=1.5"], "--discount=1.5 must be"),
    ("search_mlpnas", ["--validation_fraction=0"], "--validation_fraction=0.0"),
    ("search_mlpnas", ["--backend=slurm"], "--backend=slurm"),
    ("search_mlpnas", ["--jobs=-1"], "--jobs=-1 must be"),
    ("search_mlpnas", ["--top=0"], "--top=0 must be"),
    ("search_mlpnas", ["--epochs="], "--epochs="),
    ("compare", ["--methods="], "--methods= must be"),
    ("compare", ["--seeds=many"], "--seeds=many"),
    # Their defaults differ.
    (
        "compare",
        ["--methods=darts,enas", "--dataset=digits", "--num_nodes=2"],
        "give --validation_fraction (darts 0.44, enas 0.1), --filters (darts "
        "16, enas 20), --num_normal_cells --num_reduction_cells (darts n n r",
    ),
    ("compare", ["--targets=0"], "--targets=0 must be"),
    ("compare", ["--targets=nan"], "--targets=nan must be"),
    ("compare", ["--targets=1.5"], "--targets=1.5 must be"),
    ("compare", ["--rank_check=-1"], "--rank_check"),
    ("compare", ["--resume"], "resume"),
    ("train_final", [], "--architecture="),
    ("train_final", ["--rank=0"], "--rank=0"),
    ("train_final", [ARCHITECTURE, "--from_run=run"], "not both"),
    ("train_final", [ARCHITECTURE, "--lr_max=0.1", "--lr_min=0.2"], "--lr_min"),
    ("train_final", [ARCHITECTURE, "--accumulate=7"], "multiple of"),
    ("train_final", [ARCHITECTURE, "--export=tflite"], "'tflite'"),
    ("train_final", [ARCHITECTURE, "--ema_decay=1"], "--ema_decay=1.0 must"),
    ("train_final", [ARCHITECTURE, "--layout=zoph"], "--layout=zoph"),
    ("train_final", [ARCHITECTURE, "--num_nodes=2"], "has 16 integers"),
    ("train_final", ["--architecture=0 0 \x07 0"], r"0 0 \x07 0"),
    ("train_final", ["--architecture=" + "9" * 5000], "must be an integer"),
    ("train_final", ["--architecture=-1" + " 0" * 39], "must be from 0"),
    ("train_final", ["--resume", "--run_dir=nowhere"], "nowhere/config.json"),
    ("predict", ["m", "i.png", "--top=0"], "--top=0"),
    ("predict", ["m", "i.png", "--convert=2"], "--convert=2"),
    ("export_model", [], "name one folder"),
    ("export_model", ["a", "b"], "name one folder"),
    ("export_model", ["a", "--format=zip"], "'zip'"),
    ("describe_architecture", [], "name one architecture"),
    ("describe_architecture", [f"{CELL} {CELL}", "--input=0x8x1"], "--input"),
    ("describe_architecture", [f"{CELL} {CELL}", "--input=9x9"], "--input=9x9"),
    (
        "describe_architecture",
        [f"{CELL} {CELL}", "--input=99999x8x1"],
        "is no size of an image",
    ),
    (
        "describe_architecture",
        [f"{CELL} {CELL}", "--input=8x8x" + "9" * 5000],
        "--input=",
    ),
    ("describe_architecture", [f"{CELL} {CELL}", "--classes=1"], "--classes"),
    (
        "describe_architecture",
        [f"{CELL} {CELL}", "--classes=9999999999"],
        "--classes",
    ),
    (
        "describe_architecture",
        [f"{CELL} {CELL}", "--input=8x8x99999999"],
        "is no size of an image",
    ),
    ("describe_architecture", [f"{CELL} {CELL}", "--format=gif"], "--format"),
    ("describe_architecture", [f"{CELL}\n{CELL} x"], "word 41"),
    ("describe_architecture", ["٣ 0 0"], "word 1 of the architecture must"),
    (
        "describe_architecture",
        ["|conv~0|+|none~0|none~1|+|none~0|none~1|none~2|"],
        "edge 0 -> 1 of the cell has the operation 'conv'",
    ),
    ("describe_architecture", ["|none~0|+|none~0|"], "with '+' between"),
    (
        "search",
        ["--method=bench201_random", "--dataset=mnist"],
        "--dataset=mnist",
    ),
    (
        "search",
        ["--method=bench201_random", "--epoch_queries=0"],
        "--epoch_queries=0 must be",
    ),
    ("search", ["--method=bench201_random", "--noise=-1"], "--noise=-1"),
    ("score_architecture", ["run"], "name a run folder and an architecture"),
    ("score_architecture", ["nowhere", "0 0"], "nowhere is not a folder"),
    ("rank_check", ["a", "b"], "name one run folder"),
    ("rank_check", ["nowhere"], "nowhere is not a folder"),
    ("rank_check", ["nowhere", "--epochs=0"], "--epochs=0"),
    ("plot_run", ["run", "--top=-1"], "--top"),
    ("plot_run", ["run", "--window=2.5"], "--window=2.5"),
    ("plot_run", ["run", "--format="], "--format= must be"),
    ("plot_comparison", ["a", "b"], "name one report folder"),
    ("plot_comparison", ["a", "--targets=x"], "a is not a folder"),
    ("plot_final", [], "name one run folder"),
    ("plot_final", ["run", "--format=png,exe"], "--format=png,exe must be"),
    ("plot_mlpnas", ["a", "b"], "name one run folder"),
    ("plot_mlpnas", ["run", "--format=jpg"], "--format=jpg must be"),
    ("mlpnas_tables", ["--tables=7"], "--tables=7 must be"),
    ("mlpnas_tables", ["--tables="], "--tables= must be"),
    ("mlpnas_tables", ["--tables=one"], "--tables=one must be"),
    ("mlpnas_tables", ["--tables=6"], "--wine_file= is not an existing file"),
    (
        "mlpnas_tables",
        ["--tables=5", "--speakers_file=none.csv"],
        "--speakers_file=none.csv is not",
    ),
    ("mlpnas_tables", ["--train_examples=-1"], "--train_examples"),
    ("mlpnas_tables", ["stray"], "unexpected argument 'stray'"),
    ("prepare_data", ["--dataset=digits"], "--dataset=digits"),
    ("prepare_data", ["--dataset=folder", "--source=x"], "--data_dir=NEW"),
    ("prepare_data", ["stray"], "unexpected argument 'stray'"),
]


@pytest.mark.parametrize(("name", "arguments", "words"), CASES)
def test_bad_flags(refused, name, arguments, words):
    refused(name, arguments, words)


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_flag_that_is_unknown(refused, name):
    refused(name, ["--no_such_flag=1"], "no_such_flag")


FLAGFILES = [
    ("missing", [], "'missing'"),
    ("folder", [], "folder"),
    ("unknown", b"--warp_drive=9\n", "warp_drive"),
    ("value", b"--epochs=many\n", "--epochs=many"),
    ("stray", b"epochs 9\n--filters=3\n", "argument 'epochs 9'"),
    ("empty_value", b"--epochs=\n", "--epochs="),
    ("nested", b"--flagfile=deeper\n", "deeper"),
    ("binary", b"\xff\xfe\x00", "a --flagfile is not a text file"),
    ("circle", b"--flagfile=circle\n--epochs=1\n", "circular"),
]


@pytest.mark.parametrize(("kind", "content", "words"), FLAGFILES)
def test_bad_flagfiles(refused, tmp_path, kind, content, words):
    if content:
        (tmp_path / kind).write_bytes(content)
    elif kind == "folder":
        (tmp_path / kind).mkdir()
    refused("search_enas", [f"--flagfile={kind}"], words)
