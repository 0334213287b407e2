#!/usr/bin/env python3
"""Python environments for diffrl, and diffrl's environments for Python.

    python diffrl_env.py --env HalfCheetah-v5 --num 8 --port 5555

serves ``gymnasium.make("HalfCheetah-v5")`` to ``connectEnv("tcp://127.0.0.1:5555")``; and from a program:

    import diffrl_env
    diffrl_env.serve(lambda: MyEnv(), num=8)            # for every connection environments of its own
    diffrl_env.serve(robot, token="correct horse", host="0.0.0.0")  # one environment, one connection at a time
    env = diffrl_env.connect("tcp://127.0.0.1:5555")    # a Gymnasium environment that runs in Node

Needs Python 3.8 or later and nothing but the standard library; what the environment itself needs comes on top. NumPy and
Gymnasium are used where they can be imported. The protocol is described in docs/remote.md of diffrl. Nothing that comes
over a connection is evaluated or unpickled.
"""

import argparse
import base64
import collections
import hashlib
import hmac
import importlib
import importlib.util
import json
import math
import os
import signal
import socket
import struct
import sys
import threading
import time
import traceback
from array import array

try:
    import numpy
except ImportError:
    numpy = None

__all__ = ["Box", "Discrete", "ProtocolError", "connect", "connect_vec", "offer", "serve"]

PROTOCOL, VERSION = "diffrl-env", 1
HELLO, WELCOME, RESET, STARTED, STEP, STEPPED = 1, 2, 3, 4, 5, 6
GET_STATE, STATE, PREPARE, DONE, OFFER, COMMIT, ERROR = 7, 8, 9, 10, 11, 12, 15
NAMES = {
    HELLO: "hello", WELCOME: "welcome", RESET: "reset", STARTED: "started", STEP: "step", STEPPED: "stepped",
    GET_STATE: "getState", STATE: "state", PREPARE: "prepare", DONE: "done", OFFER: "offer", COMMIT: "commit",
    ERROR: "error",
}  # fmt: skip
HEADER = struct.Struct("<II")
HANDSHAKE_LIMIT = 1 << 16
FRAME_LIMIT = 1 << 26
HELLO_TIMEOUT = 10.0
MAX_CONNECTIONS = 64
SHORTEST_TOKEN = 8


class ProtocolError(Exception):
    """What came over a connection is not what the protocol allows."""


class Refused(Exception):
    """The other side does not serve what was asked for."""


class _Lost(ConnectionError):
    """A stream has ended; an OSError of a user's environment is none of these."""


# ---------------------------------------------------------------------------------------------------------- spaces


class Box:
    """Vectors between ``low`` and ``high``; for environments without Gymnasium. Bounds are numbers or lists."""

    def __init__(self, low, high, size=None):
        size = size or max(len(_numbers(low)), len(_numbers(high)))
        spread = lambda bounds: _numbers(bounds) * size if len(_numbers(bounds)) == 1 else _numbers(bounds)  # noqa: E731
        self.low, self.high, self.shape, self.dtype = spread(low), spread(high), (size,), "float32"


class Discrete:
    """The whole numbers ``start`` to ``start + n - 1``; for environments without Gymnasium."""

    def __init__(self, n, start=0):
        self.n, self.start = n, start


def _numbers(value):
    """All numbers of a nested list, an array or a single number, as floats in row-major order."""
    if isinstance(value, (int, float)):
        return [float(value)]
    if hasattr(value, "tolist"):
        return _numbers(value.tolist())
    if isinstance(value, (list, tuple, array)):
        return [number for part in value for number in _numbers(part)]
    return [float(value)]


class _Leaf:
    """A space without parts, as a vector of ``size`` numbers."""

    type = "float32"

    def pack(self, value, type_):
        numbers = self.flatten(value)
        if numpy is not None:
            flat = numpy.asarray(numbers, "<f4" if type_ == "float32" else "u1").reshape(-1)
        else:
            flat = array("f" if type_ == "float32" else "B", numbers if type_ == "float32" else map(int, numbers))
            if sys.byteorder == "big":
                flat.byteswap()
        if len(flat) != self.size:
            raise ValueError(f"an observation must have {self.size} numbers where {len(flat)} were returned")
        return flat.tobytes()


class _BoxLeaf(_Leaf):
    def __init__(self, space):
        self.shape = tuple(getattr(space, "shape", (len(space.low),)))
        self.size = math.prod(self.shape)
        self.dtype = str(getattr(space, "dtype", "float32"))
        self.low, self.high = _numbers(space.low), _numbers(space.high)
        if self.dtype == "uint8":
            self.type = "uint8"

    def flatten(self, value):
        return value if numpy is not None else _numbers(value)

    def action(self, numbers):
        whole = "int" in self.dtype
        if numpy is None:
            return [round(number) for number in numbers] if whole else list(numbers)
        values = numpy.array(numbers, "float32")
        return (numpy.rint(values) if whole else values).astype(self.dtype).reshape(self.shape)

    def action_bounds(self):
        return self.low, self.high


class _ChoiceLeaf(_Leaf):
    """Discrete and MultiDiscrete: one-hot when observed; as an action one score a choice, the largest wins."""

    def __init__(self, counts, starts, is_single):
        self.counts, self.starts, self.is_single = counts, starts, is_single
        self.size = sum(counts)
        self.low, self.high = [0.0] * self.size, [1.0] * self.size

    def flatten(self, value):
        flat = [0.0] * self.size
        first = 0
        for number, count, start in zip(_numbers(value), self.counts, self.starts):
            flat[first + int(number) - start] = 1.0
            first += count
        return flat

    def action(self, numbers):
        chosen, first = [], 0
        for count, start in zip(self.counts, self.starts):
            scores = numbers[first : first + count]
            chosen.append(start + max(range(count), key=scores.__getitem__))
            first += count
        if self.is_single:
            return chosen[0]
        return chosen if numpy is None else numpy.array(chosen)

    def action_bounds(self):
        return [-1.0] * self.size, [1.0] * self.size


class _BinaryLeaf(_Leaf):
    """MultiBinary: 0 and 1 when observed; as an action, what is above 0 is 1."""

    def __init__(self, space):
        self.shape = tuple(space.shape)
        self.size = math.prod(self.shape)
        self.low, self.high = [0.0] * self.size, [1.0] * self.size

    def flatten(self, value):
        return _numbers(value)

    def action(self, numbers):
        chosen = [int(number > 0) for number in numbers]
        return chosen if numpy is None else numpy.array(chosen, "int8").reshape(self.shape)

    def action_bounds(self):
        return [-1.0] * self.size, [1.0] * self.size


class _Flat:
    """A space of any kind as one vector: its leaves one after the other, in the order of the space."""

    def __init__(self, space, name):
        self.parts = None
        kind = next((c.__name__ for c in type(space).__mro__ if c.__name__ in _KINDS), None)
        if kind is None:
            raise TypeError(
                f"{name} is a {type(space).__name__}, which cannot be flattened; allowed are "
                + ", ".join(sorted(_KINDS))
            )
        if kind in ("Dict", "Tuple"):
            items = space.spaces.items() if kind == "Dict" else enumerate(space.spaces)
            self.parts = [(key, _Flat(part, f"{name}[{key!r}]")) for key, part in items]
            self.make = dict if kind == "Dict" else lambda pairs: tuple(value for _, value in pairs)
            self.leaves = [leaf for _, part in self.parts for leaf in part.leaves]
        else:
            self.leaf = _KINDS[kind](space)
            self.leaves = [self.leaf]
        self.size = sum(leaf.size for leaf in self.leaves)
        if self.size < 1:
            raise TypeError(f"{name} is empty")
        self.type = "uint8" if all(leaf.type == "uint8" for leaf in self.leaves) else "float32"

    def pack(self, value, type_=None):
        type_ = type_ or self.type
        if self.parts is None:
            return self.leaf.pack(value, type_)
        return b"".join([part.pack(value[key], type_) for key, part in self.parts])

    def action(self, numbers):
        if self.parts is None:
            return self.leaf.action(numbers)
        pairs, first = [], 0
        for key, part in self.parts:
            pairs.append((key, part.action(numbers[first : first + part.size])))
            first += part.size
        return self.make(pairs)

    def row(self, batch, i):
        """Entry ``i`` of a batch of this space, as vector environments return it."""
        if self.parts is None:
            return batch[i]
        return self.make([(key, part.row(batch[key], i)) for key, part in self.parts])

    def stack(self, values):
        """A batch of actions, as vector environments take it."""
        if self.parts is None:
            return numpy.stack([numpy.asarray(value) for value in values])
        return self.make([(key, part.stack([value[key] for value in values])) for key, part in self.parts])

    def json(self, is_action=False):
        bounds = [leaf.action_bounds() if is_action else (leaf.low, leaf.high) for leaf in self.leaves]
        low = [number for leaf_low, _ in bounds for number in leaf_low]
        high = [number for _, leaf_high in bounds for number in leaf_high]
        return {"size": self.size, "low": _bounds_json(low), "high": _bounds_json(high)}


_KINDS = {
    "Box": _BoxLeaf,
    "Discrete": lambda space: _ChoiceLeaf([int(space.n)], [int(getattr(space, "start", 0))], True),
    "MultiDiscrete": lambda space: _ChoiceLeaf(
        [int(n) for n in _numbers(space.nvec)],
        [int(n) for n in _numbers(getattr(space, "start", [0] * len(_numbers(space.nvec))))],
        False,
    ),
    "MultiBinary": _BinaryLeaf,
    "Dict": None,
    "Tuple": None,
}


def _bounds_json(bounds):
    texts = [
        bound if math.isfinite(bound) else "Infinity" if bound > 0 else "-Infinity" if bound < 0 else "NaN"
        for bound in bounds
    ]
    return texts[0] if all(bound == texts[0] for bound in texts) else texts


def _plain(value, depth=0):
    """``value`` as JSON knows it, ``None`` where that is not possible or it is large."""
    if value is None or isinstance(value, (bool, int, str)):
        return value[:1000] if isinstance(value, str) else value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if hasattr(value, "tolist") and getattr(value, "size", 0) <= 64:
        return _plain(value.tolist(), depth)
    if depth < 3 and isinstance(value, (list, tuple)) and len(value) <= 64:
        return [_plain(part, depth + 1) for part in value]
    if depth < 3 and isinstance(value, dict):
        return {str(key): _plain(part, depth + 1) for key, part in value.items()}
    return None


def _infos_bytes(infos):
    return json.dumps([_plain(info) for info in infos]).encode() if any(infos) else b""


# ---------------------------------------------------------------------------------------------------- environments


class _Envs:
    """Environments that step one after the other."""

    commit = None

    def __init__(self, envs, autoreset):
        self.envs, self.autoreset, self.num = envs, autoreset, len(envs)
        first = envs[0]
        for name in ("reset", "step", "observation_space", "action_space"):
            if not hasattr(first, name):
                raise TypeError(f"an environment needs {name}; {type(first).__name__} has none")
        self.observations = _Flat(first.observation_space, "observation_space")
        self.actions = _Flat(first.action_space, "action_space")
        self.id = _id(first)
        self.has_state = all(hasattr(env, "state_dict") and hasattr(env, "load_state_dict") for env in envs)

    def reset(self, seeds):
        results = [self._reset(env, seed) for env, seed in zip(self.envs, seeds)]
        return b"".join([self.observations.pack(observation) for observation, _ in results]), [i for _, i in results]

    def step(self, rows):
        flags, rewards, successors, starts, infos = bytearray(self.num), array("d"), [], [], []
        for i, (env, row) in enumerate(zip(self.envs, rows)):
            result = env.step(self.actions.action(row))
            if not isinstance(result, tuple) or len(result) != 5:
                raise TypeError(f"step must return (observation, reward, terminated, truncated, info), got {result!r:.200}")
            observation, reward, terminated, truncated, info = result
            flags[i] = (1 if terminated else 0) | (2 if truncated else 0)
            rewards.append(float(reward))
            successors.append(self.observations.pack(observation))
            infos.append(info)
            if flags[i] and self.autoreset:
                starts.append(self.observations.pack(self._reset(env, None)[0]))
        return bytes(flags), rewards, b"".join(successors + starts), infos

    def state(self):
        arrays = {}
        for i, env in enumerate(self.envs):
            arrays.update({f"env{i}/{name}": value for name, value in env.state_dict().items()})
        return _write_arrays(arrays)

    def prepare(self, body):
        """Checks a state and returns a function that puts it in place."""
        arrays, present = _read_arrays(body), _read_arrays(self.state())
        for name in sorted({*arrays, *present}):
            if len(arrays.get(name, ())) != len(present.get(name, ())):
                raise ValueError(f"entry {name} of the state is missing, unknown or has another size")

        def commit():
            for i, env in enumerate(self.envs):
                start = f"env{i}/"
                env.load_state_dict({name[len(start) :]: a for name, a in arrays.items() if name.startswith(start)})

        return commit

    def close(self):
        _close_all(self.envs)

    @staticmethod
    def _reset(env, seed):
        result = env.reset() if seed is None else env.reset(seed=seed)
        if not isinstance(result, tuple) or len(result) != 2 or not isinstance(result[1], dict):
            raise TypeError(f"reset must return (observation, info), got {result!r:.200}")
        return result


class _VectorEnvs:
    """A vector environment of Gymnasium."""

    commit, has_state = None, False

    def __init__(self, env, autoreset):
        mode = str(getattr(env.metadata.get("autoreset_mode"), "value", env.metadata.get("autoreset_mode")))
        if mode not in ("SameStep", "Disabled"):
            raise Refused(
                f"the vector environment resets in mode {mode}, which leaves steps out; make it with "
                "vector_kwargs={'autoreset_mode': gymnasium.vector.AutoresetMode.SAME_STEP}"
            )
        if not autoreset:
            raise Refused("a vector environment can be served to a vector environment only")
        self.env, self.resets, self.num = env, mode == "Disabled", env.num_envs
        self.observations = _Flat(env.single_observation_space, "single_observation_space")
        self.actions = _Flat(env.single_action_space, "single_action_space")
        self.id = _id(env)

    def reset(self, seeds):
        observations, infos = self.env.reset(seed=None if None in seeds else list(seeds))
        return self._pack(observations, range(self.num)), [_info_of(infos, i) for i in range(self.num)]

    def step(self, rows):
        actions = self.actions.stack([self.actions.action(row) for row in rows])
        observations, rewards, terminated, truncated, infos = self.env.step(actions)
        flags = bytes((1 if t else 0) | (2 if c else 0) for t, c in zip(terminated, truncated))
        ended = [i for i in range(self.num) if flags[i]]
        if self.resets:
            successors = self._pack(observations, range(self.num))
            if ended:
                observations, _ = self.env.reset(options={"reset_mask": numpy.array([flag > 0 for flag in flags])})
        else:
            final = infos.get("final_obs")
            rows = [final[i] if flags[i] else self.observations.row(observations, i) for i in range(self.num)]
            successors = b"".join([self.observations.pack(row) for row in rows])
        starts = self._pack(observations, ended)
        return flags, array("d", map(float, rewards)), successors + starts, [_info_of(infos, i) for i in range(self.num)]

    def close(self):
        self.env.close()

    def _pack(self, batch, rows):
        return b"".join([self.observations.pack(self.observations.row(batch, i)) for i in rows])


def _info_of(infos, i):
    """What a vector environment's infos say of environment ``i``."""
    own = {}
    for name, values in infos.items():
        if name.startswith("_") or name in ("final_obs", "final_info"):
            continue
        mask = infos.get("_" + name)
        if mask is None or mask[i]:
            try:
                own[name] = _info_of(values, i) if isinstance(values, dict) else values[i]
            except (TypeError, IndexError, KeyError):
                own[name] = values
    return own


def _id(env):
    spec = getattr(env, "spec", None)
    return getattr(spec, "id", None) or getattr(env, "id", None) or type(getattr(env, "unwrapped", env)).__name__


def _close_all(envs):
    for env in envs:
        if hasattr(env, "close"):
            env.close()


class _Source:
    """Hands out environments to connections: of a function anew for each, an object to one at a time."""

    def __init__(self, source, num):
        self.source, self.num = source, num
        self.lock, self.is_taken = threading.Lock(), False
        self.is_function = isinstance(source, type) or (callable(source) and not hasattr(source, "step"))

    def open(self, num, autoreset):
        if self.is_function:
            return self._make(num, autoreset)
        with self.lock:
            if self.is_taken:
                raise Refused("the environment is in use by another connection")
            envs = self._wrap(self.source, autoreset)
            self._require(num, envs.num)
            envs.close = self._give_back
            self.is_taken = True
            return envs

    def _make(self, num, autoreset):
        num = self.num if num is None else num
        if num > self.num:
            raise Refused(f"{num} environments were asked for, {self.num} are served")
        if num > 1 and not autoreset:
            raise Refused("several environments need a reset in the same step")
        with self.lock:
            first = self.source()
            if hasattr(first, "num_envs"):
                return self._wrap(first, autoreset)
            made = [first]
            try:
                while len(made) < num:
                    made.append(self.source())
                return _Envs(made, autoreset)
            except Exception:
                _close_all(made)
                raise

    @staticmethod
    def _wrap(env, autoreset):
        return _VectorEnvs(env, autoreset) if hasattr(env, "num_envs") else _Envs([env], autoreset)

    @staticmethod
    def _require(num, available):
        if num is not None and num != available:
            raise Refused(f"{num} environments were asked for, {available} are served")

    def _give_back(self):
        with self.lock:
            self.is_taken = False


# ------------------------------------------------------------------------------------------------ arrays of a state

_TYPES = {"F64": "d", "F32": "f", "I32": "i", "U32": "I", "U8": "B"}


def _write_arrays(arrays):
    """Named arrays as the bytes of a safetensors file; values are arrays of NumPy or of ``array``, or lists of floats."""
    header, parts, end = {}, [], 0
    for name, value in arrays.items():
        shape = list(getattr(value, "shape", (len(value),)))
        if hasattr(value, "astype"):
            code = {"float64": "d", "float32": "f", "int32": "i", "uint32": "I", "uint8": "B"}.get(str(value.dtype), "d")
            value = array(code, value.reshape(-1).tolist())
        elif not isinstance(value, array):
            value = array("d", value)
        kind = next((kind for kind, code in _TYPES.items() if code == value.typecode), None)
        if kind is None:
            raise TypeError(f"state_dict()[{name!r}] has elements of type {value.typecode}; allowed are {list(_TYPES.values())}")
        data = value.tobytes()
        header[name] = {"dtype": kind, "shape": shape, "data_offsets": [end, end + len(data)]}
        parts.append(data)
        end += len(data)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + b"".join(parts)


def _read_arrays(body):
    """The arrays of a safetensors file, as flat ``array`` objects."""
    try:
        (length,) = struct.unpack_from("<Q", body)
        header = json.loads(bytes(body[8 : 8 + length]).decode())
        data = memoryview(body)[8 + length :]
        arrays = {}
        for name, entry in header.items():
            if name == "__metadata__":
                continue
            start, end = entry["data_offsets"]
            if not 0 <= start <= end <= len(data):
                raise ValueError("offsets are outside of the data")
            values = array(_TYPES[entry["dtype"]])
            values.frombytes(data[start:end])
            arrays[str(name)] = values
        return arrays
    except (ValueError, KeyError, TypeError, AttributeError, struct.error, RecursionError) as error:
        raise ProtocolError(f"a prepare frame is damaged: {error}") from None


# ---------------------------------------------------------------------------------------------------------- frames


class _Stream:
    """A connection as a stream of bytes, over functions that read some bytes and write all."""

    def __init__(self, read, write):
        self.read_some, self.write = read, write

    def read(self, count):
        """``count`` bytes; ``_Lost`` at the end."""
        parts = bytearray()
        while len(parts) < count:
            part = self._unless_lost(self.read_some, min(count - len(parts), 1 << 20))
            if not part:
                raise _Lost("the connection was closed by the other side")
            parts += part
        return parts

    def send(self, kind, *parts):
        body = b"".join(parts)
        self._unless_lost(self.write, HEADER.pack(len(body), kind) + body)

    @staticmethod
    def _unless_lost(call, argument):
        try:
            return call(argument)
        except OSError as error:
            raise _Lost(str(error) or type(error).__name__) from error

    def send_json(self, kind, value):
        self.send(kind, json.dumps(value).encode())

    def receive(self, limit):
        length, kind = HEADER.unpack(self.read(HEADER.size))
        if kind not in NAMES:
            raise ProtocolError(f"there is no frame of type {kind}")
        if length > limit:
            raise ProtocolError(f"a frame of {length} bytes ({NAMES[kind]}) is larger than the {limit} that are allowed")
        return kind, self.read(length)


def _socket_stream(connection):
    return _Stream(connection.recv, connection.sendall)


class _WebSocketStream(_Stream):
    """The server's side of a WebSocket; its binary messages are one stream of bytes."""

    def __init__(self, connection):
        super().__init__(self._read_message, self._write_message)
        self.raw = _socket_stream(connection)
        self.pending = b""

    @staticmethod
    def shake_hands(connection, has_token):
        """Answers the HTTP request that begins a WebSocket."""
        request = bytearray()
        while not request.endswith(b"\r\n\r\n"):
            byte = connection.recv(1)
            if not byte or len(request) > 8192:
                raise ProtocolError("the HTTP request is not complete or too long")
            request += byte
        lines = request.decode("latin-1").split("\r\n")[1:]
        headers = {name.strip().lower(): text.strip() for name, _, text in (line.partition(":") for line in lines)}
        if "origin" in headers and not has_token:
            connection.sendall(b"HTTP/1.1 403 Forbidden\r\nconnection: close\r\n\r\nPages need a token.\n")
            raise ProtocolError("a page connected, and pages need a token")
        key = headers.get("sec-websocket-key")
        if headers.get("upgrade", "").lower() != "websocket" or not key:
            connection.sendall(b"HTTP/1.1 426 Upgrade Required\r\nconnection: close\r\n\r\nConnect by WebSocket.\n")
            raise ProtocolError("an HTTP request came that does not begin a WebSocket")
        digest = hashlib.sha1(key.encode() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
        answer = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
        connection.sendall(answer.encode() + base64.b64encode(digest) + b"\r\n\r\n")

    def _read_message(self, count):
        while not self.pending:
            opcode, data = self._read_part()
            if opcode in (0, 2):
                self.pending = data
            elif opcode == 8:
                return b""
            elif opcode == 9:
                self._write_part(10, data)
            elif opcode != 10:
                raise ProtocolError("frames are binary, but text came")
        part, self.pending = self.pending[:count], self.pending[count:]
        return part

    def _read_part(self):
        first, second = self.raw.read(2)
        length = second & 127
        if length > 125:
            length = int.from_bytes(self.raw.read(2 if length == 126 else 8), "big")
        if length > FRAME_LIMIT + HEADER.size:
            raise ProtocolError(f"a WebSocket message of {length} bytes is larger than what is allowed")
        if not second & 128:
            raise ProtocolError("what comes over a WebSocket must be masked")
        mask = bytes(self.raw.read(4))
        data = self.raw.read(length)
        repeated = (mask * (length // 4 + 1))[:length]
        mixed = int.from_bytes(data, "little") ^ int.from_bytes(repeated, "little")
        return first & 15, mixed.to_bytes(length, "little")

    def _write_message(self, data):
        self._write_part(2, data)

    def _write_part(self, opcode, data):
        length = len(data)
        if length < 126:
            head = struct.pack(">BB", 128 | opcode, length)
        elif length < 1 << 16:
            head = struct.pack(">BBH", 128 | opcode, 126, length)
        else:
            head = struct.pack(">BBQ", 128 | opcode, 127, length)
        self.raw.write(head + data)


def _json(kind, body):
    try:
        value = json.loads(bytes(body).decode())
    except (ValueError, RecursionError):
        raise ProtocolError(f"a {NAMES[kind]} frame holds text that is not JSON") from None
    if not isinstance(value, dict):
        raise ProtocolError(f"a {NAMES[kind]} frame must hold an object")
    return value


def _protocol_json(kind, body):
    value = _json(kind, body)
    if value.get("protocol") != PROTOCOL:
        raise ProtocolError(f"protocol must be '{PROTOCOL}', got {value.get('protocol')!r:.80}")
    if value.get("version") != VERSION or isinstance(value.get("version"), bool):
        raise ProtocolError(f"version {value.get('version')!r:.80} is not spoken here, but {VERSION}")
    return value


# --------------------------------------------------------------------------------------------------------- serving


def _serve_stream(stream, source, token, set_timeout=lambda seconds: None):
    """Answers one connection until it ends; returns why."""
    envs = None
    try:
        set_timeout(HELLO_TIMEOUT)
        kind, body = stream.receive(HANDSHAKE_LIMIT)
        if kind != HELLO:
            raise ProtocolError(f"expected a hello frame, got {NAMES[kind]}")
        hello = _protocol_json(kind, body)
        num, autoreset = _checked_hello(hello, token)
        set_timeout(None)
        envs = source.open(num, autoreset)
        stream.send_json(WELCOME, _welcome(envs))
        while True:
            kind, body = stream.receive(FRAME_LIMIT)
            _answer(stream, envs, kind, body)
    except _Lost as error:
        return str(error)
    except Exception as error:  # whatever a user's environment raises while it is made
        text = str(error) if isinstance(error, (ProtocolError, Refused)) else _trace(error)
        try:
            stream.send_json(ERROR, {"name": type(error).__name__, "message": text, "fatal": True})
        except OSError:
            pass
        return f"{type(error).__name__}: {text}"
    finally:
        if envs is not None:
            envs.close()


def _checked_hello(hello, token):
    given, num, autoreset = hello.get("token"), hello.get("numEnvs"), hello.get("autoreset")
    if given is not None and not isinstance(given, str):
        raise ProtocolError("token must be a string")
    if token is not None and not hmac.compare_digest(token.encode(), (given or "").encode()):
        raise ProtocolError("the token is missing or wrong; pass the one that the server was started with")
    if num is not None and (not isinstance(num, int) or isinstance(num, bool) or num < 1):
        raise ProtocolError(f"numEnvs must be an integer >= 1, got {num!r:.80}")
    if not isinstance(autoreset, bool):
        raise ProtocolError("autoreset must be true or false")
    return num, autoreset


def _welcome(envs):
    return {
        "protocol": PROTOCOL,
        "version": VERSION,
        "id": envs.id,
        "numEnvs": envs.num,
        "observationSpace": envs.observations.json(),
        "actionSpace": envs.actions.json(is_action=True),
        "observationType": envs.observations.type,
        "hasState": envs.has_state,
    }


def _answer(stream, envs, kind, body):
    try:
        if kind == STEP:
            flags, rewards, observations, infos = envs.step(_action_rows(envs, body))
            stream.send(STEPPED, flags, _little(rewards), observations, _infos_bytes(infos))
        elif kind == RESET:
            observations, infos = envs.reset(_seeds(envs, body))
            stream.send(STARTED, observations, _infos_bytes(infos))
        elif kind in (GET_STATE, PREPARE) and not envs.has_state:
            raise ProtocolError("these environments have no state to save or put back")
        elif kind == GET_STATE:
            stream.send(STATE, envs.state())
        elif kind == PREPARE:
            envs.commit = envs.prepare(body)
            stream.send(DONE)
        elif kind == COMMIT:
            if envs.commit is None:
                raise ProtocolError("a commit frame must follow a prepare frame")
            envs.commit()
            envs.commit = None
            stream.send(DONE)
        else:
            raise ProtocolError(f"a {NAMES[kind]} frame is out of place here")
    except (ProtocolError, _Lost):
        raise
    except Exception as error:  # whatever a user's environment raises
        stream.send_json(ERROR, {"name": type(error).__name__, "message": _trace(error), "fatal": False})


def _action_rows(envs, body):
    size = envs.actions.size
    if len(body) != 4 * envs.num * size:
        raise ProtocolError(f"a step frame must have {4 * envs.num * size} bytes, got {len(body)}")
    numbers = array("f")
    numbers.frombytes(bytes(body))
    if sys.byteorder == "big":
        numbers.byteswap()
    if not all(map(math.isfinite, numbers)):
        raise ProtocolError("actions must be finite")
    return [numbers[i * size : (i + 1) * size].tolist() for i in range(envs.num)]


def _seeds(envs, body):
    if len(body) != 8 * envs.num:
        raise ProtocolError(f"a reset frame must have {8 * envs.num} bytes, got {len(body)}")
    seeds = []
    for seed in struct.unpack(f"<{envs.num}d", body):
        if not math.isnan(seed) and not (0 <= seed < 2**53 and seed == int(seed)):
            raise ProtocolError(f"seeds must be integers in [0, 2^53) or NaN, got {seed}")
        seeds.append(None if math.isnan(seed) else int(seed))
    return seeds


def _little(numbers):
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tobytes()


def _trace(error):
    """The error and where in the user's code it came from."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename != __file__][-5:]
    return f"{error}\n{''.join(traceback.format_list(frames))}".rstrip()


def _is_loopback(host):
    return host in ("localhost", "::1") or host.startswith("127.")


def serve(source, host="127.0.0.1", port=5555, num=1, token=None, on_ready=None):
    """Serves environments for ever.

    source: a function that makes an environment (then every connection gets its own, up to ``num``), or an environment
        (then one connection at a time). Environments have Gymnasium's ``reset``, ``step``, ``observation_space`` and
        ``action_space``; Gymnasium's vector environments serve all their environments at once. An environment with
        ``state_dict()`` and ``load_state_dict(arrays)`` can be saved and resumed bit for bit.
    host: an address beyond this machine needs a ``token``, a secret that whoever connects must know.
    port: 0 takes any free one.
    on_ready: called with the port once connections are accepted.
    """
    if token is not None and len(token) < SHORTEST_TOKEN:
        raise ValueError(f"token must have at least {SHORTEST_TOKEN} characters, got {len(token)}")
    if token is None and not _is_loopback(host):
        raise ValueError(f"host {host} can be reached from other machines, so a token is needed")
    held = _Source(source, num)
    slots = threading.BoundedSemaphore(MAX_CONNECTIONS)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, port), family=family) as server:
        if on_ready:
            on_ready(server.getsockname()[1])
        while True:
            connection, peer = server.accept()
            if not slots.acquire(blocking=False):
                connection.close()
                continue
            arguments = (connection, peer, held, token, slots)
            threading.Thread(target=_serve_connection, args=arguments, daemon=True).start()


def _serve_connection(connection, peer, source, token, slots):
    reason = None
    try:
        with connection:
            _keep_alive(connection)
            connection.settimeout(HELLO_TIMEOUT)
            start = connection.recv(4, socket.MSG_PEEK)
            if start.startswith(b"G"):
                _WebSocketStream.shake_hands(connection, token is not None)
                stream = _WebSocketStream(connection)
            else:
                stream = _socket_stream(connection)
            reason = _serve_stream(stream, source, token, connection.settimeout)
    except (OSError, ProtocolError) as error:
        reason = str(error)
    finally:
        slots.release()
        print(f"{peer[0]}:{peer[1]}: {reason}", file=sys.stderr, flush=True)


def _keep_alive(connection):
    """Finds out within a minute that the other machine is gone."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, seconds in (("TCP_KEEPIDLE", 10), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3)):
        if hasattr(socket, name):
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), seconds)


def offer(source, address, token=None):
    """Offers an environment to ``acceptEnv`` at ``tcp://HOST:PORT``, for a robot that cannot be connected to."""
    with _dial(address, HELLO_TIMEOUT) as connection:
        stream = _socket_stream(connection)
        hello = {"protocol": PROTOCOL, "version": VERSION, **({} if token is None else {"token": token})}
        stream.send_json(OFFER, hello)
        return _serve_stream(stream, _Source(source, 1), None)


def _serve_stdio(source):
    """Serves the process that started this one, over standard input and output, and ends with it."""
    read_end, write_end = os.dup(0), os.dup(1)
    os.dup2(2, 1)  # what the environment prints must not get between the frames
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what an interruption means
    threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()

    def write(data):
        view = memoryview(data)
        while view:
            view = view[os.write(write_end, view) :]

    _serve_stream(_Stream(lambda count: os.read(read_end, count), write), source, None)


def _end_with_parent(parent):
    """A parent that is gone is noticed even while the environment computes."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


# ------------------------------------------------------------------------------------- diffrl's environments here

try:
    import gymnasium
    from gymnasium.vector import VectorEnv as _VectorEnvBase

    _EnvBase = gymnasium.Env
except ImportError:
    gymnasium = None
    _EnvBase = _VectorEnvBase = object


def _dial(address, timeout):
    scheme, _, rest = address.partition("://")
    host, _, port = rest.rpartition(":")
    if scheme != "tcp" or not host or not port.isdigit():
        raise ValueError(f"address must be 'tcp://HOST:PORT', got {address!r}")
    connection = socket.create_connection((host.strip("[]"), int(port)), timeout)
    _keep_alive(connection)
    connection.settimeout(None)
    return connection


class _Client:
    """The acting side of a connection."""

    def __init__(self, address, token, num, autoreset, timeout):
        self.connection = _dial(address, timeout)
        self.connection.settimeout(timeout)
        self.stream = _socket_stream(self.connection)
        self.autoreset = autoreset
        hello = {"protocol": PROTOCOL, "version": VERSION, "token": token, "numEnvs": num, "autoreset": autoreset}
        hello = {name: value for name, value in hello.items() if value is not None}
        welcome = _protocol_json(WELCOME, self.ask(HELLO, json.dumps(hello).encode(), WELCOME))
        self.id, self.num, self.type = welcome.get("id"), welcome["numEnvs"], welcome["observationType"]
        self.observation_space = _space_of(welcome["observationSpace"])
        self.action_space = _space_of(welcome["actionSpace"])
        self.size = welcome["observationSpace"]["size"]

    def ask(self, kind, body, expected):
        try:
            self.stream.send(kind, body)
            answered, body = self.stream.receive(FRAME_LIMIT)
        except _Lost as error:
            self.connection.close()  # an answer that comes late would be taken for the next one's
            raise ConnectionError(f"the connection is lost: {error}") from error
        if answered == ERROR:
            error = _json(ERROR, body)
            raise RuntimeError(f"{error.get('name')}: {error.get('message')}")
        if answered != expected:
            self.connection.close()
            raise ProtocolError(f"expected a {NAMES[expected]} frame, got {NAMES[answered]}")
        return body

    def reset(self, seeds):
        numbers = [math.nan if seed is None else float(seed) for seed in seeds]
        body = self.ask(RESET, struct.pack(f"<{self.num}d", *numbers), STARTED)
        rows, rest = self._rows(body, self.num)
        return rows, _infos_of(rest, self.num)

    def step(self, actions):
        numbers = array("f", _numbers(actions))
        body = self.ask(STEP, _little(numbers), STEPPED)
        flags, body = bytes(body[: self.num]), body[self.num :]
        rewards = list(struct.unpack_from(f"<{self.num}d", body))
        successors, body = self._rows(body[8 * self.num :], self.num)
        ended = [i for i in range(self.num) if flags[i]] if self.autoreset else []
        starts, rest = self._rows(body, len(ended))
        return flags, rewards, successors, dict(zip(ended, starts)), _infos_of(rest, self.num)

    def _rows(self, body, count):
        width = self.size * (1 if self.type == "uint8" else 4)
        if len(body) < width * count:
            raise ProtocolError("a frame is too short")
        rows = []
        for i in range(count):
            part = bytes(body[i * width : (i + 1) * width])
            if numpy is not None:
                rows.append(numpy.frombuffer(part, "u1" if self.type == "uint8" else "<f4").astype("float32"))
            else:
                numbers = array("B" if self.type == "uint8" else "f")
                numbers.frombytes(part)
                rows.append(numbers.tolist())
        return rows, body[width * count :]

    def close(self):
        self.connection.close()


def _infos_of(body, num):
    return json.loads(bytes(body).decode()) if body else [{} for _ in range(num)]


def _space_of(value):
    size, bounds = value["size"], [value["low"], value["high"]]
    low, high = ([float(x) for x in (side if isinstance(side, list) else [side] * value["size"])] for side in bounds)
    if gymnasium is None:
        return Box(low, high, size)
    return gymnasium.spaces.Box(numpy.array(low, "float32"), numpy.array(high, "float32"), dtype=numpy.float32)


class RemoteEnv(_EnvBase):
    """An environment that Node serves, with Gymnasium's methods. See ``connect``."""

    metadata = {"render_modes": []}

    def __init__(self, client):
        self.client = client
        self.id = client.id
        self.observation_space, self.action_space = client.observation_space, client.action_space

    def reset(self, *, seed=None, options=None):
        if gymnasium is not None:
            super().reset(seed=seed)
        (observation,), (info,) = self.client.reset([seed])
        return observation, info

    def step(self, action):
        flags, (reward,), (observation,), _, (info,) = self.client.step(action)
        return observation, reward, bool(flags[0] & 1), bool(flags[0] & 2), info

    def close(self):
        self.client.close()


class RemoteVectorEnv(_VectorEnvBase):
    """Environments that Node serves, as a vector environment that resets in the same step. See ``connect_vec``."""

    def __init__(self, client):
        self.client, self.num_envs, self.id = client, client.num, client.id
        self.single_observation_space, self.single_action_space = client.observation_space, client.action_space
        self.metadata = {"render_modes": []}
        if gymnasium is not None:
            self.metadata["autoreset_mode"] = gymnasium.vector.AutoresetMode.SAME_STEP
            batch = gymnasium.vector.utils.batch_space
            self.observation_space = batch(client.observation_space, client.num)
            self.action_space = batch(client.action_space, client.num)

    def reset(self, *, seed=None, options=None):
        seeds = seed if isinstance(seed, (list, tuple)) else _spread_seed(seed, self.num_envs)
        observations, infos = self.client.reset(seeds)
        return _batch(observations), {"infos": infos}

    def step(self, actions):
        flags, rewards, successors, starts, infos = self.client.step(actions)
        observations = [starts.get(i, successor) for i, successor in enumerate(successors)]
        terminated, truncated = [bool(flag & 1) for flag in flags], [bool(flag & 2) for flag in flags]
        final = [successors[i] if i in starts else None for i in range(self.num_envs)]
        more = {"infos": infos, "final_obs": _objects(final), "_final_obs": _batch([flag > 0 for flag in flags])}
        return _batch(observations), _batch(rewards), _batch(terminated), _batch(truncated), more

    def close(self, **_):
        self.client.close()


def _spread_seed(seed, count):
    return [None if seed is None else seed + i for i in range(count)]


def _batch(values):
    return values if numpy is None else numpy.stack([numpy.asarray(value) for value in values])


def _objects(values):
    if numpy is None:
        return values
    batch = numpy.empty(len(values), dtype=object)
    batch[:] = values
    return batch


def connect(address, token=None, timeout=60.0):
    """The environment served at ``tcp://HOST:PORT`` (by diffrl's ``serveEnv``) as a Gymnasium environment.

    Observations and actions are float32 vectors; arrays of NumPy where it can be imported, else lists. ``timeout`` is in
    seconds, for every answer. Raises ``RuntimeError`` for what the environment threw, ``OSError`` for a lost connection.
    """
    return RemoteEnv(_Client(address, token, 1, False, timeout))


def connect_vec(address, token=None, num=None, timeout=60.0):
    """As ``connect``, for ``num`` environments (default all that are served), as a vector environment."""
    return RemoteVectorEnv(_Client(address, token, num, True, timeout))


# ---------------------------------------------------------------------------------------------------- command line


def _maker(name, kwargs):
    """A function that makes the environment ``name``: a Gymnasium id, ``file.py:function`` or ``module:function``."""
    place, _, member = name.rpartition(":")
    if place.endswith(".py"):
        spec = importlib.util.spec_from_file_location(os.path.splitext(os.path.basename(place))[0], place)
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        sys.path.insert(0, os.path.dirname(os.path.abspath(place)))
        spec.loader.exec_module(module)
        return lambda: getattr(module, member)(**kwargs)
    if place:
        module = importlib.import_module(place)
        if callable(getattr(module, member, None)):
            return lambda: getattr(module, member)(**kwargs)
    if gymnasium is None:
        raise ModuleNotFoundError(
            f"Gymnasium is not installed for {sys.executable}, and {name} is not of the form file.py:function or "
            "module:function. Run: python -m pip install gymnasium"
        )
    return lambda: gymnasium.make(name, **kwargs)


def main():
    parser = argparse.ArgumentParser(description="Serves a Python environment to diffrl.")
    parser.add_argument("--env", required=True, help="a Gymnasium id, file.py:function or module:function")
    parser.add_argument("--num", type=int, default=1, help="environments that a connection can have (default 1)")
    parser.add_argument("--kwargs", default="{}", help="keyword arguments of the environment, as JSON")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen at; beyond this machine with a token only")
    parser.add_argument("--port", type=int, default=5555, help="port to listen at, 0 for any free one (default 5555)")
    parser.add_argument("--token", default=os.environ.get("DIFFRL_TOKEN"), help="a secret; default $DIFFRL_TOKEN")
    parser.add_argument("--offer", metavar="ADDRESS", help="connect to acceptEnv at tcp://HOST:PORT instead of listening")
    parser.add_argument("--stdio", action="store_true", help="serve the parent process (used by python: addresses)")
    options = parser.parse_args()
    if options.num < 1:
        parser.error("--num must be at least 1")
    sys.path.insert(0, os.getcwd())
    made = collections.deque(maxlen=1)

    def make():
        if not made:
            made.append(_maker(options.env, json.loads(options.kwargs)))
        return made[0]()

    if options.stdio:
        return _serve_stdio(_Source(make, options.num))
    if options.offer:
        print(offer(make, options.offer, options.token), file=sys.stderr)
        return None
    ready = lambda port: print(f"serving {options.env} at tcp://{options.host}:{port}", flush=True)  # noqa: E731
    try:
        serve(make, options.host, options.port, options.num, options.token, ready)
    except KeyboardInterrupt:
        return None
    except (ValueError, OSError) as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
