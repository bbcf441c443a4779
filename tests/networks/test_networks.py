"""Networks trained as one program: each member is what it would be alone, and every setting acts."""

import copy
import itertools
import signal
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from conftest import REPOSITORY, methods, report_run
from network_samples import (
    NAMES,
    ROWS,
    WAYS,
    features_of,
    fitted,
    frame_of,
    member_of,
    new_module,
    options,
    pixels_of,
    sample_of,
    scores,
    table_of,
)
from sklearn.linear_model import LogisticRegression

from stillhouse.errors import UserError
from stillhouse.methods import build
from stillhouse.networks import losses
from stillhouse.networks.architecture import (
    Embeddings,
    LinearEach,
    PiecewiseLinearEncoding,
    edges_of,
    initialise,
    inputs_of,
    parameter_count,
)
from stillhouse.networks.checkpoints import fingerprint
from stillhouse.networks.losses import Loss
from stillhouse.networks.rows import joined
from stillhouse.networks.texts import WordVectors
from stillhouse.networks.training import train
from stillhouse.networks.training_sets import TRAINING_SETTINGS, TrainingSet
from stillhouse.networks.vectorized import draws, schedules
from stillhouse.networks.vectorized.group import Group
from stillhouse.networks.vectorized.layers import product, vectorized
from stillhouse.networks.vectorized.lightning import progress
from stillhouse.networks.vectorized.members import Layout, Program, Shape, steps_an_epoch
from stillhouse.networks.vectorized.optimizers import STATE_NAMES
from stillhouse.networks.vectorized.range_test import find_rates
from stillhouse.networks.vectorized.steps import epoch_plan
from stillhouse.report.sections.training import diverged_sentences


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def run(numbers, settings, table):
    group = Group([member_of(number, settings) for number in numbers], table, Program(Shape(32, 4), settings, Loss("auto", 2)))
    members = list(group.members)
    for epoch in range(settings["epochs"]):
        if group.members:
            group.launch(epoch)
            group.finish(epoch)
    return dict(zip(numbers, members, strict=True))


def same(one, other):
    if len(one.kept) != len(other.kept) or repr(one.history) != repr(other.history):
        return False
    states = zip((module.state_dict() for module in one.kept), (module.state_dict() for module in other.kept), strict=True)
    return all(torch.equal(left[name], right[name]) for left, right in states for name in left)


@pytest.mark.parametrize("way", WAYS)
def test_a_member_is_the_same_alone_and_in_any_company(way):
    settings = options(**{"epochs": 8, "patience": 2, **{key: value for key, value in WAYS[way].items() if value is not None}})
    table = table_of(ROWS)
    everyone = run(range(20), settings, table)
    alone, three, turned = run([7], settings, table), run([3, 7, 12], settings, table), run([12, 7, 3], settings, table)
    assert everyone[7].kept
    assert all(same(everyone[7], found[7]) for found in (alone, three, turned))
    assert all(same(three[number], found[number]) for found in (everyone, turned) for number in (3, 12))
    assert not same(everyone[7], everyone[12])
    stopped_early = {len(member.history) for member in everyone.values()}
    assert len(stopped_early) > 1


@pytest.mark.parametrize("has_bias", [True, False])
def test_products_of_any_shape_are_the_same_alone_and_in_company(has_bias):
    for rows, n_in, n_out in itertools.product((1, 7, 50, 64), (1, 2, 5, 9, 16, 33), (1, 2, 5, 9, 16, 33)):
        generator = torch.Generator().manual_seed(rows)
        x, weight, bias, slope = (
            torch.randn(4, *shape, generator=generator) for shape in ((rows, n_in), (n_in, n_out), (n_out,), (rows, n_out))
        )
        together = with_slopes(x, weight, bias if has_bias else None, slope)
        for number in range(4):
            one = slice(number, number + 1)
            alone = with_slopes(
                x[one].clone(), weight[one].clone(), bias[one].clone() if has_bias else None, slope[one].clone()
            )
            for of_all, own in zip(together, alone, strict=True):
                assert torch.equal(of_all[number], own[0]), (rows, n_in, n_out, number)


def with_slopes(x, weight, bias, slope):
    """The product, and the gradients of what it is made of."""
    given = [part.requires_grad_() for part in (x, weight, bias) if part is not None]
    result = product(*given)
    return [result.detach(), *torch.autograd.grad(result, given, slope)]


def test_a_member_that_diverges_ends_and_keeps_nothing_that_is_no_number():
    settings = options(epochs=6)
    found = run([3, 7], settings, table_of(ROWS))[3]
    assert found.stopped
    assert all(torch.isfinite(value).all() for module in found.kept for value in module.state_dict().values())


def decaying(module):
    """The names of a network's weights, without biases, norms, scales and frequencies."""
    kinds = (torch.nn.Linear, torch.nn.Conv2d, LinearEach, WordVectors)
    layers = [(name, layer) for name, layer in module.named_modules() if isinstance(layer, kinds)]
    return {f"{name}.weight" for name, layer in layers}


def plain_program(member, table, settings, epochs, shape):
    """The same training written down with torch's own layers, optimiser, clipping and autograd."""
    module, weight = copy.deepcopy(member.module).double(), table.weight / table.weight[member.fitted].mean()
    decays = decaying(module)
    decayed = [value for name, value in module.named_parameters() if name in decays]
    others = [value for name, value in module.named_parameters() if name not in decays]
    groups = [{"params": decayed, "weight_decay": member.decay}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=member.rate)
    hard = torch.nn.CrossEntropyLoss(reduction="none")
    for epoch in range(epochs):
        count = shape.batch * shape.steps
        for rows in draws.shuffled_passes(member.seed, member.fitted, epoch * count, count).reshape(shape.steps, -1):
            logits, t = module(joined(table.features[rows], table.pixels[rows])), member.temperature
            own = hard(logits, table.hard[rows].argmax(dim=1))
            teacher = (table.soft[rows].log() / t).softmax(dim=1)
            divergence = (teacher * (teacher.log() - (logits / t).log_softmax(dim=1))).sum(dim=1)
            taught = member.alpha * own + (1 - member.alpha) * t**2 * divergence
            loss = (torch.where(table.taught[rows], taught, own) * weight[rows]).mean()
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(module.parameters(), member.clip)
            optimizer.step()
    return module


@pytest.mark.parametrize("method", methods("architectures"))
def test_a_member_is_what_a_plain_program_trains(method):
    settings = options(method, dropout=0.0, epochs=5)
    table = table_of(ROWS, torch.float64)
    members = [member_of(number, settings, l1=0.0) for number in (1, 4, 6)]
    for member in members:
        member.module.double()
    shape = Shape(32, 4)
    group = Group(members, table, Program(shape, settings, Loss("auto", 2)))
    for epoch in range(5):
        group.train_epoch(epoch)
    group.network.eval()
    for place, member in enumerate(members):
        module = plain_program(member, table, settings, 5, shape).eval()
        with torch.no_grad():
            rows = joined(table.features, table.pixels)
            expected, found = module(rows), group.network(rows.expand(3, -1, -1))[place]
        assert float((expected - found).abs().max()) < 1e-10


@pytest.mark.parametrize("name", STATE_NAMES)
def test_an_optimiser_steps_as_torch_does(name):
    kinds = {
        "sgd": (torch.optim.SGD, {}),
        "momentum": (torch.optim.SGD, {"momentum": 0.8}),
        "nesterov": (torch.optim.SGD, {"momentum": 0.8, "nesterov": True}),
        "adagrad": (torch.optim.Adagrad, {}),
        "rmsprop": (torch.optim.RMSprop, {}),
        "adadelta": (torch.optim.Adadelta, {}),
        "adam": (torch.optim.Adam, {}),
        "adamw": (torch.optim.AdamW, {}),
    }
    settings = options(optimizer=name, momentum=0.8, dropout=0.0, clip=1e9, rates={"head": 0.5})
    table = table_of(ROWS, torch.float64, soft=False)
    member = member_of(2, settings, l1=0.0, decay=0.1, rate=0.01, clip=1e9)
    member.module.double()
    group = Group([member], table, Program(Shape(32, 4), settings, Loss("auto", 2)))
    group.train_epoch(0)
    module, weight = copy.deepcopy(member.module), table.weight / table.weight[member.fitted].mean()
    kind, extra = kinds[name]
    groups = [
        {"params": [value], "lr": 0.01 * (0.5 if part.startswith("head") else 1), "weight_decay": 0.1 * part.endswith("weight")}
        for part, value in module.named_parameters()
    ]
    optimizer = kind(groups, **extra)
    for rows in draws.shuffled_passes(member.seed, member.fitted, 0, 128).reshape(4, -1):
        losses = -(module(joined(table.features[rows], table.pixels[rows])).log_softmax(dim=1) * table.hard[rows]).sum(dim=1)
        optimizer.zero_grad()
        (losses * weight[rows]).mean().backward()
        optimizer.step()
    group.network.eval()
    with torch.no_grad():
        rows = joined(table.features, table.pixels)
        difference = module(rows) - group.network(rows[None])[0]
    assert float(difference.abs().max()) < 1e-10


def test_sets_trained_together_are_what_they_are_apart_on_any_number_of_threads():
    def one_set(seed, rows):
        return TrainingSet(sample_of(rows, seed), None, options(epochs=4, seeds=2, bag=True), 2, seed)

    together = train([one_set(*pair) for pair in enumerate([300, 310, 700])], threads=2)
    apart = [train([one_set(*pair)])[0] for pair in enumerate([300, 310, 700])]
    assert all((scores(left) == scores(right)).all() for (left, _), (right, _) in zip(together, apart, strict=True))


def test_every_row_is_drawn_equally_often():
    rows = np.arange(50, 157)
    drawn = np.concatenate([draws.shuffled_passes(1, rows, start, 96) for start in range(0, 960, 96)])
    assert set(np.unique(drawn, return_counts=True)[1]) <= {8, 9}
    assert set(drawn) == set(rows)


@pytest.mark.parametrize(
    ("rows", "batch", "steps"), [(100, 32, 3), (3200, 32, 96), (3199, 32, 96), (20, 32, 1), (10_000, 256, 36)]
)
def test_splits_of_like_size_take_equally_many_steps(rows, batch, steps):
    assert steps_an_epoch(rows, batch) == steps


def test_an_embedded_word_is_a_row_of_its_table():
    module = new_module(options(categorical="embedded", dropout=0.0), 1)
    X = joined(torch.tensor(features_of(6)), torch.tensor(pixels_of(6)))
    (first, _), (second, _) = module.inputs.categories.layers()
    embedded = module.inputs(X)[:, 6:]
    assert torch.equal(embedded[:, :3], first[X[:, 6:9].argmax(dim=1)])
    assert torch.equal(embedded[:, 3:], second[X[:, 9:11].argmax(dim=1)])


@pytest.mark.parametrize("bias", [False, True])
def test_embeddings_are_those_of_a_linear_layer_for_each_column(bias):
    counts, sizes = (3, 20, 2, 5, 4, 9, 40), (3, 16, 2, 5, 4, 9, 16)
    torch.manual_seed(4)
    apart = [torch.nn.Linear(*pair, bias=bias) for pair in zip(counts, sizes, strict=True)]
    torch.manual_seed(4)
    together = Embeddings(counts, sizes, bias)
    blocks = [torch.eye(count)[torch.randint(0, count, (30,))] for count in counts]
    blocks[1][:5] = 0
    wanted = torch.cat([layer(block) for layer, block in zip(apart, blocks, strict=True)], dim=1)
    found = together(torch.cat(blocks, dim=1))
    assert torch.allclose(found, wanted, atol=1e-6)
    slope = torch.randn_like(found)
    (found * slope).sum().backward()
    (wanted * slope).sum().backward()
    for own, product_of in zip(together.places, together.products, strict=True):
        for position, place in enumerate(own):
            n_in, n_out = counts[place], sizes[place]
            assert torch.allclose(product_of.weight.grad[position, :n_in, :n_out].mT, apart[place].weight.grad, atol=1e-5)
        padding = product_of.weight.grad.clone()
        for position, (n_in, n_out) in enumerate(product_of.sizes):
            padding[position, :n_in, :n_out] = 0
        assert not padding.any()


def test_padding_is_no_parameter_and_no_initialization_draws_it():
    inputs = inputs_of([f"c0:a={n}" for n in range(3)] + [f"c1:b={n}" for n in range(4)])
    network = build(
        "architectures",
        {key: value for key, value in options(categorical="embedded").items() if key not in TRAINING_SETTINGS},
        inputs=inputs,
        n_outputs=2,
    )
    layer = initialise(network, "normal").inputs.categories.products[0]
    assert layer.weight.shape == (2, 4, 4)
    assert not layer.weight[0, 3:].any()
    assert not layer.weight[0, :, 3:].any()
    assert parameter_count(network) == sum(values.numel() for values in network.parameters()) - 7


def test_a_piecewise_number_says_how_far_it_is_through_each_bin():
    encode = PiecewiseLinearEncoding(inputs_of(["n0:x"], np.array([[0.0], [1.0], [1.0], [3.0]]), bins=3).edges)
    assert torch.allclose(encode.start, torch.tensor([[0, 0.5, 2.0]]))
    encoded = encode(torch.tensor([[-1.0], [0.5], [2.0], [9.0]]))[:, 0]
    assert torch.allclose(encoded, torch.tensor([[0.0, 0, 0], [1, 0, 0], [1, 1, 0], [1, 1, 1]]))


def test_bins_reach_where_few_rows_are():
    gains = np.r_[np.zeros(950), np.arange(1, 51) * 100]
    edges = edges_of(gains, 16)
    assert (edges[1:] > 0).sum() >= 8
    assert edges[0] == 0
    assert edges[-1] == 5000


MOVES = {
    **{f"activation {name}": {"activation": name} for name in ("leaky_relu", "gelu", "sigmoid", "tanh")},
    **{f"norm {name}": {"norm": name} for name in ("batch", "layer")},
    **{f"initialization {name}": {"initialization": name}
       for name in ("normal", "uniform", "xavier_normal", "xavier_uniform", "kaiming_normal", "kaiming_uniform")},
    **{f"optimizer {name}": {"optimizer": name}
       for name in ("sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adadelta", "adam")},
    **{f"schedule {name}": {"schedule": name} for name in ("step", "cosine", "onecycle")},
    "cycles": {"schedule": "cyclic", "cycles": 2},
    "plateau": {"schedule": "plateau", "rate": 0.3, "patience": 6, "epochs": 12},
    "warmup": {"warmup": 2},
    "decay": {"decay": 1.0},
    "l1": {"l1": 0.05},
    "clip": {"clip": 0.01, "optimizer": "sgd"},
    "smoothing": {"smoothing": 0.3},
    "mixup": {"mixup": 1.0},
    "curriculum": {"curriculum": 2},
    "average": {"average": 0.9},
    "snapshots": {"snapshots": 3},
    "heads": {"heads": 3},
    "piecewise numbers": {"numbers": "piecewise"},
    "periodic numbers": {"numbers": "periodic"},
    "embedded words": {"categorical": "embedded"},
    "dropout by layer": {"dropout": [0.0, 0.5]},
    "rates by part": {"rates": {"body": 0.1}},
    "loss mse": {"loss": "mse"},
    "loss focal": {"loss": "focal"},
    "loss mae": {"loss": "mae"},
    "loss huber": {"loss": "huber"},
    "rate auto": {"rate": "auto"},
    "precision": {"precision": "bfloat16"},
    "bag": {"bag": True},
}  # fmt: skip


PLAIN = {"numbers": "none", "epochs": 6, "rate": 0.01}


@pytest.mark.parametrize("setting", MOVES)
def test_a_setting_moves_what_is_learned(setting):
    before, after = (
        scores(fitted(**{**PLAIN, **given})[0]) for given in ({"epochs": MOVES[setting].get("epochs", 6)}, MOVES[setting])
    )
    assert np.isfinite(after).all()
    assert np.abs(after - before).max() > 1e-4


def weights(model, part="body"):
    named = model.networks[0].named_parameters()
    return torch.cat([value.detach().flatten() for name, value in named if name.startswith(part) and name.endswith("weight")])


def test_penalties_make_weights_smaller_and_l1_makes_most_of_them_nearly_zero():
    settings, table = options(**PLAIN), table_of(ROWS)
    given = [{"decay": 0.0, "l1": 0.0}, {"decay": 1.0, "l1": 0.0}, {"decay": 0.0, "l1": 0.02}]
    members = [member_of(1, settings, rate=0.01, **one) for one in given]
    group = Group(members, table, Program(Shape(32, 7), settings, Loss("auto", 2)))
    for epoch in range(30):
        group.train_epoch(epoch)
    plain, squares, absolutes = (matrix.flatten().abs() for matrix in group.network.body[0][0].weight.detach())
    assert squares.norm() < 0.8 * plain.norm()
    assert (absolutes < 0.01).float().mean() > 0.3 > 3 * (plain < 0.01).float().mean()


def test_decay_apart_from_the_gradient_is_not_decay_with_it():
    apart, within = (fitted(**PLAIN, optimizer=name, decay=0.5)[0] for name in ("adamw", "adam"))
    assert not torch.equal(weights(apart), weights(within))


def test_a_norm_predicts_by_population_statistics():
    model = fitted(**PLAIN, norm="batch")[0]
    rows = frame_of(40, seed=9)
    assert model.predict(rows[:1]) == pytest.approx(model.predict(rows)[:1])
    norm = model.networks[0].body[0][1]
    assert (norm.running_var != 1).all()


def test_a_batch_of_one_cannot_be_normed_and_is_refused_in_words():
    settings = options(norm="batch")
    group = Group([member_of(1, settings)], table_of(ROWS), Program(Shape(1, 1), settings, Loss("auto", 2)))
    with pytest.raises(UserError, match="at least 2 rows in a batch"):
        group.train_epoch(0)


def test_dropout_leaves_out_its_share_and_keeps_the_mean():
    layers, keys = vectorized([torch.nn.Dropout(0.25)] * 3)
    keys.of_step = torch.arange(3)
    dropped = layers(torch.ones(3, 500, 64))
    assert (dropped == 0).float().mean(dim=(1, 2)).tolist() == pytest.approx([0.25] * 3, abs=0.01)
    assert dropped.mean().item() == pytest.approx(1, abs=0.01)
    assert not torch.equal(dropped[0], dropped[1])


def test_smoothed_labels_lean_to_the_prior():
    hard, prior = torch.eye(2), torch.tensor([0.9, 0.1])
    assert torch.allclose(losses.smoothed(hard, 0.2, prior), torch.tensor([[0.98, 0.02], [0.18, 0.82]]))
    rare = sample_of().assign(label=lambda table: (np.arange(len(table)) % 10 == 0).astype(float))
    assert TrainingSet(rare, None, options(smoothing=0.1), 2, 1)._prior()[1] == pytest.approx(0.1, abs=0.03)


def test_mixup_mixes_targets_and_weights_as_it_mixes_features():
    values = torch.arange(6.0).view(1, 3, 2)
    shares = torch.tensor([[0.75]])
    assert losses.mixed(values, shares[..., None]).tolist() == [[[1, 2], [1.5, 2.5], [3.5, 4.5]]]
    assert losses.mixed(values[..., 0], shares).tolist() == [[1, 1.5, 3.5]]
    drawn = draws.mixing_shares(1, 0, 1000, 0.4)
    assert drawn.min() >= 0.5
    assert drawn.std() > 0.1


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("constant", [1, 1, 1, 1]),
        ("step", [1, 1, 1 / 3, 1 / 9]),
        ("cosine", [1, 0.5 + 0.25 * 2**0.5, 0.5, 0.5 - 0.25 * 2**0.5]),
        ("cyclic", [1, 0.5, 1, 0.5]),
        ("onecycle", [0.04, 0.9357, 0.8117, 0.2831]),
    ],
)
def test_a_schedule_has_its_shape(schedule, expected):
    settings = {"schedule": schedule, "epochs": 12, "warmup": 0, "cycles": 2}
    assert [schedules.factor(settings, epoch) for epoch in (0, 3, 6, 9)] == pytest.approx(expected, abs=1e-3)
    warm = {**settings, "warmup": 3, "epochs": 15}
    assert [schedules.factor(warm, epoch) for epoch in (3, 6, 9, 12)] == pytest.approx(expected, abs=1e-3)
    assert schedules.factor(warm, 0) < schedules.factor(warm, 1) < schedules.factor(warm, 2) < 1


def test_a_plateau_slows_only_the_member_that_is_on_it():
    member, other = (member_of(number, options()) for number in (1, 2))
    settings = options(schedule="plateau", patience=6)
    for epoch, loss in enumerate([1.0, 0.9, 0.95, 0.95, 0.96]):
        for one, stop_loss in ((member, loss), (other, 1 / (epoch + 1))):
            one.write_down(epoch, loss, stop_loss)
            one.judged(epoch, stop_loss, settings)
    assert member.slowed == pytest.approx(1 / 3)
    assert other.slowed == 1


def test_the_best_epoch_is_kept_and_training_ends_after_it():
    model, history = fitted(sample_of(120), rate=0.05, epochs=60, patience=5, numbers="none")
    assert len(history) == history["stop_loss"].idxmin() + 6
    sample = sample_of(120)
    stop = sample[sample["stop"]]
    p = model.predict(stop)[np.arange(len(stop)), stop["label"].astype(int)]
    assert np.average(-np.log(p), weights=stop["weight"]) == pytest.approx(history["stop_loss"].min(), rel=1e-4)


def test_a_range_test_finds_a_rate_between_too_low_and_too_high():
    history = fitted(rate="auto", epochs=1)[1]
    curve = history[history["phase"] == "range test"]
    assert 20 < len(curve) <= 100
    assert curve["loss"].min() < 0.9 * curve["loss"].iloc[0]
    assert history["rate"].iloc[-1] == pytest.approx(curve.loc[curve["loss"].idxmin(), "rate"] / 10)
    assert 1e-4 < history["rate"].iloc[-1] < 0.1


def test_snapshots_are_networks_of_several_epochs_and_cycles_are_judged_at_their_ends():
    last = fitted(**{**PLAIN, "snapshots": 3, "patience": 50})[0]
    assert len(last.networks) == 3
    assert len({weights_of(network).sum().item() for network in last.networks}) == 3
    settings = {"schedule": "cyclic", "epochs": 12, "warmup": 2, "cycles": 2}
    assert [epoch for epoch in range(12) if schedules.ends_cycle(settings, epoch)] == [6, 11]
    cyclic = fitted(**{**PLAIN, "epochs": 12, "schedule": "cyclic", "cycles": 4, "snapshots": 2, "patience": 50})[0]
    assert len(cyclic.networks) == 2


def weights_of(network):
    return torch.cat([value.detach().flatten() for value in network.parameters()])


def test_a_curriculum_begins_with_the_rows_that_a_simple_model_is_surest_of():
    settings = options(curriculum=4, epochs=10)
    training_set = TrainingSet(sample_of(), None, settings, 2, 1)
    member = training_set.members()[0]
    group = Group([member], training_set.table(), Program(Shape(32, 7), settings, Loss("auto", 2)))
    seen = [set(epoch_plan(group, epoch).rows.flatten().tolist()) for epoch in range(5)]
    assert seen[0] <= set(member.easiest[: len(member.easiest) // 5 + 1])
    assert len(seen[0]) < len(seen[2]) < len(seen[4])
    X, y = training_set.sample[NAMES].to_numpy(), training_set.sample["label"].to_numpy()
    easy, difficult = member.easiest[:60], member.easiest[-60:]
    probe = LogisticRegression().fit(X[member.fitted], y[member.fitted])
    assert probe.score(X[easy], y[easy]) > probe.score(X[difficult], y[difficult])


def test_a_frozen_part_stays_as_it_was_and_only_norms_means_only_norms():
    start = fitted(**PLAIN, norm="layer")[0]
    other = sample_of(seed=4).assign(label=lambda table: 1 - table["label"])
    for given, part, moves in (
        ({"rates": {"body": 0}}, "body", False),
        ({"rates": {"body": 0}}, "head", True),
        ({"only_norms": True}, "body", False),
        ({"new_head": True, "rates": {"body": 0}}, "head", True),
    ):
        begun = options(**{**PLAIN, "norm": "layer", "epochs": 2, "start": "other", **given})
        later = train([TrainingSet(other, None, begun, 2, 7, start)])[0][0]
        linear = [f"{name}.weight" for name, layer in start.networks[0].named_modules()
                  if isinstance(layer, torch.nn.Linear) and name.startswith(part)]  # fmt: skip
        states = start.networks[0].state_dict(), later.networks[0].state_dict()
        assert any(not torch.equal(states[0][name], states[1][name]) for name in linear) == moves, given
    norms = [name for name in states[0] if name.startswith("body.0.1")]
    only = train([TrainingSet(other, None, options(**{**PLAIN, "norm": "layer", "only_norms": True}), 2, 7, start)])[0][0]
    assert all(not torch.equal(states[0][name], only.networks[0].state_dict()[name]) for name in norms)


def test_the_batch_statistics_of_a_frozen_part_stay_too():
    start = fitted(**PLAIN, norm="batch")[0]
    settings = options(**{**PLAIN, "norm": "batch", "rates": {"body": 0}, "new_head": True, "start": "other"})
    later = train([TrainingSet(sample_of(seed=4), None, settings, 2, 7, start)])[0][0]
    before, after = start.networks[0].state_dict(), later.networks[0].state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before if name.startswith("body"))


def test_a_range_test_leaves_weights_and_their_mean_as_they_were():
    settings = options(average=0.9, rate="auto")
    group = Group([member_of(1, settings, rate=0.7)], table_of(ROWS), Program(Shape(32, 4), settings, Loss("auto", 2)))
    values, average = group.rows.values.clone(), group.average.clone()
    find_rates(group)
    assert torch.equal(group.rows.values, values)
    assert torch.equal(group.average, average)
    assert group.members[0].rate < 0.7


def test_where_nothing_is_left_to_train_one_message_says_so():
    settings = options(rates={"body": 0, "head": 0})
    with pytest.raises(UserError, match="nothing is left to train"):
        train([TrainingSet(sample_of(), None, settings, 2, 1)])


def test_a_curriculum_of_a_bootstrap_draw_stays_in_the_draw():
    member = TrainingSet(sample_of(), None, options(curriculum=2, bag=True), 2, 1).members()[0]
    assert sorted(member.easiest) == sorted(member.fitted)


def test_a_network_that_begins_with_weights_keeps_them_where_nothing_is_better():
    start = fitted(**PLAIN)[0]
    settings = options(**{**PLAIN, "rate": 10.0, "clip": 1e9, "optimizer": "sgd"})
    later, history = train([TrainingSet(sample_of(), None, settings, 2, 7, start)])[0]
    assert (scores(later) == scores(start)).all()
    assert history["epoch"].iloc[0] == -1


def test_a_regression_learns_the_units_of_its_labels():
    for loss in ("mse", "mae", "huber"):
        sample = sample_of(task="values")
        model, _ = fitted(sample, n_classes=0, epochs=60, rate=0.01, loss=loss)
        error = (model.predict(sample)[:, 0] - sample["label"])[~sample["stop"]]
        assert error.std() < 0.5 * sample["label"].std()


ON_A_GPU = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")]


@pytest.mark.parametrize(("device", "tolerance"), [("cpu", 0), pytest.param("cuda", 1e-4, marks=ON_A_GPU)])
def test_a_network_that_diverges_is_left_out_and_the_report_names_it(device, tolerance, monkeypatch):
    """Beside it a network is the same bit for bit, on a GPU nearly: kernels there add in another order for other shapes."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: device == "cuda")
    with monkeypatch.context() as patch:
        original = TrainingSet._member
        patch.setattr(TrainingSet, "_member", lambda self, number, *rest: spoiled(original(self, number, *rest), number))
        model, history = fitted(seeds=3)
    alone, _ = fitted(seeds=1)
    assert len(model.networks) == 2
    assert torch.allclose(weights(model), weights(alone), rtol=0, atol=tolerance)
    assert (
        "network 1 of “teacher” in split 0 (left out)"
        in diverged_sentences(report_run(histories={"teacher": history.assign(split="0")}))[0]
    )


def spoiled(member, number):
    if number == 1:
        member.rate, member.clip = 1e30, 1e30
    return member


def test_where_every_network_diverges_one_message_says_so():
    with pytest.raises(UserError, match="lower `rate`"):
        fitted(rate=1e30, clip=1e30, optimizer="sgd")


def test_a_batch_larger_than_the_split_is_refused_in_words():
    with pytest.raises(UserError, match="batch: 5000 rows in a batch are more than the 250 rows to fit on"):
        fitted(batch=5000)


class Interrupted(BaseException):
    pass


def flipped(content):
    """A file with one byte changed, in the midst of its largest part."""
    changed = bytearray(content)
    changed[len(content) // 2] ^= 0xFF
    return bytes(changed)


@pytest.mark.parametrize("given", [{"snapshots": 2, "average": 0.9}, {"norm": "batch", "optimizer": "momentum", "patience": 2}])
def test_a_resumed_training_is_the_unbroken_one_bit_for_bit(given, tmp_path, monkeypatch):
    settings = options(**{"epochs": 9, "checkpoint": 3, "seeds": 3, **given})
    sets = lambda: [TrainingSet(sample_of(rows), None, settings, 2, seed) for seed, rows in enumerate((300, 900))]  # noqa: E731
    unbroken = train(sets())
    epochs, original = [], Group.launch

    def failing(group, epoch):
        epochs.append(epoch)
        if len(epochs) == 14:
            raise Interrupted
        original(group, epoch)

    monkeypatch.setattr(Group, "launch", failing)
    with pytest.raises(Interrupted):
        train(sets(), checkpoints=tmp_path / "unfinished")
    assert len(list((tmp_path / "unfinished").glob("*.ckpt"))) == 1
    before = len(epochs)
    resumed = train(sets(), threads=2, checkpoints=tmp_path / "unfinished")
    assert len(epochs) - before < 9
    for (one, history), (other, again) in zip(unbroken, resumed, strict=True):
        assert (scores(one) == scores(other)).all()
        pd.testing.assert_frame_equal(history, again)


@pytest.mark.parametrize("damage", [lambda content: content[: len(content) // 2], lambda content: b"", flipped])
def test_a_damaged_checkpoint_is_left_aside_and_training_begins_anew(damage, tmp_path, monkeypatch):
    settings = options(epochs=6, checkpoint=2)
    sets = lambda: [TrainingSet(sample_of(), None, settings, 2, 1)]  # noqa: E731
    unbroken, _ = train(sets())[0]
    original = Group.launch

    def failing(group, epoch):
        if epoch == 4:
            raise Interrupted
        original(group, epoch)

    with monkeypatch.context() as patch, pytest.raises(Interrupted):
        patch.setattr(Group, "launch", failing)
        train(sets(), checkpoints=tmp_path / "unfinished")
    (checkpoint,) = (tmp_path / "unfinished").glob("*.ckpt")
    checkpoint.write_bytes(damage(checkpoint.read_bytes()))
    epochs = []
    monkeypatch.setattr(Group, "launch", lambda group, epoch: (epochs.append(epoch), original(group, epoch)))
    again, _ = train(sets(), checkpoints=tmp_path / "unfinished")[0]
    assert epochs == list(range(6))
    assert (scores(again) == scores(unbroken)).all()


def test_a_checkpoint_of_other_data_or_settings_is_not_taken_up(tmp_path):
    tables = [TrainingSet(sample_of(seed=seed), None, options(), 2, 1) for seed in (1, 2)]
    members = [one.members() for one in tables]
    prints = {
        fingerprint([Layout(tables[0].table(), None, [members[0]])], options()),
        fingerprint([Layout(tables[1].table(), None, [members[1]])], options()),
        fingerprint([Layout(tables[0].table(), None, [members[0]])], options(decay=0.5)),
    }
    assert len(prints) == 3


PROGRAM = """
import sys
sys.path[:0] = {paths!r}
import torch
torch.set_num_threads(1)
import test_networks as tests
tests.ended_and_resumed({folder!r})
"""


def ended_and_resumed(folder):
    """Train with checkpoints, saying each epoch; what a process of its own does."""
    original = Group.finish

    def told(group, epoch):
        original(group, epoch)
        print("epoch", epoch, flush=True)

    Group.finish = told
    model, _ = train([TrainingSet(sample_of(), None, options(epochs=60, patience=60), 2, 1)], checkpoints=folder)[0]
    print("scores", scores(model).tobytes().hex(), flush=True)


def test_a_job_that_is_asked_to_end_goes_on_from_the_epoch_it_was_in(tmp_path):
    paths = [str(REPOSITORY / "workflow" / "scripts"), str(REPOSITORY / "tests"), str(REPOSITORY / "tests" / "networks")]
    command = [sys.executable, "-c", PROGRAM.format(paths=paths, folder=str(tmp_path / "unfinished"))]
    first = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while "epoch 4" not in first.stdout.readline():
        pass
    first.send_signal(signal.SIGTERM)
    rest, _ = first.communicate()
    assert first.returncode == 143
    assert "scores" not in rest
    second = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    done = 5 + rest.count("epoch")
    assert second[0] == f"epoch {done}"
    unbroken, _ = train([TrainingSet(sample_of(), None, options(epochs=60, patience=60), 2, 1)])[0]
    assert second[-1] == f"scores {scores(unbroken).tobytes().hex()}"


def test_progress_is_told_in_one_line():
    training = SimpleNamespace(current_epoch=1, members=[member_of(number, options()) for number in (1, 2)])
    for member, losses_ in zip(training.members, ([0.5, 0.4], [0.7, 0.6]), strict=True):
        member.write_down(1, *losses_)
    training.groups = [SimpleNamespace(members=training.members)]
    training.members[0].stopped = True
    assert progress(training) == "epoch 2, loss 0.7000, stop loss 0.6000, 1 of 2 networks in training"


@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=ON_A_GPU)])
@pytest.mark.parametrize(("task", "heads"), [("classes", 1), ("classes", 3), ("values", 3)])
def test_networks_predict_all_at_once_what_they_predict_one_by_one(device, task, heads, monkeypatch):
    monkeypatch.setattr("stillhouse.networks.fitted.rows_at_once", lambda *_: 13)
    model, _ = fitted(sample_of(task=task), 2 * (task == "classes"), seeds=3, heads=heads, numbers="piecewise", bins=4)
    X = torch.tensor(features_of(100, seed=3))
    with torch.inference_mode():
        torch.testing.assert_close(model.means_on(device, X), model.means(X), atol=1e-5, rtol=1e-5)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_networks_train_on_a_gpu_and_predict_there_what_they_predict_here():
    model, history = fitted(seeds=3, epochs=20, rate=0.01)
    assert history["stop_loss"].min() < 0.6
    assert next(model.networks[0].parameters()).device.type == "cpu"
