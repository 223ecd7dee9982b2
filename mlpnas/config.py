"""What an MLPNAS search needs to know; defaults are the paper's settings.

The paper is the overview "Neural Architecture Search" with its package
MLPNAS; sections are named where a default comes from. No TensorFlow here.
"""

import dataclasses

from mlpnas.data.config import MlpDataConfig, split_names
from nascore.config import check_fields, option
from nascore.errors import InputError
from nascore.spaces.perceptrons import MlpSpace

# What a run ends with: the best network, its accuracies, the comparison.
FINAL_FILE = "final.json"
# The best network for those who use it.
MODEL_FILE = "model.keras"
# What the best network is compared with, and how tables and figures call it.
COMPETITORS = {
    "mlp": "scikit-learn MLPClassifier",
    "logistic": "logistic regression",
    "boosting": "gradient boosting",
    "random": "random search",
}


@dataclasses.dataclass(frozen=True)
class SpaceConfig:
    """The search space (section 5.1)."""

    units: str = option("8,16,32,64,128,256,512", "Widths of layers.")
    activations: str = option(
        "sigmoid,tanh,relu,elu", "Activation functions of layers."
    )
    dropout_rate: float = option(
        0.2, "Rate of a dropout layer; 0 leaves dropout out of the space."
    )
    max_layers: int = option(
        10, "Most layers, dropout and the final one included."
    )
    depth_prior: str = option(
        "uniform",
        "How deep architectures are before anything is learned. uniform: "
        "each number of layers, from 2 to --max_layers, equally likely; "
        "paper: ending as likely as each other layer, which makes three "
        "quarters of them nine or ten layers deep.",
        ("uniform", "paper"),
    )

    def __post_init__(self) -> None:
        check_fields(self, dropout_rate=(0.0, 0.95), max_layers=(2, 100))
        self.space(3)  # Raises on widths or activations it does not know.

    def space(self, classes: int) -> MlpSpace:
        """The search space for so many classes."""
        try:
            units = tuple(int(word) for word in split_names(self.units))
        except ValueError:
            raise InputError(
                f"--units={self.units} must be whole numbers with commas"
            ) from None
        return MlpSpace(
            units,
            split_names(self.activations),
            self.max_layers,
            has_dropout=self.dropout_rate > 0,
            classes=classes,
            depth_prior=self.depth_prior,
        )


@dataclasses.dataclass(frozen=True)
class PolicyConfig:
    """The controller and its training (sections 4.1, 4.2 and 5.1)."""

    controller: str = option(
        "lstm",
        "lstm: the policy trained with REINFORCE; random: each legal layer "
        "equally likely but for --depth_prior, the baseline.",
        ("lstm", "random"),
    )
    lstm_units: int = option(128, "Units of the controller's LSTM.")
    controller_lr: float = option(0.01, "Adam learning rate at the start.")
    controller_decay: float = option(
        0.1, "The learning rate is divided by 1 + this * updates made."
    )
    controller_steps: int = option(
        10,
        "Updates on the architectures of an epoch, after it; with one a "
        "short search is hardly better than random, with many the policy "
        "soon repeats itself.",
    )
    discount: float = option(
        0.9, "A layer's return is this ** (layers after it) * reward."
    )
    baseline: float = option(0.5, "Taken from the score to make the reward.")
    normalize_rewards: bool = option(
        True,
        "Bring the rewards of an epoch to mean 0 and deviation 1; the "
        "baseline then cancels out.",
    )
    entropy_weight: float = option(
        0.0, "This times the policy's entropy is added to what is maximised."
    )
    predictor: bool = option(
        False,
        "Train an accuracy predictor, a dense head on the controller's LSTM, "
        "in turn with the policy.",
    )
    predictor_steps: int = option(
        30,
        "Updates of the predictor and of the LSTM that it shares, after each "
        "epoch, on all that was measured so far.",
    )
    predictor_lr: float = option(0.001, "Adam learning rate of these.")
    sampling_rounds: int = option(
        50,
        "How often to sample again when architectures repeat; then what is "
        "missing is drawn uniformly, and the search ends if nothing is new.",
    )

    def __post_init__(self) -> None:
        check_fields(
            self,
            lstm_units=(1, 65536),
            controller_lr=(0.0, 10.0),
            controller_decay=(0.0, 1e3),
            controller_steps=(1, 100_000),
            discount=(0.0, 1.0),
            baseline=(-1e3, 1e3),
            entropy_weight=(0.0, 1e3),
            predictor_steps=(1, 100_000),
            predictor_lr=(0.0, 10.0),
            sampling_rounds=(1, 1_000_000),
        )


@dataclasses.dataclass(frozen=True)
class CandidateConfig:
    """How a candidate is trained (section 5.1)."""

    child_epochs: int = option(10, "Training epochs of a candidate.")
    patience: int = option(
        3, "Stop a candidate after so many epochs without a lower loss."
    )
    score: str = option(
        "weighted",
        "What candidates are ranked and the policy is rewarded by. weighted: "
        "mean of the validation accuracies, epoch n with weight n; best: the "
        "highest of them.",
        ("weighted", "best"),
    )
    child_lr: float = option(0.001, "Adam learning rate of candidates.")
    batch_size: int = option(
        256, "Examples in a training step; the paper does not give its own."
    )
    one_shot: bool = option(
        False,
        "Start each candidate from stored weights of equal pairs of "
        "consecutive layers, and store its own after training.",
    )
    bank_megabytes: float = option(
        256.0, "Memory of the stored weights; least recently used ones go."
    )

    def __post_init__(self) -> None:
        check_fields(
            self,
            child_epochs=(1, 100_000),
            patience=(1, 100_000),
            child_lr=(0.0, 10.0),
            batch_size=(1, 1_000_000),
            bank_megabytes=(0.0, 1e6),
        )


@dataclasses.dataclass(frozen=True)
class FinetuneConfig:
    """What happens to the best architecture (sections 5.1 and 5.2)."""

    top: int = option(5, "Architectures in the ranking.")
    finetune_epochs: int = option(
        50, "Epochs of more training for the best one; 0 leaves it out."
    )
    finetune_patience: int = option(
        6, "Stop fine-tuning after so many epochs without a lower loss."
    )
    compare: str = option(
        ",".join(COMPETITORS),
        "What to compare with in the same run, with commas: mlp "
        "(scikit-learn's MLPClassifier, the paper's settings), logistic "
        "regression, gradient boosting, random search at equal budget; "
        "none: nothing.",
    )

    def __post_init__(self) -> None:
        check_fields(
            self,
            top=(1, 1000),
            finetune_epochs=(0, 100_000),
            finetune_patience=(1, 100_000),
        )
        odd = [name for name in self.competitors if name not in COMPETITORS]
        if odd:
            raise InputError(
                f"--compare={self.compare} must be none, or of: "
                f"{', '.join(COMPETITORS)}"
            )

    @property
    def competitors(self) -> tuple[str, ...]:
        """What to compare with."""
        return () if self.compare == "none" else split_names(self.compare)


@dataclasses.dataclass(frozen=True)
class LengthConfig:
    """Length of the search (section 5.1)."""

    seed: int = option(1, "Fixes everything random in the run.")
    deterministic: bool = option(
        False,
        "Only kernels that give the same bits each time; slower on a GPU.",
    )
    epochs: int = option(10, "Epochs of the controller.", resumable=True)
    architectures: int = option(10, "New architectures in each epoch.")

    def __post_init__(self) -> None:
        check_fields(
            self,
            seed=(0, 2**31 - 1),
            epochs=(1, 1_000_000),
            architectures=(1, 1_000_000),
        )


@dataclasses.dataclass(frozen=True)
class MlpnasConfig:
    """Everything that decides the result of an MLPNAS search."""

    data: MlpDataConfig = MlpDataConfig()
    space: SpaceConfig = SpaceConfig()
    policy: PolicyConfig = PolicyConfig()
    training: CandidateConfig = CandidateConfig()
    finetune: FinetuneConfig = FinetuneConfig()
    search: LengthConfig = LengthConfig()


@dataclasses.dataclass(frozen=True)
class WorkConfig:
    """Where candidates are trained; nothing here changes a result."""

    jobs: int = option(
        0,
        "Candidates trained at the same time, in processes of their own; 0: "
        "one for each core, unless there is too little to do, or all of a "
        "cluster.",
    )
    backend: str = option(
        "loky",
        "loky: processes of this machine; dask and ray send candidates to a "
        "cluster that has this package.",
        ("loky", "dask", "ray"),
    )
    scheduler: str = option(
        "",
        "Address of the Dask scheduler or the Ray cluster; empty starts one "
        "on this machine.",
    )

    def __post_init__(self) -> None:
        check_fields(self, jobs=(0, 10_000))
