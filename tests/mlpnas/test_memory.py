import dataclasses

from mlpnas.config import MlpnasConfig
from mlpnas.memory import estimate
from tests.mlpnas.toys import CONFIG, DATA


def change(part, **values):
    changed = dataclasses.replace(getattr(CONFIG, part), **values)
    return dataclasses.replace(CONFIG, **{part: changed})


ALONE = dataclasses.replace(
    change("finetune", compare="none"),
    training=dataclasses.replace(CONFIG.training, one_shot=False),
)


def parts(config=ALONE, jobs=1):
    need = estimate(config, DATA, 1000, jobs)
    return {**need.host, **need.device}


def test_what_is_not_asked_for_is_not_counted():
    alone = parts()
    assert alone["process"] == 1000
    sharing = dataclasses.replace(ALONE, training=CONFIG.training)
    comparing = dataclasses.replace(ALONE, finetune=CONFIG.finetune)
    for name, config, jobs in (
        ("other processes", ALONE, 2),
        ("weight bank", sharing, 1),
        ("comparison", comparing, 1),
    ):
        assert name not in alone
        found = parts(config, jobs)
        assert found.pop(name) > 0
        assert found == alone


def test_the_bank_is_counted_at_its_bound():
    found = parts(change("training", bank_megabytes=3.0))
    assert found["weight bank"] == 3e6


def test_weights_by_hand():
    """Of the widest and deepest network, as often as training holds them."""
    widths = [DATA.features, 32, 32, 32, DATA.classes]
    pairs = zip(widths, widths[1:], strict=False)
    count = sum(before * after + after for before, after in pairs)
    assert parts()["weights"] == 7 * 4 * count


def test_the_defaults_fit_a_small_machine():
    need = estimate(MlpnasConfig(), DATA, 400 * 2**20, 1)
    assert sum({**need.host, **need.device}.values()) < 2 * 2**30
