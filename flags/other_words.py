"""What other programs call a flag of ours."""

from absl import flags

# By what people write first; what a command does not have is not named.
_OURS = {
    "run_dir": (
        "out",
        "output",
        "out_dir",
        "output_dir",
        "outdir",
        "save",
        "save_dir",
        "log_dir",
        "logdir",
        "workdir",
        "work_dir",
    ),
    "out": ("output", "out_dir", "output_dir", "outdir", "run_dir"),
    "data_dir": ("data", "data_path", "data_root", "dataset_dir", "root"),
    "batch_size": ("batch", "bs"),
    "epochs": ("epoch", "num_epochs", "n_epochs", "max_epochs"),
    "filters": ("channels", "init_channels", "num_filters", "width"),
    "jobs": ("workers", "num_workers", "n_jobs", "processes"),
    "seeds": ("num_seeds", "n_seeds", "repeats"),
    "max_hours": ("hours", "time_limit", "time", "budget", "timeout"),
    "child_lr_max": ("lr", "learning_rate"),
    "lr_max": ("lr", "learning_rate"),
    "weights_lr_max": ("lr", "learning_rate"),
    "alpha_lr": ("arch_learning_rate", "arch_lr"),
    "train_examples": ("train_portion", "subset", "num_samples"),
    "architecture": ("arch", "genotype", "cell"),
    "num_layers": ("layers", "depth"),
    "resume": ("continue", "restart"),
}


def explain(error: Exception, known: flags.FlagValues) -> str:
    """Says what a flag is wrong for, and which of ours may be meant.

    Args:
      error: what absl raised; its own guess is kept where this has none.
      known: the flags of this command.
    """
    text = " ".join(str(error).split()).removeprefix("ERROR:: ")
    if not isinstance(error, flags.UnrecognizedFlagError):
        return text
    name = error.flagname.replace("-", "_")
    meant = [
        ours
        for ours, words in _OURS.items()
        if ours in known and (name in words or name == ours)
    ]
    if not meant:
        return text
    tips = " or ".join(f"--{ours}" for ours in meant)
    return f"Unknown command line flag '{error.flagname}'. Here it is {tips}"
