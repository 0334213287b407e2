"""Plays a policy that exportOnnx wrote: pip install onnxruntime gymnasium[mujoco]; python policy.py policy.onnx"""
import json
import sys

import gymnasium
import numpy as np
import onnxruntime

session = onnxruntime.InferenceSession(sys.argv[1])
about = json.loads(session.get_modelmeta().custom_metadata_map["diffrl"])
env = gymnasium.make(about.get("task") or "InvertedPendulum-v5")
rng = np.random.default_rng(0)
observation, _ = env.reset(seed=0)
total, done = 0.0, False
while not done:
    noise = rng.standard_normal(about["noiseShape"], dtype=np.float32)
    inputs = {"observation": observation[None].astype(np.float32), "noise": noise}
    (action,) = session.run(["action"], inputs)
    observation, reward, terminated, truncated, _ = env.step(action[0])
    total, done = total + reward, terminated or truncated
print(f"{about['agent']}: return {total:.0f}")
