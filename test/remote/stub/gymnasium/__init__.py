"""As much of Gymnasium's outside as diffrl_env.py touches, for tests where Gymnasium is not installed."""

import importlib


class Env:
    def reset(self, *, seed=None, options=None):
        return None


registry = {}


class Spec:
    def __init__(self, name):
        self.id = name


def register(name, function):
    registry[name] = function


def make(name, **kwargs):
    module, _, name = name.rpartition(":")
    if module:
        importlib.import_module(module)
    env = registry[name](**kwargs)
    env.spec = Spec(name)
    return env


from . import vector  # noqa: E402, F401
