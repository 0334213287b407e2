"""DIME in JAX: what bench/peers.ts measures this library's DIME against.

The same computation as src/agents/dime, written for XLA: acting, a critic update and an actor update with the temperature's,
one jitted function each, with donated state. Noise comes as an argument, which is cheaper than to draw it inside. What does not
depend on the state of the chain is computed once for all its steps, and once per parameters for acting, as the library does.

    python bench/peers/dime.py OBSERVATION ACTION WIDTH STEPS BATCH

reads one JSON object a line from standard input and answers each with one on standard output:

    {"run": "act" | "critic" | "both", "calls": N}  milliseconds of each call, and of processor time in all
    {"check": FILE}                                 metrics and movement of a few updates from the state and inputs in FILE
"""

import base64
import json
import math
import resource
import sys
import time
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import lax

PRIOR_STD = 2.5
ATOMS, LOWEST, HIGHEST = 101, -200.0, 200.0
ENTROPY_COEFFICIENT = 0.005
GAMMA = 0.99
TARGET_RUN_COST = 4.0
EPSILON, MOMENTUM, R_MAX, D_MAX, WARMUP = 1e-3, 0.99, 3.0, 5.0, 100_000
TINY_VARIANCE = 1e-12
LOG_2PI = math.log(2 * math.pi)

ATOM_ROW = np.linspace(LOWEST, HIGHEST, ATOMS, dtype=np.float32)
FREQUENCIES = np.linspace(0.1, 100, 256, dtype=np.float32)

gelu = partial(jax.nn.gelu, approximate=True)


# The chain


def step_sizes(actor, steps):
    """Step size of every step and dimension, [K, A]."""
    t = (steps - np.arange(steps)) / steps
    schedule = 0.999 * np.cos(np.pi / 2 * (1.008 - t) / 1.008) ** 2 + 0.001
    factor = jax.nn.softplus(actor["stepSize"])[:, None] / jax.nn.softplus(actor["friction"])
    return factor * schedule[:, None].astype(np.float32)


def time_part(actor, steps):
    """What the first layer adds for every step, [K, H]."""
    angles = np.arange(steps, dtype=np.float32)[:, None] * FREQUENCIES + actor["control/time/phase"]
    features = jnp.concatenate([jnp.sin(angles), jnp.cos(angles)], 1)
    hidden = gelu(features @ actor["control/time/mlp/kernel0"] + actor["control/time/mlp/bias0"])
    embedding = hidden @ actor["control/time/mlp/kernel1"] + actor["control/time/mlp/bias1"]
    return embedding @ actor["control/trunk/kernel0"][-256:] + actor["control/trunk/bias0"]


class Table(NamedTuple):
    """What a chain needs of its parameters alone: per step."""

    time: jax.Array
    eta: jax.Array
    decay: jax.Array
    std: jax.Array


def tabulate(actor, steps):
    eta = step_sizes(actor, steps)
    return Table(time_part(actor, steps), eta, 1 - eta / PRIOR_STD**2, jnp.sqrt(2 * eta))


def control(actor, x, constant):
    """`constant` is the first layer's part of observation and time."""
    hidden = gelu(x @ actor["control/trunk/kernel0"][: x.shape[1]] + constant)
    hidden = gelu(hidden @ actor["control/trunk/kernel1"] + actor["control/trunk/bias1"])
    hidden = gelu(hidden @ actor["control/trunk/kernel2"] + actor["control/trunk/bias2"])
    return jnp.clip(hidden @ actor["control/trunk/kernel3"] + actor["control/trunk/bias3"], -1e4, 1e4)


def run_chain(actor, table, observations, noise):
    """All states, [K + 1, B, A]; noise is [K + 1, B, A], the prior's first."""
    size = noise.shape[2]
    observed = observations @ actor["control/trunk/kernel0"][size : size + observations.shape[1]]
    kicks = noise[1:] * table.std[:, None]
    states = [noise[0] * PRIOR_STD]
    for k in range(noise.shape[0] - 1):
        x = states[-1]
        drift = table.eta[k] * control(actor, x, observed + table.time[k])
        states.append(table.decay[k] * x + drift + kicks[k])
    return jnp.stack(states)


def log_normal(noise, log_std):
    return jnp.sum(-0.5 * noise**2 - (log_std + LOG_2PI / 2), -1)


def sample(actor, observations, noise):
    """Actions [B, A], run cost [B] and total cost [B]."""
    table = tabulate(actor, noise.shape[0] - 1)
    states = run_chain(actor, table, observations, noise)
    end, std = states[-1], table.std[:, None]
    forward = log_normal(noise[1:], jnp.log(std))
    backward = log_normal((states[:-1] - table.decay[:, None] * states[1:]) / std, jnp.log(std))
    log_det = jnp.sum(2 * (math.log(2) - end - jax.nn.softplus(-2 * end)), -1)
    run_cost = jnp.sum(forward - backward, 0) - log_det
    return jnp.tanh(end), run_cost, run_cost + log_normal(noise[0], math.log(PRIOR_STD))


# The critics


def normalise(scale, bias, running, x):
    """Batch renormalisation in training: values, and the statistics moved on."""
    mean = jnp.mean(x, 0)
    variance = jax.nn.relu(jnp.mean(x**2, 0) - mean**2)
    running_std = jnp.sqrt(running["variance"] + EPSILON)
    corrects = running["steps"] >= WARMUP
    ratio = jnp.clip(jnp.sqrt(variance + EPSILON) / running_std, 1 / R_MAX, R_MAX)
    shift = jnp.clip((mean - running["mean"]) / running_std, -D_MAX, D_MAX)
    r = lax.stop_gradient(jnp.where(corrects, ratio, 1.0))
    d = lax.stop_gradient(jnp.where(corrects, shift, 0.0))
    centre = mean - d * jnp.sqrt(jnp.maximum(variance, TINY_VARIANCE)) / r
    values = (x - centre) * (scale / jnp.sqrt(variance / r**2 + EPSILON)) + bias
    moved = {
        "mean": MOMENTUM * running["mean"] + (1 - MOMENTUM) * mean,
        "variance": MOMENTUM * running["variance"] + (1 - MOMENTUM) * variance,
        "steps": running["steps"] + 1,
    }
    return values, lax.stop_gradient(moved)


def train_head(head, statistics, x):
    """Logits of one head for a batch, and its statistics moved on."""
    moved = {}
    for i in range(3):
        norm = f"norm{i}"
        x, moved[norm] = normalise(head[f"{norm}/scale"], head[f"{norm}/bias"], statistics[norm], x)
        x = x @ head[f"kernel{i}"] + head[f"bias{i}"]
        if i < 2:
            x = jax.nn.relu(x)
    return x, moved


def apply_head(head, statistics, x):
    """Logits of one head by running statistics."""
    for i in range(3):
        norm, running = f"norm{i}", statistics[f"norm{i}"]
        gain = lax.rsqrt(running["variance"] + EPSILON) * head[f"{norm}/scale"]
        x = ((x - running["mean"]) * gain + head[f"{norm}/bias"]) @ head[f"kernel{i}"] + head[f"bias{i}"]
        if i < 2:
            x = jax.nn.relu(x)
    return x


def mean_return(logits):
    return jnp.sum(jax.nn.softmax(logits) * ATOM_ROW, 1)


def project(probabilities, rewards, discounts, costs):
    """C51: the distribution moved by the Bellman operator, on its atoms again."""
    spacing = (HIGHEST - LOWEST) / (ATOMS - 1)
    moved = rewards[:, None] + discounts[:, None] * (ATOM_ROW - costs[:, None])
    positions = (jnp.clip(moved, LOWEST, HIGHEST) - LOWEST) / spacing
    lower = jnp.floor(positions)
    upper_share = probabilities * (positions - lower)
    rows = jnp.arange(probabilities.shape[0])[:, None]
    columns = lower.astype(jnp.int32)
    target = jnp.zeros_like(probabilities).at[rows, columns].add(probabilities - upper_share)
    return target.at[rows, jnp.minimum(columns + 1, ATOMS - 1)].add(upper_share)


def critic_loss(critic, statistics, x, target_of):
    heads = [train_head(critic[name], statistics[name], x) for name in ("head0", "head1")]
    (now, following), (now2, following2) = [jnp.split(logits, 2) for logits, _ in heads]
    mixture = 0.5 * (jax.nn.softmax(following) + jax.nn.softmax(following2))
    target = lax.stop_gradient(target_of(mixture))
    loss = 0.0
    for logits in (now, now2):
        logs = jax.nn.log_softmax(logits)
        loss += jnp.mean(jnp.sum((ENTROPY_COEFFICIENT * jnp.exp(logs) - target) * logs, 1))
    metrics = {
        "value": jnp.mean(mean_return(now)),
        "saturation": jnp.mean(target[:, 0] + target[:, -1]),
    }
    return loss, (dict(zip(("head0", "head1"), (moved for _, moved in heads))), metrics)


# Optimisers


def adam(rate, beta1, update_clip=None):
    """Adam; a parameter's update is divided by how many times its gradient is those before it, over `update_clip`."""
    beta2, epsilon, tiny = 0.999, 1e-8, 1e-16

    def init(parameters):
        zeros = lambda: jax.tree.map(jnp.zeros_like, parameters)
        return optax.ScaleByAdamState(jnp.zeros([], jnp.float32), zeros(), zeros())

    def update(gradients, state, _=None):
        count = state.count + 1
        first = jax.tree.map(lambda m, g: beta1 * m + (1 - beta1) * g, state.mu, gradients)
        second = jax.tree.map(lambda v, g: beta2 * v + (1 - beta2) * g**2, state.nu, gradients)
        root = jnp.sqrt(1 - beta2**count)
        scale = rate * root / (1 - beta1**count)

        def step(g, m, v):
            size = scale
            if update_clip:
                mean = jnp.mean(g**2 / (v + root**2 * tiny)) * root**2
                size = scale / jnp.maximum(jnp.sqrt(mean) / update_clip, 1)
            return -size * m / (jnp.sqrt(v) + root * epsilon)

        updates = jax.tree.map(step, gradients, first, second)
        return updates, optax.ScaleByAdamState(count, first, second)

    return optax.GradientTransformation(init, update)


without_nan = optax.stateless(lambda g, _: jax.tree.map(lambda x: jnp.where(jnp.isnan(x), 0, x), g))
ACTOR_ADAM = optax.chain(without_nan, optax.clip(1.0), adam(3e-4, 0.5, 1.0))
CRITIC_ADAM = adam(3e-4, 0.5, 1.0)
TEMPERATURE_ADAM = adam(1e-3, 0.9)


def total(gradients):
    """Is finite if all gradients are."""
    return sum(jnp.sum(g) for g in jax.tree.leaves(gradients))


def move(optimiser, gradients, state, parameters):
    updates, state = optimiser.update(gradients, state)
    return optax.apply_updates(parameters, updates), state


# The programs


class Critics(NamedTuple):
    parameters: dict
    statistics: dict
    adam: tuple


class Actor(NamedTuple):
    parameters: dict
    adam: tuple
    log_temperature: jax.Array
    temperature_adam: tuple


class Batch(NamedTuple):
    observations: jax.Array
    actions: jax.Array
    rewards: jax.Array
    next_observations: jax.Array
    terminated: jax.Array


@partial(jax.jit, static_argnums=1)
def prepare(actor, steps):
    return tabulate(actor, steps)


@jax.jit
def act(actor, table, observations, noise):
    return jnp.tanh(run_chain(actor, table, observations, noise)[-1])


@partial(jax.jit, donate_argnums=0)
def update_critics(critics, actor, log_temperature, batch, noise):
    next_actions, _, total_cost = sample(actor, batch.next_observations, noise)
    costs = jnp.exp(log_temperature) * total_cost
    discounts = GAMMA * (1 - batch.terminated)
    now = jnp.concatenate([batch.observations, batch.actions], 1)
    x = jnp.concatenate([now, jnp.concatenate([batch.next_observations, next_actions], 1)])
    target_of = lambda mixture: project(mixture, batch.rewards, discounts, costs)
    differentiate = jax.value_and_grad(critic_loss, has_aux=True)
    (loss, (statistics, metrics)), gradients = differentiate(critics.parameters, critics.statistics, x, target_of)
    parameters, state = move(CRITIC_ADAM, gradients, critics.adam, critics.parameters)
    return Critics(parameters, statistics, state), {"criticLoss": loss, **metrics, "gradients": total(gradients)}


def actor_loss(parameters, critics, temperature, observations, noise):
    actions, run_cost, total_cost = sample(parameters, observations, noise)
    x = jnp.concatenate([observations, actions], 1)
    values = [mean_return(apply_head(critics.parameters[h], critics.statistics[h], x)) for h in ("head0", "head1")]
    loss = jnp.mean(temperature * total_cost - 0.5 * (values[0] + values[1]))
    return loss, {"runCost": jnp.mean(run_cost), "entropyBound": -jnp.mean(total_cost)}


@partial(jax.jit, donate_argnums=0)
def update_actor(actor, critics, observations, noise):
    temperature = jnp.exp(actor.log_temperature)
    differentiate = jax.value_and_grad(actor_loss, has_aux=True)
    (loss, metrics), gradients = differentiate(actor.parameters, critics, temperature, observations, noise)
    parameters, state = move(ACTOR_ADAM, gradients, actor.adam, actor.parameters)
    slope = -temperature * (metrics["runCost"] - TARGET_RUN_COST * noise.shape[2])
    log_temperature, temperature_state = move(
        TEMPERATURE_ADAM, slope, actor.temperature_adam, actor.log_temperature
    )
    result = {"actorLoss": loss, **metrics, "temperature": jnp.exp(log_temperature), "gradients": total(gradients) + slope}
    return Actor(parameters, state, log_temperature, temperature_state), result


# States and inputs


def actor_of(parameters, log_temperature):
    return Actor(
        parameters, ACTOR_ADAM.init(parameters), log_temperature, TEMPERATURE_ADAM.init(log_temperature)
    )


def split_critics(entries):
    """Parameters and statistics of both heads from entries `head0/kernel0`, `head0/norm0/mean`, ..."""
    parameters, statistics = {"head0": {}, "head1": {}}, {"head0": {}, "head1": {}}
    for name, value in entries.items():
        head, key = name.split("/", 1)
        norm, _, kind = key.partition("/")
        if kind in ("mean", "variance", "steps"):
            statistics[head].setdefault(norm, {})[kind] = value
        else:
            parameters[head][key] = value
    return parameters, statistics


def shapes_of(observation, action, width):
    sizes = [action + observation + 256, 256, 256, 256, action]
    actor = {"stepSize": [1], "friction": [action], "control/time/phase": [1, 256]}
    actor |= {"control/time/mlp/kernel0": [512, 256], "control/time/mlp/bias0": [256]}
    actor |= {"control/time/mlp/kernel1": [256, 256], "control/time/mlp/bias1": [256]}
    for i in range(4):
        actor |= {f"control/trunk/kernel{i}": sizes[i : i + 2], f"control/trunk/bias{i}": sizes[i + 1 : i + 2]}
    critic, sizes = {}, [observation + action, width, width, ATOMS]
    for head in ("head0", "head1"):
        for i in range(3):
            for name in ("scale", "bias", "mean", "variance"):
                critic[f"{head}/norm{i}/{name}"] = sizes[i : i + 1]
            critic |= {f"{head}/norm{i}/steps": [], f"{head}/kernel{i}": sizes[i : i + 2], f"{head}/bias{i}": sizes[i + 1 : i + 2]}
    return actor, critic


def drawn(shapes, rng):
    """Numbers that make an ordinary network."""

    def draw(name, shape):
        if name.endswith(("scale", "variance")):
            return jnp.ones(shape)
        if len(shape) == 2 and "kernel" in name:
            return jnp.asarray(rng.standard_normal(shape, np.float32) / math.sqrt(shape[0]))
        return jnp.zeros(shape)

    return {name: draw(name, shape) for name, shape in shapes.items()}


def array_of(entry):
    kind = np.float32 if entry["type"] == "float32" else np.uint8
    return jnp.asarray(np.frombuffer(base64.b64decode(entry["data"]), kind).reshape(entry["shape"]).astype(np.float32))


def part(entries, prefix):
    return {name[len(prefix) :]: array_of(entry) for name, entry in entries.items() if name.startswith(prefix)}


class Learner:
    """The state, and inputs to run the programs on."""

    def __init__(self, actor, log_temperature, critics, batch, noise, critic_noise):
        self.actor = actor_of(actor, log_temperature)
        parameters, statistics = split_critics(critics)
        self.critics = Critics(parameters, statistics, CRITIC_ADAM.init(parameters))
        self.batch, self.noise, self.critic_noise = batch, noise, critic_noise
        self.steps = noise.shape[0] - 1
        self.table = prepare(self.actor.parameters, self.steps)

    @staticmethod
    def from_sizes(observation, action, width, steps, rows):
        rng = np.random.default_rng(0)
        normal = lambda *shape: jnp.asarray(rng.standard_normal(shape, np.float32))
        actor, critics = (drawn(shapes, rng) for shapes in shapes_of(observation, action, width))
        batch = Batch(normal(rows, observation), normal(rows, action), normal(rows), normal(rows, observation), jnp.zeros(rows))
        noise = [normal(steps + 1, rows, action) for _ in range(2)]
        return Learner(actor, jnp.zeros([]), critics, batch, *noise)

    @staticmethod
    def from_file(path):
        with open(path) as file:
            content = json.load(file)
        state, inputs = content["state"], content["inputs"]
        columns = ("observations", "actions", "rewards", "nextObservations", "terminated")
        batch = Batch(*(array_of(inputs["critic"][name]) for name in columns))
        noise = [array_of(inputs[what]["noise"]) for what in ("actor", "critic")]
        return Learner(part(state, "actor/"), array_of(state["temperature/log"]), part(state, "critic/"), batch, *noise)

    def critic_update(self):
        self.critics, metrics = update_critics(
            self.critics, self.actor.parameters, self.actor.log_temperature, self.batch, self.critic_noise
        )
        return metrics

    def actor_update(self):
        self.actor, metrics = update_actor(self.actor, self.critics, self.batch.observations, self.noise)
        return metrics

    def run_critic(self):
        jax.block_until_ready([self.critic_update(), self.critic_update()])

    def run_both(self):
        jax.block_until_ready([self.critic_update(), self.critic_update(), self.actor_update()])

    def act(self, observations, noise):
        return np.asarray(act(self.actor.parameters, self.table, observations, noise))

    def run_act(self):
        self.act(self.observation, self.act_noise)

    def measure(self, what, calls):
        self.table = prepare(self.actor.parameters, self.steps)
        self.observation = np.asarray(self.batch.observations[:1])
        self.act_noise = np.asarray(self.noise[:, :1])
        run = getattr(self, f"run_{what}")
        times, before = [], processor_time()
        for _ in range(calls):
            start = time.perf_counter()
            run()
            times.append(1000 * (time.perf_counter() - start))
        return {"times": times, "processor": processor_time() - before}

    def check(self, rounds):
        """Metrics of every update in turn, the actions at the start, and how far every parameter has moved."""
        numbers = lambda values: {name: float(value) for name, value in values.items()}
        before = jax.tree.map(np.array, (self.actor.parameters, self.critics.parameters))
        actions = self.act(np.asarray(self.batch.observations), np.asarray(self.noise))
        metrics = []
        for _ in range(rounds):
            metrics += [numbers(self.critic_update()), numbers(self.critic_update()), numbers(self.actor_update())]
        after = (self.actor.parameters, self.critics.parameters)
        moved = jax.tree.map(lambda a, b: np.asarray(a) - b, after, before)
        named = {f"actor/{name}": value for name, value in moved[0].items()}
        for head, values in moved[1].items():
            named |= {f"critic/{head}/{name}": value for name, value in values.items()}
        encode = lambda value: base64.b64encode(np.ascontiguousarray(value, np.float32)).decode()
        return {"actions": encode(actions), "metrics": metrics, "moved": {n: encode(v) for n, v in named.items()}}


def processor_time():
    """Milliseconds that all threads of this process have run."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return 1000 * (usage.ru_utime + usage.ru_stime)


def main():
    sizes = [int(size) for size in sys.argv[1:6]]
    learner = None
    print(json.dumps({"jax": jax.__version__, "devices": [str(d) for d in jax.devices()]}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        if "check" in request:
            answer = Learner.from_file(request["check"]).check(request["rounds"])
        else:
            learner = learner or Learner.from_sizes(*sizes)
            answer = learner.measure(request["run"], request["calls"])
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
