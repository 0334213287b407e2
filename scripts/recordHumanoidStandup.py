"""Records Gymnasium's HumanoidStandup into test/reference/gymnasium/humanoid_standup.json (layout: test/reference/README.md).

Run: pip install 'gymnasium[mujoco]==1.3.0' mujoco==3.14.0, then python scripts/recordHumanoidStandup.py
"""

import json
import pathlib

import gymnasium
import mujoco
import numpy as np

TARGET = pathlib.Path(__file__).parent.parent / "test/reference/gymnasium/humanoid_standup.json"
STEPS = 100
OBSERVED = [1, 2, 3, *range(10, STEPS + 1, 10)]
PARTS = ["qpos", "qvel", "cinert", "cvel", "qfrc_actuator", "cfrc_ext"]


def plain(value, digits=None):
    """A JSON value; with `digits`, rounded to that many significant ones."""
    if isinstance(value, np.ndarray):
        return [plain(entry, digits) for entry in value]
    if isinstance(value, (list, tuple)):
        return [plain(entry, digits) for entry in value]
    number = float(value)
    if np.isinf(number):
        return "Infinity" if number > 0 else "-Infinity"
    if digits is not None:
        number = float(f"{number:.{digits}g}")
    return int(number) if number.is_integer() else number


def figures(model):
    option = model.opt
    names = "timestep gravity iterations tolerance ls_iterations ls_tolerance noslip_iterations noslip_tolerance"
    names += " ccd_iterations ccd_tolerance impratio density viscosity wind"
    return {
        "sizes": {name: int(getattr(model, name)) for name in "nq nv nu na nbody njnt ngeom nsite ntendon neq nsensor".split()},
        "option": {
            **{name: plain(getattr(option, name)) for name in names.split()},
            "integrator": ["Euler", "RK4"][option.integrator],
            "solver": ["PGS", "CG", "Newton"][option.solver],
            "cone": ["pyramidal", "elliptic"][option.cone],
            "disabled": [],
            "enabled": [],
        },
        "statistics": {"mean_inertia": plain(model.stat.meaninertia)},
        "qpos0": plain(model.qpos0),
        "bodies": entries(model, "body", model.nbody, {
            **{name: f"body_{name}" for name in "pos quat mass inertia ipos iquat invweight0".split()},
            "parent": "body_parentid",
        }, none={"parent": 0}),
        "joints": joints(model),
        "geoms": entries(model, "geom", model.ngeom, {
            **{name: f"geom_{name}" for name in "size pos quat friction margin gap condim contype conaffinity priority solref solimp".split()},
            "body": "geom_bodyid",
        }),
        "actuators": entries(model, "actuator", model.nu, {
            "gear": "actuator_gear", "ctrl_range": "actuator_ctrlrange", "gain": "actuator_gainprm",
            "bias": "actuator_biasprm", "dyn": "actuator_dynprm", "acc0": "actuator_acc0",
        }),
        "tendons": entries(model, "tendon", model.ntendon, {
            **{name: f"tendon_{name}" for name in "range stiffness damping length0 invweight0".split()},
            "length_spring": "tendon_lengthspring",
        }),
    }


def entries(model, kind, count, arrays, none=()):
    rows = []
    for index in range(count):
        row = {"id": index, "name": getattr(model, kind)(index).name or None}
        row |= {key: plain(getattr(model, array)[index]) for key, array in arrays.items()}
        if index == 0:
            row |= {key: None for key in none}
        rows.append(row)
    return rows


def joints(model):
    rows = entries(model, "joint", model.njnt, {
        "body": "jnt_bodyid", "qpos_index": "jnt_qposadr", "dof_index": "jnt_dofadr", "pos": "jnt_pos",
        "axis": "jnt_axis", "range": "jnt_range", "margin": "jnt_margin", "stiffness": "jnt_stiffness",
        "limit_solref": "jnt_solref", "limit_solimp": "jnt_solimp",
    })
    for row in rows:
        width, dofs = {0: (7, 6), 1: (4, 3), 2: (1, 1), 3: (1, 1)}[int(model.jnt_type[row["id"]])]
        at = slice(row["dof_index"], row["dof_index"] + dofs)
        row["spring_rest"] = plain(model.qpos_spring[row["qpos_index"] : row["qpos_index"] + width])
        row |= {name: plain(getattr(model, f"dof_{name}")[at]) for name in "damping armature frictionloss".split()}
        row |= {f"dof_{name}": plain(getattr(model, f"dof_{name}")[at]) for name in "M0 invweight0".split()}
    return rows


def start_of(model):
    """A fixed start within what a reset can draw."""
    qpos = model.qpos0 + 0.01 * np.sin(1.7 * np.arange(model.nq) + 0.3)
    return {"qpos": plain(qpos), "qvel": plain(0.01 * np.cos(2.3 * np.arange(model.nv) + 0.1))}


def record(env, identifier, controls):
    env, model, data = env.unwrapped, env.unwrapped.model, env.unwrapped.data
    low, high = model.actuator_ctrlrange.T
    waves = np.sin(0.1 * np.outer(np.arange(STEPS), np.arange(1, model.nu + 1)))
    actions = (waves * (high - low) / 2 * controls).astype(np.float32).astype(float)
    start = start_of(model)
    env.reset(seed=0)
    env.set_state(np.array(start["qpos"]), np.array(start["qvel"]))
    run = {
        "id": identifier, "start": start, "initial_observation": plain(env._get_obs(), 12), "actions": plain(actions),
        "warm_start_after_step": {}, "observation_steps": OBSERVED,
        **{name: [] for name in "qpos qvel contact_count observation reward terminated".split()}, "info": {},
    }
    for step, action in enumerate(actions, 1):
        observation, reward, terminated, _, info = env.step(action)
        digits = None if step <= 20 or step % 10 == 0 else 10
        run["qpos"].append(plain(data.qpos, digits))
        run["qvel"].append(plain(data.qvel, digits))
        run["contact_count"].append(int(data.ncon))
        run["reward"].append(float(reward))
        run["terminated"].append(bool(terminated))
        if step in OBSERVED:
            run["observation"].append(plain(observation, 10))
        if step % 10 == 0 and step < STEPS:
            run["warm_start_after_step"][str(step)] = plain(data.qacc_warmstart)
        for name, value in info.items():
            run["info"].setdefault(name, []).append(plain(np.asarray(value) if np.ndim(value) else value))
    return run


def task_of(version, env):
    inner = env.unwrapped
    skipped = 1 if version == 5 else 0
    sizes = [22, 23, 10 * (14 - skipped), 6 * (14 - skipped), 23 - 6 * skipped, 6 * (14 - skipped)]
    ends = np.cumsum(sizes)
    assert ends[-1] == inner.observation_space.shape[0]
    _, reset_info = env.reset(seed=0)
    _, _, _, _, info = env.step(np.zeros(17, np.float32))
    options = {
        "frame_skip": 5, "uph_cost_weight": 1, "ctrl_cost_weight": 0.1, "impact_cost_weight": 0.5e-6,
        "impact_cost_range": ["-Infinity", 10], "reset_noise_scale": 0.01,
        "exclude_current_positions_from_observation": True, "include_cinert_in_observation": True,
        "include_cvel_in_observation": True, "include_qfrc_actuator_in_observation": True,
        "include_cfrc_ext_in_observation": True,
    }
    return {
        "dt": inner.dt,
        "time_limit_steps": env.spec.max_episode_steps,
        "action": {"size": 17, "range": plain(inner.model.actuator_ctrlrange)},
        "observation": {
            "size": int(ends[-1]),
            "slices": [{"name": name, "from": int(end - size), "to": int(end)} for name, size, end in zip(PARTS, sizes, ends)],
        },
        "info": {"on_reset": sorted(reset_info), "on_step": sorted(info)},
        "options": options if version == 5 else {},
    }


def main():
    result = {
        "format": "mujoco-reference/1",
        "environment": "HumanoidStandup",
        "made_with": {"gymnasium": gymnasium.__version__, "mujoco": mujoco.__version__, "numpy": np.__version__},
        "versions": {},
        "model": {},
    }
    for version in (5, 4):
        env = gymnasium.make(f"HumanoidStandup-v{version}")
        runs = [record(env, 0, 1), record(env, 2, 0)]
        if version == 4:
            for run, other in zip(runs, result["versions"]["v5"]["trajectories"]):
                for name in [name for name in run if name != "id" and run[name] == other[name]]:
                    run[name] = "same as v5"
        result["versions"][f"v{version}"] = {"id": env.spec.id, "task": task_of(version, env), "trajectories": runs}
        result["model"][f"v{version}"] = figures(env.unwrapped.model) if version == 5 else "same as v5"
    TARGET.write_text(json.dumps(result, separators=(",", ":")) + "\n")


main()
