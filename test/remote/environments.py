"""Environments of the standard library only, for the tests; Pendulum is Gymnasium's Pendulum-v1, but for its random stream."""

import math
import os
import random
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "python"))

from diffrl_env import Box, Discrete  # noqa: E402


class Pendulum:
    id = "Pendulum-v1"
    observation_space = Box([-1, -1, -8], [1, 1, 8])
    action_space = Box(-2, 2)

    def __init__(self, steps=200, start=None):
        self.random, self.steps, self.start = random.Random(0), steps, start
        self.angle, self.rate, self.elapsed = 0.0, 0.0, 0

    def reset(self, seed=None):
        if seed is not None:
            self.random.seed(seed)
        self.angle = self.random.uniform(-math.pi, math.pi)
        self.rate = self.random.uniform(-1, 1)
        if self.start:
            self.angle, self.rate = self.start
        self.elapsed = 0
        return self.observe(), {}

    def step(self, action):
        torque = min(max(float(action[0]), -2.0), 2.0)
        wrapped = (self.angle + math.pi) % (2 * math.pi) - math.pi
        cost = wrapped**2 + 0.1 * self.rate**2 + 0.001 * torque**2
        rate = self.rate + (15 * math.sin(self.angle) + 3 * torque) * 0.05
        self.rate = min(max(rate, -8.0), 8.0)
        self.angle += self.rate * 0.05
        self.elapsed += 1
        return self.observe(), -cost, False, self.elapsed >= self.steps, {}

    def observe(self):
        return [math.cos(self.angle), math.sin(self.angle), self.rate]

    def state_dict(self):
        # random.getstate() is a version, 625 numbers of 32 bits and an optional float
        _, numbers, _ = self.random.getstate()
        return {"physics": [self.angle, self.rate, float(self.elapsed)], "random": [float(n) for n in numbers]}

    def load_state_dict(self, arrays):
        self.angle, self.rate, elapsed = arrays["physics"]
        self.elapsed = int(elapsed)
        self.random.setstate((3, tuple(int(n) for n in arrays["random"]), None))


class Measured(Pendulum):
    """Says how much memory the process has taken so far, in KiB."""

    def step(self, action):
        import resource

        observation, reward, terminated, truncated, _ = super().step(action)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return observation, reward, terminated, truncated, {"memory": memory, "process": os.getpid()}


class Mortal(Pendulum):
    """Does as it is told by an action beyond 2."""

    def step(self, action):
        order = round(float(action[0]))
        print("a line between the frames")
        if order == 3:
            raise RuntimeError("out of fuel")
        if order == 4:
            print("going down", file=sys.stderr)
            os._exit(7)
        if order == 5:
            time.sleep(60)
        return super().step(action)


class Robot(Pendulum):
    """Raises errors of the operating system."""

    def step(self, action):
        raise TimeoutError("the serial port does not answer")


def missing():
    open("/no/such/arm.xml")


class Dict:
    def __init__(self, **spaces):
        self.spaces = spaces


class MultiDiscrete:
    def __init__(self, nvec):
        self.nvec = nvec


class MultiBinary:
    def __init__(self, n):
        self.shape = (n,)


def image(low=0, high=255, shape=(2, 3)):
    box = Box(low, high, shape[0] * shape[1])
    box.shape, box.dtype = shape, "uint8"
    return box


class Camera:
    """An image only, which travels as bytes."""

    observation_space = image()
    action_space = Discrete(3, start=5)

    def reset(self, seed=None):
        return [[0, 1, 2], [253, 254, 255]], {}

    def step(self, action):
        return [[action, 0, 0], [0, 0, 0]], 0.0, False, False, {"action": action, "bad": float("nan"), "many": [0] * 100}


class Mixed:
    """Every kind of space, and what came in as the action in the info."""

    observation_space = Dict(image=image(), place=Discrete(3, start=1), speed=Box(-1, float("inf"), 2))
    action_space = Dict(arm=Box([-1, -2], [1, 2]), gear=MultiDiscrete([2, 3]), lamps=MultiBinary(2))

    def reset(self, seed=None):
        return {"image": [[1, 2, 3], [4, 5, 6]], "place": 2, "speed": [0.5, 8]}, {"seed": seed}

    def step(self, action):
        plain = {key: [round(float(x), 3) for x in value] for key, value in action.items()}
        return self.reset()[0], 1.0, True, False, {"action": plain}


class Nothing:
    """6 numbers in, 20 out, and nothing between."""

    observation_space = Box(float("-inf"), float("inf"), 20)
    action_space = Box(-1, 1, 6)
    observation = [0.0] * 20

    def reset(self, seed=None):
        return self.observation, {}

    def step(self, action):
        return self.observation, 0.0, False, False, {}


class Broken:
    observation_space = Box(0, 1, 1)
    action_space = Box(0, 1, 1)

    def reset(self, seed=None):
        return [0.0]


def client(address, steps, token=None):
    """Steps an environment that Node serves, and prints what came of it."""
    import json

    import diffrl_env

    env = diffrl_env.connect(address, token)
    observation, _ = env.reset(seed=3)
    record = [[float(x) for x in observation]]
    for t in range(steps):
        observation, reward, terminated, truncated, _ = env.step([math.sin(t)])
        record.append([[float(x) for x in observation], reward, terminated, truncated])
    env.close()
    many = diffrl_env.connect_vec(address, token)
    observations, _ = many.reset(seed=[1, 2])
    starts = [[float(x) for x in row] for row in observations]
    ended = [bool(x) for x in many.step([[0.0], [1.0]])[3]]
    many.close()
    print(json.dumps({"single": record, "starts": starts, "num": many.num_envs, "ended": ended}))


if __name__ == "__main__":
    client(sys.argv[1], int(sys.argv[2]), *sys.argv[3:])
