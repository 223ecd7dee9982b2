"""Lets a trained model of language write on.

  python -m experiments.generate_text TRAINED --prompt="The "
  python -m experiments.generate_text TRAINED --length=2000 --temperature=0.7

TRAINED is the run folder of a training on a text.
"""

from pathlib import Path

from absl import flags

from experiments import launch
from nascore.errors import InputError


def main(args: list[str]) -> None:
    """Prints the prompt and what the model makes of it."""
    if len(args) != 1:
        raise InputError(
            "name one run folder: python -m experiments.generate_text TRAINED"
        )
    launch.quiet_tensorflow()
    from nascore.training.language import model_file
    from nascore.training.language.layer import RecurrentLanguage, generate

    model, vocabulary = model_file.load(Path(args[0]))
    layers = [x for x in model.layers if isinstance(x, RecurrentLanguage)]
    if not layers:
        raise InputError(
            f"{args[0]} holds an LSTM of Keras's layers, which this does not "
            "write with; train a recurrent cell"
        )
    ids = vocabulary.beginning()
    prompt = flags.FLAGS.prompt
    if prompt:
        ids = vocabulary.encode(prompt)
        unknown = int((ids == vocabulary.unknown).sum())
        if unknown:
            print(f"note: {unknown} of the prompt's tokens are unknown words")
        if vocabulary.kind == "words":
            # The prompt's line goes on.
            ids = ids[:-1]
    written = generate(
        layers[0],
        ids,
        flags.FLAGS.length,
        flags.FLAGS.temperature,
        flags.FLAGS.seed,
    )
    blank = " " * (vocabulary.kind == "words" and bool(prompt))
    print(f"{prompt}{blank}{vocabulary.decode(written)}")


def cli() -> None:
    """Console entry point."""
    flags.DEFINE_string("prompt", "", "What the text begins with.")
    flags.DEFINE_integer("length", 600, "Tokens to write.", 1, 1_000_000)
    flags.DEFINE_float(
        "temperature",
        0.8,
        "Below 1 likely tokens come more often; 0: the likeliest alone.",
        0.0,
        100.0,
    )
    flags.DEFINE_integer("seed", 1, "Of the draws.", 0, 2**31 - 1)
    launch.run(main)


if __name__ == "__main__":
    cli()
