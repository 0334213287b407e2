"""Stands in for a package whose import registers environments, and makes vector environments."""

import os
import sys

import gymnasium
import numpy

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

import environments  # noqa: E402

gymnasium.register("Hand-v0", environments.Pendulum)


class Many(gymnasium.vector.VectorEnv):
    """Pendulums in a vector environment of Gymnasium's kind; resets by the mode that is asked for."""

    def __init__(self, num=2, steps=4, mode="SAME_STEP"):
        self.envs = [environments.Pendulum(steps) for _ in range(num)]
        self.num_envs, self.mode = num, gymnasium.vector.AutoresetMode[mode]
        self.metadata = {"autoreset_mode": self.mode}
        self.single_observation_space = environments.Pendulum.observation_space
        self.single_action_space = environments.Pendulum.action_space
        self.last = [None] * num

    def reset(self, *, seed=None, options=None):
        mask = (options or {}).get("reset_mask", [True] * self.num_envs)
        for i, env in enumerate(self.envs):
            if mask[i]:
                self.last[i] = env.reset(None if seed is None else seed[i])[0]
        return numpy.array(self.last, "float32"), {}

    def step(self, actions):
        assert actions.shape == (self.num_envs, 1) and actions.dtype == numpy.float32
        results = [env.step(action) for env, action in zip(self.envs, actions)]
        self.last = [result[0] for result in results]
        truncated = numpy.array([result[3] for result in results])
        infos = {"angle": numpy.array([env.angle for env in self.envs]), "_angle": ~truncated}
        if self.mode.value == "SameStep" and truncated.any():
            final = numpy.empty(self.num_envs, dtype=object)
            for i in range(self.num_envs):
                if truncated[i]:
                    final[i] = numpy.array(self.last[i], "float32")
                    self.last[i] = self.envs[i].reset()[0]
            infos["final_obs"], infos["_final_obs"] = final, truncated
        rewards = numpy.array([result[1] for result in results])
        return numpy.array(self.last, "float32"), rewards, numpy.zeros(self.num_envs, bool), truncated, infos

    def close(self):
        pass
