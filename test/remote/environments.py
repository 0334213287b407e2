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
